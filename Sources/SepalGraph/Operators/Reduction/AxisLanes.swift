/// The lanes of a dense tensor along one axis: `outer · inner` sequences of `extent` elements, `inner` apart.
package struct AxisLanes {
  package let outer, extent, inner: Int

  package init(shape: [Int], axis: Int) {
    outer = shape[..<axis].reduce(1, *)
    extent = shape[axis]
    inner = shape[(axis + 1)...].reduce(1, *)
  }

  package var count: Int { outer * inner }

  /// Where element `index` of `lane` is, when lanes have `extent` elements (default: the tensor's own).
  package func offset(_ lane: Int, _ index: Int, extent: Int? = nil) -> Int {
    (lane / inner * (extent ?? self.extent) + index) * inner + lane % inner
  }
}
