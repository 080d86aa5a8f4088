import SepalRuntime

extension MachineRates {
  /// Made-up rates, all different, so that a wrong term shows.
  static func table() -> MachineRates? {
    var rates: [KernelLoad.Family: [Double]] = [:]
    for (place, family) in KernelLoad.Family.allCases.enumerated() {
      rates[family] = family.terms.indices.map { Double(1 + place) / Double(3 + $0) }
    }
    return MachineRates(rates)
  }
}
