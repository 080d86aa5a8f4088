import SepalGraph
import SepalTensor
import Testing

extension Operator {
  /// `evaluate` for operators whose operands are all present.
  func run(_ inputs: Tensor...) throws -> [Tensor] { try SepalGraphTests.evaluate(self, inputs) }

  /// `refusal` for operators whose operands are all present.
  func refusal(_ inputs: TensorType...) -> String? { SepalGraphTests.refusal(self, inputs) }
}

extension Tensor {
  /// 0, 1, 2, … in row-major order.
  static func iota(_ shape: [Int], _ element: ElementType = .float32) -> Tensor {
    Tensor(element, shape, integers: (0..<Int64(shape.reduce(1, *))).map { $0 })
  }
}
