import Foundation
import SepalGraph
import SepalONNX
import SepalTensor
import Testing

/// Runs the ONNX backend node tests (`onnx/backend/test/data/node` of the ONNX package) through the importer and
/// the reference evaluation. `SEPAL_ONNX_NODE_SUITE` names the folder; without it nothing runs.
@Suite struct ONNXNodeSuiteTests {
  static let folder = ProcessInfo.processInfo.environment["SEPAL_ONNX_NODE_SUITE"]

  @Test(.enabled(if: folder != nil))
  func everyNodeTestOfASupportedOperatorGivesTheRecordedOutputs() throws {
    let folder = try #require(Self.folder)
    var report = NodeSuiteReport()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let path = "\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: "\(path)/model.onnx") else { continue }
      report.add(name, NodeTestCase(path: path).run())
    }
    print(report.summary)
    #expect(report.passed > 0)
    #expect(report.failures.isEmpty, "\(report.failures.joined(separator: "\n"))")
  }
}

enum NodeTestOutcome {
  case passed
  /// The importer says that it does not support the operator or this use of it.
  case unsupported(String)
  case failed(String)
}

struct NodeSuiteReport {
  /// What an importer that has a rule for the operator may still refuse: part of the message, and the reason.
  static let refusals = [
    "uses unsupported operator": "no rule",
    "is an input of": "element types that are not whole bytes or not numbers; sequences and optionals",
    "'to' is": "casts to such element types",
    "'training_mode' is 1": "training",
    "is true; only inference": "training",
    "is written for operator set (opset) 1,": "older than the oldest operator set",
    "'antialias' is 1": "antialiased downsampling",
    "is a peephole weight": "peepholes",
    "is 'tf_crop_and_resize'": "resampling of a region",
  ]

  /// Where ONNX Runtime, which is the judge here, does not give the suite's outputs.
  static let divergences = [
    "test_resize_downsample_scales_cubic_align_corners": "aligns with the rounded size",
    "test_resize_downsample_scales_linear_align_corners": "aligns with the rounded size",
  ]

  private(set) var passed = 0
  private var divergent = 0
  private(set) var failures: [String] = []
  private var unsupported: [(name: String, reason: String)] = []

  mutating func add(_ name: String, _ outcome: NodeTestOutcome) {
    switch outcome {
    case .passed: passed += 1
    case .unsupported(let reason) where Self.refusals.keys.contains { reason.contains($0) }:
      unsupported.append((name, reason))
    case .unsupported(let reason): failures.append("\(name): \(reason)")
    case .failed where Self.divergences[name] != nil: divergent += 1
    case .failed(let reason): failures.append("\(name): \(reason)")
    }
  }

  var summary: String {
    var lines = unsupported.map { "unsupported  \($0.name): \($0.reason)" }
    lines += failures.map { "failed       \($0)" }
    lines.append(
      "passed \(passed), unsupported \(unsupported.count), divergent \(divergent), failed \(failures.count)")
    return lines.joined(separator: "\n")
  }
}

/// One folder of the suite: a model, and inputs and outputs as serialized tensors.
struct NodeTestCase {
  let path: String

  func run() -> NodeTestOutcome {
    do {
      var model = try ONNXModel(contentsOf: "\(path)/model.onnx")
      // Cases that are refused by their operators may have tensors that cannot be read.
      do throws(ONNXError) {
        _ = try ONNXImporter().load(model)
      } catch  where error.code == .unsupported && error.node == nil {
        return .unsupported(error.description)
      } catch {}
      let inputs = try tensors("input", model.graph.inputs.map(\.name))
      let outputs = model.graph.outputs.map(\.name)
      let imported = try load(&model, inputs)
      let expected = try tensors("output", outputs)
      try imported.graph.verify()
      let actual = try imported.graph.evaluate(inputs)
      for (name, tensor) in expected.sorted(by: { $0.key < $1.key }) {
        guard model.graph.outputs.contains(where: { $0.name == name }) else { continue }
        guard let found = actual[name] else { return .failed("no output '\(name)'") }
        if let difference = found.difference(from: tensor) { return .failed("'\(name)': \(difference)") }
      }
      return .passed
    } catch let error as ONNXError where error.code == .unsupported {
      return .unsupported(error.description)
    } catch {
      return .failed("\(error)")
    }
  }

  /// Does what the importer's refusals ask for: drops secondary outputs that it does not compute, and binds inputs
  /// whose values it must know as constants.
  private func load(_ model: inout ONNXModel, _ inputs: [String: Tensor]) throws -> ImportedModel {
    var options = ONNXImporter.Options()
    options.shapes = inputs.mapValues(\.shape)
    while true {
      do throws(ONNXError) {
        return try ONNXImporter(options).load(model)
      } catch {
        guard error.code == .unsupported, let name = error.tensor else { throw error }
        if model.graph.outputs.count > 1,
          let index = model.graph.outputs.firstIndex(where: { $0.name == name })
        {
          model.graph.outputs.remove(at: index)
        } else if options.constants[name] == nil, let tensor = inputs[name] {
          options.constants[name] = tensor
        } else {
          // The value is computed from inputs that hold shapes.
          let shapes = inputs.filter { $0.value.element.isInteger && options.constants[$0.key] == nil }
          guard !shapes.isEmpty else { throw error }
          options.constants.merge(shapes) { given, _ in given }
        }
      }
    }
  }

  private func tensors(_ kind: String, _ names: [String]) throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for (index, name) in names.enumerated() {
      let file = "\(path)/test_data_set_0/\(kind)_\(index).pb"
      guard let data = FileManager.default.contents(atPath: file) else { continue }
      tensors[name] = try serializedTensor(data)
    }
    return tensors
  }
}

/// The tensor in a file that holds nothing else: read as the only initializer of a model around it.
func serializedTensor(_ data: Data) throws -> Tensor {
  let graph = Wire().message(5, Wire(Array(data)))
  return try Wire().message(7, graph).read().graph.initializers[0].tensor()
}
