import SepalGraph
import SepalTensor
import Testing

extension Operator {
  /// Evaluates the operator and checks that the results are what shape inference announced.
  func run(_ inputs: Tensor...) throws -> [Tensor] {
    let operands = Inputs(inputs.map { Optional($0) })
    let results = try evaluate(operands)
    let inferred = try inferOutputs(operands.types)
    #expect(results.map(\.type) == inferred, "\(name)")
    return results
  }

  /// The message with which shape inference refuses these operands; nil when it takes them.
  func refusal(_ inputs: TensorType...) -> String? {
    do throws(OperatorError) {
      _ = try inferOutputs(Inputs(inputs.map { Optional($0) }))
      return nil
    } catch {
      return error.message
    }
  }
}

extension Tensor {
  /// 0, 1, 2, … in row-major order.
  static func iota(_ shape: [Int], _ element: ElementType = .float32) -> Tensor {
    Tensor(element, shape, integers: (0..<Int64(shape.reduce(1, *))).map { $0 })
  }
}

/// Steele, Lea and Flood's SplitMix64: the same numbers on every machine.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
