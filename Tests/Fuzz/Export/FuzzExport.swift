import SepalGraph
import SepalONNX
import SepalPasses
import SepalTensor

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where this process writes; in memory where the system has such a folder.
private let path: String = {
  let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
  return "\(folder)/sepal-fuzz-\(getpid()).onnx"
}()

/// ONNX bytes to an optimised graph, to ONNX again and back, or a refusal. What was written must be read, with the same
/// inputs and outputs.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  let storage = TensorStorage(byteCount: count) { $0.copyMemory(from: bytes) }
  guard let model = try? ONNXModel(storage, folder: nil), let imported = try? ONNXImporter().load(model)
  else { return 0 }
  // What is large is slow, and no more likely to be wrong.
  let size = imported.graph.values.reduce(0) { $0 + min($1.type.byteCount, 1 << 30) }
  guard size < 1 << 20 else { return 0 }
  var graph = imported.graph
  defer { unlink(path) }
  do {
    try Optimizer().run(&graph)
    try Optimizer.export().run(&graph)
  } catch {
    fatalError("a legal graph was not optimised: \(error)")
  }
  var options = ONNXExporter.Options()
  options.opset = 21
  do {
    try ONNXExporter(options).write(graph, to: path)
  } catch {
    return 0
  }
  do {
    let copy = try ONNXImporter().load(path: path).graph
    guard copy.inputs.map({ copy.type(of: $0) }) == graph.inputs.map({ graph.type(of: $0) }),
      copy.outputs.map({ copy.type(of: $0.value) }) == graph.outputs.map({ graph.type(of: $0.value) })
    else { fatalError("other inputs or outputs came back") }
  } catch {
    fatalError("what was written is not read: \(error)")
  }
  return 0
}
