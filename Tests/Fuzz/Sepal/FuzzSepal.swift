import SepalFormat
import SepalGraph
import SepalTensor

/// `.sepal` bytes to a graph that verifies, or a refusal.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  let storage = TensorStorage(byteCount: count) { $0.copyMemory(from: bytes) }
  guard let graph = try? SepalReader().read(storage) else { return 0 }
  do {
    try graph.verify()
  } catch {
    fatalError("an illegal graph was read: \(error)")
  }
  return 0
}
