import SepalRuntime
import Testing

/// Rates from measurements.
@Suite struct MachineRatesTests {
  /// Loads with random amounts, four for each term of their family.
  private func loads(seed: Int) -> [KernelLoad] {
    var random = SplitMix(seed)
    return KernelLoad.Family.allCases.flatMap { family in
      (0..<4 * family.terms.count).map { _ in
        let amounts = random.floats(family.terms.count - 1, in: 1...1000).map { Double($0).rounded() }
        return KernelLoad(family, [1] + amounts)
      }
    }
  }

  @Test func aFitRecoversTheRatesThatMadeTheTimes() throws {
    let rates = try #require(MachineRates.table())
    let samples = loads(seed: 3).map { ($0, rates.nanoseconds($0)) }
    let fitted = try #require(MachineRates(fitting: samples))
    for load in loads(seed: 4) {
      let expected = rates.nanoseconds(load)
      #expect(abs(fitted.nanoseconds(load) - expected) <= 1e-4 * expected, "\(load)")
    }
  }

  @Test func aFitIsTheSameBitsEveryTime() throws {
    let rates = try #require(MachineRates.table())
    let samples = loads(seed: 5).map { ($0, rates.nanoseconds($0) * 1.1 + 5) }
    #expect(MachineRates(fitting: samples) == MachineRates(fitting: samples))
  }

  @Test func noRateIsNegativeEvenWhereTheTimesAskForIt() throws {
    // The second amount seems to save time.
    let amounts: [[Double]] = [[1, 1], [1, 100], [1, 200], [1, 400]]
    var samples = amounts.map { (KernelLoad(.stream, $0), 500 - $0[1]) }
    let others = try #require(MachineRates.table())
    samples += loads(seed: 6).filter { $0.family != .stream }.map { ($0, others.nanoseconds($0)) }
    let fitted = try #require(MachineRates(fitting: samples))
    #expect(fitted.nanoseconds(KernelLoad(.stream, [0, 1e6])) == 0)
    #expect(fitted.nanoseconds(KernelLoad(.stream, [1, 0])) > 0)
  }

  @Test func timesThatMeanNothingGiveNoRates() throws {
    let rates = try #require(MachineRates.table())
    let good = loads(seed: 7).map { ($0, rates.nanoseconds($0)) }
    #expect(MachineRates(fitting: good) != nil)
    #expect(MachineRates(fitting: good.filter { $0.0.family != .row }) == nil)
    for bad in [0, -1, Double.nan, .infinity] {
      var samples = good
      samples[0].1 = bad
      #expect(MachineRates(fitting: samples) == nil, "\(bad)")
    }
  }

  @Test func ratesAreCompleteFiniteAndNotNegative() throws {
    let family = KernelLoad.Family.depthwise
    var rates: [KernelLoad.Family: [Double]] = [:]
    for other in KernelLoad.Family.allCases { rates[other] = other.terms.map { _ in 1 } }
    #expect(MachineRates(rates) != nil)
    for bad: [Double]? in [nil, [], [1], family.terms.map { _ in 0 }, family.terms.map { _ in .nan }] {
      rates[family] = bad
      #expect(MachineRates(rates) == nil)
    }
    rates[family] = family.terms.enumerated().map { $0.offset == 1 ? -1 : 1 }
    #expect(MachineRates(rates) == nil)
  }
}
