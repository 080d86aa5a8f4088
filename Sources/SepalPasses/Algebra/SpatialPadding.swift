import SepalGraph

/// Amounts that a `Pad` node adds along spatial axes, for an operator of some layout that reads it.
struct SpatialPadding {
  /// The padded value.
  let x: ValueID
  let value: Double
  /// Per spatial axis.
  let begins, ends: [Int]
  /// The nodes that go when `reader` takes over the padding: the reader, and `Pad` when nobody else needs it.
  let removed: [NodeID]

  /// Nil unless operand 0 of `reader` is padded with a constant, along spatial axes only, without cropping.
  init?(of reader: Node, layout: Layout, in graph: Graph) {
    guard let padded = reader.input(0), let node = graph.producer(of: padded),
      let pad = node.op(as: Pad.self),
      let x = node.input(0), pad.mode == .constant, (pad.begins + pad.ends).allSatisfy({ $0 >= 0 })
    else { return nil }
    let rank = pad.begins.count
    let spatial = layout.firstSpatialAxis..<layout.firstSpatialAxis + rank - 2
    let others = (0..<rank).filter { !spatial.contains($0) }
    guard others.allSatisfy({ pad.begins[$0] == 0 && pad.ends[$0] == 0 }) else { return nil }
    self.x = x
    value = pad.value
    begins = Array(pad.begins[spatial])
    ends = Array(pad.ends[spatial])
    removed = graph.useCount(of: padded) == 1 ? [node.id, reader.id] : [reader.id]
  }
}
