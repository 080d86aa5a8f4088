import CSepalKernels

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The vector instructions that kernels use.
public enum InstructionSet: String, Sendable, CaseIterable {
  case avx512, avx2, neon, portable

  /// The best one that this machine and this build have.
  public static var best: InstructionSet { allCases.first { $0.isAvailable } ?? .portable }

  public var isAvailable: Bool { kernels != nil }

  /// The one that the environment variable `SEPAL_ISA` names; nil when it is not set.
  static func fromEnvironment() throws(RuntimeError) -> InstructionSet? {
    guard let text = getenv("SEPAL_ISA").map({ String(cString: $0) }), !text.isEmpty else { return nil }
    guard let isa = InstructionSet(rawValue: text) else {
      let known = allCases.map(\.rawValue).joined(separator: ", ")
      throw RuntimeError(.unavailableInstructionSet, "SEPAL_ISA is '\(text)', expected one of \(known)")
    }
    return isa
  }

  /// Floating-point operations a second that one core of this machine can do in multiply-adds, as measured now, in
  /// about 20 ms.
  public func measuredPeak() -> Double {
    guard let table = kernels?.table.pointee else { return 0 }
    let clock = ContinuousClock()
    var best = 0.0
    for _ in 0..<10 {
      let start = clock.now
      let done = table.multiply_adds(2e8)
      best = max(best, done / ((clock.now - start) / .seconds(1)))
    }
    return best
  }

  var kernels: KernelFunctions? {
    let isa =
      switch self {
      case .avx512: SEPAL_ISA_AVX512
      case .avx2: SEPAL_ISA_AVX2
      case .neon: SEPAL_ISA_NEON
      case .portable: SEPAL_ISA_PORTABLE
      }
    return sepal_kernels_for(isa).map { KernelFunctions(table: $0) }
  }
}

/// The micro-kernels of one instruction set. The table is constant memory of the process.
package struct KernelFunctions: @unchecked Sendable {
  package let table: UnsafePointer<sepal_kernels>

  package var name: String { String(cString: table.pointee.name) }
  package var vectorWidth: Int { table.pointee.vector_width }

  /// The first vector of each panel that `columns` are divided into, and the number of vectors.
  package func panelStarts(_ columns: Int) -> [Int] {
    (0...table.pointee.panel_count(columns)).map { table.pointee.panel_start(columns, $0) }
  }

  /// `6x16` for tiles of six pixels by sixteen channels.
  package func tile(_ columns: Int) -> String {
    let starts = panelStarts(columns)
    return
      "\(table.pointee.tile_pixels(columns))x\((starts[starts.count - 1] - starts[starts.count - 2]) * vectorWidth)"
  }

  /// `count` floats, rounded up to whole vectors.
  package func padded(_ count: Int) -> Int { (count + vectorWidth - 1) / vectorWidth * vectorWidth }
}
