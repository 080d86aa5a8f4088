import Foundation
import SepalGraph
import SepalTensor
import Testing

/// What holds for every registered operator.
@Suite struct OperatorRegistryTests {
  private static let names = OperatorRegistry.all.map { $0.schema.name }

  @Test func namesAreUniqueSortedAndFound() {
    #expect(Self.names == Set(Self.names).sorted())
    for type in OperatorRegistry.all {
      #expect(OperatorRegistry.type(named: type.schema.name) == type)
    }
    #expect(OperatorRegistry.type(named: "NoSuchOperator") == nil)
  }

  @Test(arguments: names)
  func theNameIsTheTypes(name: String) throws {
    let type = try #require(OperatorRegistry.type(named: name))
    #expect(String(describing: type) == name)
  }

  /// A file that declares an operator is named after it and the operator is in the registry; and the other way round.
  @Test func everyOperatorFileIsRegistered() throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let folder = package.appending(path: "Sources/SepalGraph/Operators")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
      .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    var declared: [String] = []
    for file in files where try String(contentsOf: file, encoding: .utf8).contains("static let schema") {
      declared.append(file.deletingPathExtension().lastPathComponent)
    }
    #expect(declared.sorted() == Self.names)
  }

  @Test(arguments: names)
  func schemasAreWellFormed(name: String) throws {
    let schema = try #require(OperatorRegistry.type(named: name)).schema
    #expect(Set(schema.inputs.map(\.name)).count == schema.inputs.count)
    #expect(Set(schema.attributes.map(\.name)).count == schema.attributes.count)
    #expect(!schema.outputs.isEmpty)
    #expect(!schema.isVariadic || !schema.inputs.isEmpty)
  }

  @Test(arguments: OperatorExample.all)
  func attributesRoundTrip(example: OperatorExample) throws {
    let copy = try type(of: example.op).make(example.op.attributes)
    #expect(copy.isEqual(to: example.op))
    let sparse = try type(of: example.op).make(example.op.nonDefaultAttributes)
    #expect(sparse.isEqual(to: example.op))
    #expect(type(of: example.op).init().nonDefaultAttributes.isEmpty)
  }

  @Test(arguments: OperatorExample.all)
  func attributesOfAnotherKindAreRefused(example: OperatorExample) {
    let type = type(of: example.op)
    for (name, value) in example.op.attributes {
      // A number is no list and a list no number; every other kind is neither.
      let other: AttributeValue = if case .ints = value { .float(1) } else { .ints([1]) }
      #expect(throws: OperatorError.self, "\(name)") { _ = try type.make([(name, other)]) }
    }
    #expect(throws: OperatorError("\(example.op.name) has no attribute 'no such'")) {
      _ = try type.make([("no such", .int(1))])
    }
  }

  @Test(arguments: OperatorExample.all)
  func missingOperandsAreRefused(example: OperatorExample) {
    let schema = type(of: example.op).schema
    for (index, input) in schema.inputs.enumerated() where !input.isOptional {
      var present = example.inputs.map { $0 != nil }
      present[index] = false
      #expect(throws: OperatorError("input '\(input.name)' is missing")) { try schema.checkArity(present) }
    }
    if !schema.isVariadic {
      let count = schema.inputs.count
      #expect(throws: OperatorError("\(count + 1) inputs, expected at most \(count)")) {
        try schema.checkArity([Bool](repeating: true, count: count + 1))
      }
    }
  }

  @Test(arguments: OperatorExample.all)
  func evaluationAgreesWithInference(example: OperatorExample) throws {
    let operands = example.inputs.map { $0.map { pattern($0.shape).converted(to: $0.element) } }
    let outputs = try evaluate(example.op, operands)
    #expect(outputs.count >= type(of: example.op).schema.outputs.count)
    #expect(example.op.macs(Inputs(example.inputs), outputs: outputs.map(\.type)) >= 0)
  }

  /// The reference in double precision: constants and inputs arrive widened, results must not be narrowed.
  @Test(arguments: OperatorExample.all)
  func evaluationFollowsWidenedOperands(example: OperatorExample) throws {
    let narrow = example.inputs.map { $0.map { pattern($0.shape).converted(to: $0.element) } }
    let wide = narrow.map { tensor in
      tensor.map { $0.element.isFloat ? $0.converted(to: .float64) : $0 }
    }
    let expected = try example.op.evaluate(Inputs(narrow))
    let outputs = try example.op.evaluate(Inputs(wide))
    for (output, expected) in zip(outputs, expected) {
      #expect(output.shape == expected.shape)
      // `Cast` and `Arange` name their output's type; the graph's evaluation widens it.
      let namesItsType = example.op is Cast || example.op is Arange
      #expect(
        output.element == (expected.element == .float32 && !namesItsType ? .float64 : expected.element))
    }
  }

  /// An operator with a `layout` computes the same in both.
  @Test(arguments: OperatorExample.all.filter { $0.layout != nil })
  func layoutsAgree(example: OperatorExample) throws {
    let layout = try #require(example.layout)
    let other: Layout = layout == .channelsFirst ? .channelsLast : .channelsFirst
    func permutation(to layout: Layout, rank: Int) -> [Int] {
      layout == .channelsLast ? Layout.toChannelsLast(rank: rank) : Layout.toChannelsFirst(rank: rank)
    }
    func moved(_ tensor: Tensor, to layout: Layout) throws -> Tensor {
      try evaluate(Transpose(permutation: permutation(to: layout, rank: tensor.shape.count)), [tensor])[0]
    }
    var operands = example.inputs.map { $0.map { pattern($0.shape).converted(to: $0.element) } }
    let expected = try evaluate(example.op, operands)[0]
    operands[0] = try operands[0].map { try moved($0, to: other) }
    let attributes = example.op.attributes.map { $0.name == "layout" ? ($0.name, other.attributeValue) : $0 }
    let mirrored = try type(of: example.op).make(attributes)
    let result = try evaluate(mirrored, operands)[0]
    let back = try moved(result, to: layout)
    #expect(back.type == expected.type)
    // Both are computed in Double and rounded once; NaN (of a negative variance) has to be in the same places.
    let differing = zip(back.doubles(), expected.doubles()).filter { left, right in
      !((left - right).magnitude < 1e-5 || (left.isNaN && right.isNaN))
    }
    #expect(differing.isEmpty)
  }
}

extension OperatorExample {
  fileprivate var layout: Layout? {
    op.attributes.first { $0.name == "layout" }.flatMap { Layout(attributeValue: $0.value) }
  }
}
