import SepalGraph
import SepalONNX
import SepalPasses
import SepalRuntime
import SepalTensor

/// ONNX bytes to an optimised graph and a plan to run it, or a refusal.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  let storage = TensorStorage(byteCount: count) { $0.copyMemory(from: bytes) }
  guard let model = try? ONNXModel(storage, folder: nil), let imported = try? ONNXImporter().load(model)
  else { return 0 }
  // What is large is slow, and no more likely to be wrong.
  let size = imported.graph.values.reduce(0) { $0 + min($1.type.byteCount, 1 << 30) }
  guard size < 1 << 22 else { return 0 }
  var graph = imported.graph
  var options = Optimizer.Options()
  options.verifyEachRewrite = true
  do {
    _ = try Optimizer(options).run(&graph)
  } catch {
    fatalError("a legal graph was not optimised: \(error)")
  }
  _ = try? Model(graph)
  return 0
}
