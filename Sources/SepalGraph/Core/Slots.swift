/// Elements addressed by the position at which they were added, until they are removed.
///
/// Not an array of optionals: reading one field of an optional copies the whole element, with a retain per reference.
struct Slots<Element: Sendable>: Sendable {
  private var elements: [Element] = []
  private var isAlive: [Bool] = []
  /// Elements that were not removed.
  private(set) var count = 0

  /// One past the last position ever given out.
  var end: Int { elements.count }

  /// Positions of living elements, ascending.
  var indices: some Sequence<Int> { elements.indices.lazy.filter { [isAlive] in isAlive[$0] } }

  func contains(_ index: Int) -> Bool { index < isAlive.count && isAlive[index] }

  subscript(index: Int) -> Element {
    _read {
      precondition(isAlive[index], "element \(index) was removed")
      yield elements[index]
    }
    _modify {
      precondition(isAlive[index], "element \(index) was removed")
      yield &elements[index]
    }
  }

  mutating func append(_ element: Element) {
    elements.append(element)
    isAlive.append(true)
    count += 1
  }

  /// Leaves `remains` in the place, to which nobody has access any more.
  mutating func remove(_ index: Int, leaving remains: Element) {
    precondition(isAlive[index], "element \(index) was removed before")
    elements[index] = remains
    isAlive[index] = false
    count -= 1
  }
}
