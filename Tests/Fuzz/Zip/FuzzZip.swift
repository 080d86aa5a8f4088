import SepalNumpy
import SepalTensor
import SepalZip

/// Archives to the bytes of their members, and to numpy arrays, or a refusal.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  let storage = TensorStorage(byteCount: count) { $0.copyMemory(from: bytes) }
  _ = try? NumpyFile.read(storage)
  guard let archive = try? ZipArchive(storage) else { return 0 }
  for member in archive.members {
    guard let (contents, range) = try? archive.contents(of: member) else { continue }
    precondition(range.count == member.size && range.upperBound <= contents.bytes.count)
  }
  return 0
}
