import SepalGraph
import Testing

struct GoldenVectorTests {
  @Test(arguments: [1, 7, 4096])
  func asManySamplesAsElementsAreAllElements(count: Int) {
    #expect(
      GoldenVector.positions(count: count, samples: count, seed: 3) == Array(0..<count))
  }

  @Test(arguments: [(5, 1), (1000, 999), (1 << 20, 4096), (1 << 60, 4096)])
  func samplesAscendOnePerStretch(count: Int, samples: Int) {
    let positions = GoldenVector.positions(count: count, samples: samples, seed: 11)
    #expect(positions.count == samples)
    #expect(positions == positions.sorted())
    #expect(Set(positions).count == samples)
    #expect(positions.allSatisfy { (0..<count).contains($0) })
  }

  @Test func theSeedSaysWhichSamples() {
    let samples = (1...3).map { GoldenVector.positions(count: 1 << 20, samples: 4096, seed: $0) }
    #expect(Set(samples).count == 3)
  }

  @Test func noElementsHaveNoPositions() {
    #expect(GoldenVector.positions(count: 0, samples: 0, seed: 1).isEmpty)
  }

  /// The numbers are part of the file format: the first draws of the published generator from seed 1234567.
  @Test func theGeneratorIsThePublishedOne() {
    var random = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in random.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      ])
  }
}
