import SepalGraph
import SepalTensor
import Testing

/// Whatever a file says, an operator answers with types or an error; and what inference lets through, evaluation
/// computes. A trap ends the test run, so each case is its own assertion.
@Suite struct OperatorRobustnessTests {
  private static let extremeIntegers = [
    Int.min, Int.min + 1, -(1 << 40), -2, -1, 0, 1, 2, 3, 7, 255, Int(Int32.max), Int(Int32.max) + 1, 1 << 40,
    Int.max - 1, Int.max,
  ]
  private static let extremeNumbers = [
    -Double.infinity, -Double.greatestFiniteMagnitude, -1e19, -1, -0.0, 0, .leastNonzeroMagnitude, 0.5, 1,
    1e19,
    .greatestFiniteMagnitude, .infinity, .nan,
  ]

  @Test(arguments: OperatorExample.all)
  func arbitraryAttributesAndTypesNeverTrapInference(example: OperatorExample) throws {
    var random = SeededGenerator(seed: 1)
    var accepted = 0
    for _ in 0..<800 {
      let variation = Self.vary(example, extreme: true, &random)
      if try infer(variation) != nil { accepted += 1 }
    }
    // The unchanged example comes up too, so that the loop has gone past the first check of each operator.
    #expect(accepted > 0)
  }

  @Test(arguments: OperatorExample.all)
  func whatInferenceAcceptsEvaluates(example: OperatorExample) throws {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<200 {
      let variation = Self.vary(example, extreme: false, &random)
      guard let inferred = try infer(variation), inferred.allSatisfy({ $0.count < 1 << 14 }) else { continue }
      let operands = variation.inputs.map { type in
        type.map { Self.tensor($0, &random) }
      }
      let outputs: [Tensor]
      do throws(OperatorError) {
        outputs = try variation.op.evaluate(Inputs(operands))
      } catch {
        // Values, not types: an index out of range, an integer division by zero.
        let judgesValues = ["Gather", "GatherElements", "Div", "Mod", "Pow"].contains(variation.op.name)
        #expect(judgesValues, "\(variation): \(error.message)")
        continue
      }
      #expect(outputs.map(\.type) == inferred, "\(variation)")
    }
  }

  /// The types of a variation that the graph would accept; nil when refused.
  private func infer(_ example: OperatorExample) throws -> [TensorType]? {
    do throws(OperatorError) {
      try type(of: example.op).schema.checkArity(example.inputs.map { $0 != nil })
      let types = try example.op.inferOutputs(Inputs(example.inputs))
      for type in types where type.rank > TensorType.maximumRank || TensorType.checkedCount(type.shape) == nil
      {
        return nil
      }
      #expect(example.op.macs(Inputs(example.inputs), outputs: types) >= 0, "\(example)")
      return types
    } catch {
      #expect(!error.message.isEmpty, "\(example)")
      return nil
    }
  }

  /// Changes up to six things: an attribute, an operand's shape or element, an operand's presence.
  private static func vary(
    _ example: OperatorExample, extreme: Bool, _ random: inout SeededGenerator
  ) -> OperatorExample {
    var example = example
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      switch Int.random(in: 0...5, using: &random) {
      case 0, 1, 2:
        guard let field = type(of: example.op).schema.attributes.randomElement(using: &random) else {
          continue
        }
        let value = vary(field.get(example.op), extreme: extreme, &random)
        // The setter itself refuses what is not of the attribute's kind.
        if let changed = try? field.set(example.op, value) { example.op = changed }
      case 3:
        guard let index = example.inputs.indices.randomElement(using: &random) else { continue }
        if Bool.random(using: &random) {
          example.inputs[index] = nil
        } else {
          example.inputs.append(example.inputs[index])
        }
      default:
        guard let index = example.inputs.indices.randomElement(using: &random) else { continue }
        let type = example.inputs[index] ?? TensorType(.float32, [2])
        example.inputs[index] = vary(type, extreme: extreme, &random)
      }
    }
    return example
  }

  private static func vary(
    _ value: AttributeValue, extreme: Bool, _ random: inout SeededGenerator
  ) -> AttributeValue {
    func integer() -> Int {
      extreme && Bool.random(using: &random)
        ? extremeIntegers[Int.random(in: 0..<extremeIntegers.count, using: &random)]
        : Int.random(in: -4...6, using: &random)
    }
    func number() -> Double { extremeNumbers[Int.random(in: 0..<extremeNumbers.count, using: &random)] }
    switch value {
    case .int: return .int(integer())
    case .float: return .float(number())
    case .ints(let values):
      if !values.isEmpty && Bool.random(using: &random) {
        var values = values
        values[Int.random(in: 0..<values.count, using: &random)] = integer()
        return .ints(values)
      }
      return .ints((0..<Int.random(in: 0...5, using: &random)).map { _ in integer() })
    case .floats(let values):
      if !values.isEmpty && Bool.random(using: &random) {
        var values = values
        values[Int.random(in: 0..<values.count, using: &random)] = number()
        return .floats(values)
      }
      return .floats((0..<Int.random(in: 0...5, using: &random)).map { _ in number() })
    case .string:
      let words =
        ElementType.allCases.map(\.name) + Layout.allCases.map(\.rawValue)
        + [
          "relu", "clip(-inf,inf)", "elu(1e300)", "hardSwish", "reflect", "wrap", "constant", "dcr", "cubic",
          "nearest", "",
        ]
      return .string(words[Int.random(in: 0..<words.count, using: &random)])
    }
  }

  /// Another type that a reader lets through: legal, but of any rank and extent.
  private static func vary(_ type: TensorType, extreme: Bool, _ random: inout SeededGenerator) -> TensorType {
    func dimension() -> Int {
      extreme && Int.random(in: 0..<4, using: &random) == 0
        ? [1 << 20, 1 << 31, 1 << 40, 1 << 59][Int.random(in: 0..<4, using: &random)]
        : Int.random(in: 0...6, using: &random)
    }
    var changed = type
    switch Int.random(in: 0...3, using: &random) {
    case 0: changed.element = ElementType.allCases.randomElement(using: &random) ?? .bool
    case 1: changed.shape = (0..<Int.random(in: 0...8, using: &random)).map { _ in dimension() }
    default:
      guard !type.shape.isEmpty else { return type }
      changed.shape[Int.random(in: 0..<type.rank, using: &random)] = dimension()
    }
    return TensorType.checkedCount(changed.shape) == nil ? type : changed
  }

  /// Small integers and, in floating point, now and then something that is not a number.
  private static func tensor(_ type: TensorType, _ random: inout SeededGenerator) -> Tensor {
    guard type.element.isFloat else {
      let values = (0..<type.count).map { _ in
        Int.random(in: 0..<8, using: &random) == 0 ? Int64.min : Int64.random(in: -3...3, using: &random)
      }
      return Tensor(type.element, type.shape, integers: values)
    }
    let values = (0..<type.count).map { _ in
      Int.random(in: 0..<16, using: &random) == 0
        ? extremeNumbers[Int.random(in: 0..<extremeNumbers.count, using: &random)]
        : Double.random(in: -3...3, using: &random)
    }
    return Tensor(type.element, type.shape, doubles: values)
  }
}
