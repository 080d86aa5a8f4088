import CSepalKernels
import Testing

/// Every kernel table that this machine runs.
let runnableKernels: [Kernels] = [SEPAL_ISA_PORTABLE, SEPAL_ISA_NEON, SEPAL_ISA_AVX2, SEPAL_ISA_AVX512]
  .compactMap { sepal_kernels_for($0).map { Kernels(table: $0.pointee) } }

struct Kernels: CustomTestStringConvertible, @unchecked Sendable {
  let table: sepal_kernels
  var testDescription: String { String(cString: table.name) }

  /// {1, w − 1, w, w + 1, 2w + 3} for the vector width and for the panel width.
  var awkwardSizes: [Int] {
    let sizes = [table.vector_width, table.panel_width].flatMap { [1, $0 - 1, $0, $0 + 1, 2 * $0 + 3] }
    return Set(sizes).sorted()
  }
}

/// A small generator whose sequence is the same everywhere.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

/// Floats followed by a margin that no kernel may write.
struct GuardedOutput {
  static let margin = 40
  static let canary: Float = 12345.678
  var storage: [Float]
  let count: Int

  init(_ count: Int) {
    self.count = count
    storage = Array(repeating: Self.canary, count: count + Self.margin)
  }

  var values: ArraySlice<Float> { storage[..<count] }
  var marginIsIntact: Bool { storage[count...].allSatisfy { $0 == Self.canary } }
}

func activation(_ kind: sepal_activation_kind, _ a: Float = 0, _ b: Float = 0) -> sepal_activation {
  sepal_activation(kind: kind, a: a, b: b)
}

let noActivation = activation(SEPAL_ACT_NONE)

/// Every activation that a kernel may end with.
let everyActivation: [sepal_activation] = [
  noActivation, activation(SEPAL_ACT_CLAMP, 0, .infinity), activation(SEPAL_ACT_CLAMP, -0.25, 0.5),
  activation(SEPAL_ACT_LEAKY_RELU, 0.125), activation(SEPAL_ACT_HARD_SIGMOID, 0.25, 0.5),
  activation(SEPAL_ACT_HARD_SWISH), activation(SEPAL_ACT_SIGMOID), activation(SEPAL_ACT_SILU),
  activation(SEPAL_ACT_TANH), activation(SEPAL_ACT_GELU), activation(SEPAL_ACT_GELU_TANH),
  activation(SEPAL_ACT_ELU, 0.75),
]

extension Kernels {
  /// `values` as the table's own activation leaves them.
  func activated(_ values: [Float], _ act: sepal_activation) -> [Float] {
    var result = values
    table.activate(&result, values, values.count, act)
    return result
  }
}

/// A value as the reference sees it: the exact sum, and the sum of the magnitudes that bounds its rounding.
struct ExactSum {
  var value = 0.0
  var magnitude = 0.0
  var terms = 0

  mutating func add(_ x: Double) {
    value += x
    magnitude += abs(x)
    terms += 1
  }

  mutating func add(_ a: Float, times b: Float) { add(Double(a) * Double(b)) }

  /// Whether `result` is this sum in single precision, whatever the order of additions.
  func explains(_ result: Float) -> Bool {
    Double(result) == value || abs(Double(result) - value) <= Double(terms + 2) * 0x1p-24 * magnitude + 1e-37
  }
}

extension UnsafeMutableBufferPointer {
  /// The address of an element of a buffer that has some.
  func address(_ index: Int) -> UnsafeMutablePointer<Element> {
    guard let baseAddress else { preconditionFailure("an empty buffer has no addresses") }
    return baseAddress + index
  }
}

extension UnsafeBufferPointer {
  func address(_ index: Int) -> UnsafePointer<Element> {
    guard let baseAddress else { preconditionFailure("an empty buffer has no addresses") }
    return baseAddress + index
  }
}
