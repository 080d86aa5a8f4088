import Foundation
import SepalGraph
import SepalNumpy
import SepalONNX
import SepalTensor
import Testing

/// Imports `path`.onnx and compares its reference evaluation with what `path`.npz recorded.
func expectRecordedOutputs(
  _ path: String, tolerance: Double, relativeToLargest: Bool = false
) throws {
  let arrays = try NumpyFile.read(path: "\(path).npz")
  let inputs = arrays.filter { !$0.key.hasPrefix("out:") }
  let graph = try ONNXImporter(.init(shapes: inputs.mapValues(\.shape))).load(path: "\(path).onnx").graph
  try graph.verify()
  let outputs = try graph.evaluate(inputs)
  #expect(outputs.count == arrays.count - inputs.count)
  for (output, tensor) in outputs {
    let expected = try #require(arrays["out:\(output)"], "no recorded '\(output)'")
    let magnitude = relativeToLargest ? expected.doubles().map(abs).max() ?? 1 : 1
    let difference = tensor.difference(from: expected, tolerance: tolerance, magnitude: magnitude)
    #expect(difference == nil, "\(output)")
  }
}

/// A folder of `fixtures`, next to `Tests`.
func fixtures(_ folder: String) -> String {
  let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../fixtures").standardized
  return root.appendingPathComponent(folder).path
}

/// Names without their extension, sorted.
func files(in folder: String, withExtension suffix: String) -> [String] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  return names.filter { $0.hasSuffix(".\(suffix)") }.map { String($0.dropLast(suffix.count + 1)) }.sorted()
}
