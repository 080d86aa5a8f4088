import SepalRuntime
import Testing

@Suite struct MemoryPlanTests {
  static func randomBuffers(_ seed: Int) -> [MemoryPlan.Buffer] {
    var random = SplitMix(seed)
    let steps = Int.random(in: 1...40, using: &random)
    return (0..<Int.random(in: 0...60, using: &random)).map { _ in
      let first = Int.random(in: 0..<steps, using: &random)
      return MemoryPlan.Buffer(
        byteCount: Int.random(in: 0...3, using: &random) * Int.random(in: 1...700, using: &random),
        first: first,
        last: Int.random(in: first..<steps, using: &random))
    }
  }

  @Test("buffers that live at the same time never overlap, and all lie in the arena", arguments: 0..<200)
  func noOverlap(seed: Int) {
    let buffers = Self.randomBuffers(seed)
    let plan = MemoryPlan(buffers)
    #expect(plan.offsets.allSatisfy { $0 % MemoryPlan.alignment == 0 })
    for (i, a) in buffers.enumerated() where a.byteCount > 0 {
      #expect(plan.offsets[i] + a.byteCount <= plan.arenaBytes)
      for (j, b) in buffers.enumerated().prefix(i) where b.byteCount > 0 {
        let together = a.first <= b.last && b.first <= a.last
        let apart =
          plan.offsets[i] + a.byteCount <= plan.offsets[j] || plan.offsets[j] + b.byteCount <= plan.offsets[i]
        #expect(!together || apart, "buffers \(i) and \(j): \(a) \(b)")
      }
    }
  }

  @Test("the arena is never smaller than what lives at once, nor larger than everything", arguments: 0..<200)
  func bounds(seed: Int) {
    let buffers = Self.randomBuffers(seed)
    let plan = MemoryPlan(buffers)
    let rounded = buffers.map { ($0.byteCount + 63) / 64 * 64 }
    for step in 0..<40 {
      let live = buffers.indices.filter { (buffers[$0].first...buffers[$0].last).contains(step) }
      #expect(plan.arenaBytes >= live.reduce(0) { $0 + rounded[$1] })
    }
    #expect(plan.arenaBytes <= rounded.reduce(0, +))
  }

  @Test("a chain needs its two largest neighbours, however long it is")
  func chain() {
    let buffers = (0..<100_000).map {
      MemoryPlan.Buffer(byteCount: 64 * ($0 % 7 + 1), first: $0, last: $0 + 1)
    }
    #expect(MemoryPlan(buffers).arenaBytes == 64 * (7 + 6))
  }
}
