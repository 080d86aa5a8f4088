/// The lanes of a dense tensor along one axis: `outer · inner` sequences of `extent` elements, `inner` apart.
struct AxisLanes {
  let outer, extent, inner: Int

  init(shape: [Int], axis: Int) {
    outer = shape[..<axis].reduce(1, *)
    extent = shape[axis]
    inner = shape[(axis + 1)...].reduce(1, *)
  }

  var count: Int { outer * inner }

  /// Where element `index` of `lane` is, when lanes have `extent` elements (default: the tensor's own).
  func offset(_ lane: Int, _ index: Int, extent: Int? = nil) -> Int {
    (lane / inner * (extent ?? self.extent) + index) * inner + lane % inner
  }
}
