/// Places buffers of known lifetimes in one arena.
///
/// Greedy by size: the largest first, each at the tightest gap among those already placed whose lifetimes meet its
/// own. Time grows with the number of such meetings, so linearly (up to a logarithm) for chains of any length.
package struct MemoryPlan: Sendable {
  /// A buffer that is needed from step `first` to step `last`, both included.
  package struct Buffer: Sendable {
    package var byteCount: Int
    package var first: Int
    package var last: Int

    package init(byteCount: Int, first: Int, last: Int) {
      self.byteCount = byteCount
      self.first = first
      self.last = last
    }
  }

  package static let alignment = 64

  /// Per buffer, in the order given; multiples of `alignment`.
  package let offsets: [Int]
  package let arenaBytes: Int

  package init(_ buffers: [Buffer]) {
    var offsets = [Int](repeating: 0, count: buffers.count)
    var placed = LifetimeIndex(buffers)
    let bySize = buffers.indices.sorted {
      (buffers[$1].byteCount, $0) < (buffers[$0].byteCount, $1)
    }
    var arenaBytes = 0
    var neighbours: [(begin: Int, end: Int)] = []
    for index in bySize {
      let size = Self.aligned(buffers[index].byteCount)
      guard size > 0 else { continue }
      neighbours.removeAll(keepingCapacity: true)
      placed.forEachMeeting(buffers[index]) { other in
        neighbours.append((offsets[other], offsets[other] + Self.aligned(buffers[other].byteCount)))
      }
      let offset = Self.tightestGap(of: size, between: &neighbours)
      offsets[index] = offset
      arenaBytes = max(arenaBytes, offset + size)
      placed.insert(index)
    }
    self.offsets = offsets
    self.arenaBytes = arenaBytes
  }

  private static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }

  /// The start of the smallest gap that holds `size`, or the end of everything.
  private static func tightestGap(of size: Int, between taken: inout [(begin: Int, end: Int)]) -> Int {
    taken.sort { $0.begin < $1.begin }
    var best: (offset: Int, gap: Int)?
    var end = 0
    for range in taken {
      let gap = range.begin - end
      if gap >= size, gap < best?.gap ?? .max { best = (end, gap) }
      end = max(end, range.end)
    }
    return best?.offset ?? end
  }
}

/// Finds the inserted buffers whose lifetimes meet a given one: a segment tree over the buffers by first step, holding
/// the greatest last step below each node.
private struct LifetimeIndex {
  private let buffers: [MemoryPlan.Buffer]
  private let order: [Int]
  private var rank: [Int]
  private var greatestLast: [Int]
  private let leaves: Int

  init(_ buffers: [MemoryPlan.Buffer]) {
    self.buffers = buffers
    order = buffers.indices.sorted { (buffers[$0].first, $0) < (buffers[$1].first, $1) }
    rank = [Int](repeating: 0, count: buffers.count)
    for (position, index) in order.enumerated() { rank[index] = position }
    var leaves = 1
    while leaves < buffers.count { leaves *= 2 }
    self.leaves = leaves
    greatestLast = [Int](repeating: -1, count: 2 * leaves)
  }

  mutating func insert(_ index: Int) {
    var node = leaves + rank[index]
    while node > 0 {
      greatestLast[node] = max(greatestLast[node], buffers[index].last)
      node /= 2
    }
  }

  func forEachMeeting(_ buffer: MemoryPlan.Buffer, _ body: (Int) -> Void) {
    // Buffers that start no later than this one ends are a prefix of the order.
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      if buffers[order[middle]].first <= buffer.last { low = middle + 1 } else { high = middle }
    }
    visit(node: 1, begin: 0, width: leaves, prefix: low, first: buffer.first, body)
  }

  private func visit(
    node: Int, begin: Int, width: Int, prefix: Int, first: Int, _ body: (Int) -> Void
  ) {
    guard begin < prefix, greatestLast[node] >= first else { return }
    if width == 1 {
      body(order[begin])
      return
    }
    visit(node: 2 * node, begin: begin, width: width / 2, prefix: prefix, first: first, body)
    visit(
      node: 2 * node + 1, begin: begin + width / 2, width: width / 2, prefix: prefix, first: first, body)
  }
}
