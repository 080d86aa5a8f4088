import SepalONNX
import SepalTensor

/// ONNX bytes to a graph that verifies, or a refusal. External data is out of reach.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  let storage = TensorStorage(byteCount: count) { $0.copyMemory(from: bytes) }
  guard let model = try? ONNXModel(storage, folder: nil) else { return 0 }
  for initializer in model.graph.initializers { _ = try? initializer.tensor() }
  guard let imported = try? ONNXImporter().load(model) else { return 0 }
  do {
    try imported.graph.verify()
  } catch {
    fatalError("an illegal graph was imported: \(error)")
  }
  return 0
}
