import CProtobufC

/// Builds protobuf-c messages: memory for structs, strings and arrays that lives until the message is packed.
final class MessageArena {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  func string(_ text: String) -> UnsafeMutablePointer<CChar>? {
    let bytes = text.utf8CString
    let copy = allocate(CChar.self, bytes.count)
    for (index, byte) in bytes.enumerated() { copy[index] = byte }
    return copy
  }

  func array<T: BitwiseCopyable>(_ items: [T]) -> UnsafeMutablePointer<T>? {
    guard !items.isEmpty else { return nil }
    let copy = allocate(T.self, items.count)
    copy.initialize(from: items, count: items.count)
    return copy
  }

  func data(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    ProtobufCBinaryData(len: bytes.count, data: array(bytes))
  }

  func strings(_ items: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    array(items.map { string($0) })
  }

  /// A message in its initial state with `fill` applied.
  func message<T>(
    _ initialize: (UnsafeMutablePointer<T>?) -> Void, _ fill: (inout T) -> Void
  ) -> UnsafeMutablePointer<T>? {
    let block = allocate(T.self, 1)
    initialize(block)
    fill(&block.pointee)
    return block
  }

  private func allocate<T>(_: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
    let pointer = UnsafeMutablePointer<T>.allocate(capacity: count)
    blocks.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  /// The wire bytes of `message`, whose first member is its `ProtobufCMessage`.
  static func pack<T>(_ message: UnsafeMutablePointer<T>?) -> [UInt8] {
    guard let message else { return [] }
    return message.withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { base in
      [UInt8](unsafeUninitializedCapacity: protobuf_c_message_get_packed_size(base)) { buffer, count in
        count = protobuf_c_message_pack(base, buffer.baseAddress)
      }
    }
  }
}
