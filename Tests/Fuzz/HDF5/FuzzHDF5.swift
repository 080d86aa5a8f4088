import SepalHDF5
import SepalTensor

/// HDF5 bytes to every object, attribute and element in them, or a refusal of each.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  let storage = TensorStorage(byteCount: count) { $0.copyMemory(from: bytes) }
  guard let file = try? HDF5File(storage) else { return 0 }
  var pending = [HDF5Object.group(file.root)]
  // Links may lead back.
  var visited: Set<Int> = []
  while let object = pending.popLast(), visited.count < 200 {
    switch object {
    case .group(let group):
      guard visited.insert(group.address).inserted else { continue }
      for name in (try? group.attributeNames()) ?? [] { read(try? group.attribute(name)) }
      for name in (try? group.linkNames()) ?? [] {
        if let child = try? group.object(name) { pending.append(child) }
      }
    case .dataset(let dataset):
      guard visited.insert(dataset.address).inserted else { continue }
      for name in (try? dataset.attributeNames()) ?? [] { read(try? dataset.attribute(name)) }
      if let tensor = try? dataset.tensor() { precondition(tensor.shape == dataset.shape) }
      _ = try? dataset.strings()
    }
  }
  return 0
}

private func read(_ attribute: HDF5Attribute?) {
  guard let attribute else { return }
  if let tensor = try? attribute.tensor() { precondition(tensor.shape == attribute.shape) }
  _ = try? attribute.strings()
}
