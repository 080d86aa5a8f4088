import SepalGraph
import SepalTensor
import Testing

/// Shape inference faces attributes as a damaged file may hold them. Whatever it accepts must evaluate.
@Suite struct HostileAttributesTests {
  static let operators: [any Operator.Type] = [
    Reshape.self, Transpose.self, Concat.self, Split.self, Slice.self, Pad.self, Expand.self, Tile.self,
    Gather.self, GatherElements.self, Arange.self, DepthToSpace.self, SpaceToDepth.self, Resize.self,
    ReduceMean.self, ReduceSum.self, ReduceMax.self, ReduceMin.self, ReduceProd.self, ReduceL1.self,
    ReduceL2.self, ReduceSumSquare.self, ReduceLogSumExp.self, ArgMax.self, ArgMin.self, TopK.self,
    CumSum.self,
  ]

  static func integer(_ generator: inout SeededGenerator) -> Int {
    switch Int.random(in: 0...9, using: &generator) {
    case 0:
      [Int.min, .min + 1, .max, .max - 1, 1 << 31, 1 << 32, 1 << 60, -(1 << 31)].randomElement(
        using: &generator) ?? 0
    case 1: Int(truncatingIfNeeded: generator.next())
    default: Int.random(in: -3...5, using: &generator)
    }
  }

  static func number(_ generator: inout SeededGenerator) -> Double {
    switch Int.random(in: 0...5, using: &generator) {
    case 0:
      [Double.nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, 1e300, -1e-300].randomElement(
        using: &generator) ?? 0
    default: [0.25, 0.5, 1, 1.5, 2].randomElement(using: &generator) ?? 1
    }
  }

  static func shape(_ generator: inout SeededGenerator) -> [Int] {
    (0..<Int.random(in: 0...5, using: &generator)).map { _ in
      [0, 1, 1, 2, 3, 4].randomElement(using: &generator) ?? 1
    }
  }

  /// A value of the kind that the attribute has, or sometimes of another.
  static func value(like current: AttributeValue, _ generator: inout SeededGenerator) -> AttributeValue {
    let count = Int.random(in: 0...5, using: &generator)
    switch current {
    case .int: return .int(integer(&generator))
    case .float: return .float(number(&generator))
    case .ints: return .ints((0..<count).map { _ in integer(&generator) })
    case .floats: return .floats((0..<count).map { _ in number(&generator) })
    case .string:
      let names =
        PadMode.allCases.map(\.rawValue) + ResizeMode.allCases.map(\.rawValue)
        + ResizeCoordinates.allCases.map(\.rawValue) + ["crd", "channelsLast", "int8", ""]
      return .string(names.randomElement(using: &generator) ?? "")
    }
  }

  @Test(arguments: operators.indices)
  func neverTraps(index: Int) throws {
    let type = Self.operators[index]
    var generator = SeededGenerator(seed: UInt64(index))
    var accepted = 0
    for _ in 0..<1500 {
      var op: any Operator = type.init()
      for field in type.schema.attributes where Int.random(in: 0...3, using: &generator) > 0 {
        let value = Self.value(like: field.get(op), &generator)
        if let changed = try? field.set(op, value) { op = changed }
      }
      let shape = Self.shape(&generator)
      var inputs: [Tensor?] = type.schema.inputs.isEmpty ? [] : [.iota(shape)]
      if type.schema.inputs.count == 2 {
        inputs.append(.iota(Bool.random(using: &generator) ? shape : Self.shape(&generator), .int64))
      } else if type.schema.isVariadic {
        inputs.append(.iota(Bool.random(using: &generator) ? shape : Self.shape(&generator)))
      }
      let operands = Inputs(inputs)
      guard let outputs = try? op.inferOutputs(operands.types) else { continue }
      for output in outputs {
        #expect(TensorType.checkedCount(output.shape) != nil, "\(op.attributes) \(shape)")
      }
      // Legal but huge results are not worth their memory here.
      guard outputs.allSatisfy({ $0.count < 1 << 16 }) else { continue }
      accepted += 1
      if let results = try? op.evaluate(operands) {
        #expect(results.map(\.type) == outputs, "\(op.attributes) \(shape)")
      } else {
        // Only indices are known no earlier than at evaluation.
        #expect(op is Gather || op is GatherElements, "\(op.attributes) \(shape)")
      }
    }
    #expect(accepted > 0, "\(type.schema.name)")
  }
}
