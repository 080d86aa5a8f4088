import SepalGraph
import SepalKeras
import SepalTensor

/// Whole Keras models, `.keras` or `.h5`, to a graph that verifies, or a refusal.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  let storage = TensorStorage(byteCount: count) { $0.copyMemory(from: bytes) }
  guard let imported = try? KerasImporter().load(storage) else { return 0 }
  do {
    try imported.graph.verify()
  } catch {
    fatalError("an illegal graph was imported: \(error)")
  }
  return 0
}
