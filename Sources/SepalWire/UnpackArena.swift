import CProtobufC

/// The memory that protobuf-c unpacks one message into: sized beforehand, released all at once.
///
/// A request beyond the capacity is refused, which protobuf-c reports as a failure to unpack; whatever it
/// does, it cannot allocate more than the scanner has counted.
package final class UnpackArena {
  package static let alignment = 16

  private var memory: UnsafeMutableRawBufferPointer
  private var used = 0

  package init() {
    memory = .allocate(byteCount: 4096, alignment: Self.alignment)
  }

  deinit {
    memory.deallocate()
  }

  /// Unpacks `bytes` for as long as `body` runs; nil when protobuf-c refuses them.
  /// `Message` is the struct that belongs to `schema`.
  package func unpack<Message, Result, Failure: Error>(
    _ bytes: [UInt8], as schema: UnsafePointer<ProtobufCMessageDescriptor>, _: Message.Type, capacity: Int,
    _ body: (Message) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    reset(capacity: capacity)
    var allocator = ProtobufCAllocator(
      alloc: { arena, size in
        guard let arena else { return nil }
        return Unmanaged<UnpackArena>.fromOpaque(arena).takeUnretainedValue().allocate(size)
      },
      free: { _, _ in },
      allocator_data: Unmanaged.passUnretained(self).toOpaque())
    let unpacked = bytes.withUnsafeBufferPointer { buffer in
      protobuf_c_message_unpack(schema, &allocator, buffer.count, buffer.baseAddress)
    }
    guard let unpacked else { return nil }
    return try body(UnsafeRawPointer(unpacked).assumingMemoryBound(to: Message.self).pointee)
  }

  private func reset(capacity: Int) {
    used = 0
    if memory.count < capacity {
      memory.deallocate()
      memory = .allocate(byteCount: capacity, alignment: Self.alignment)
    }
  }

  private func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    let aligned = (size + Self.alignment - 1) & ~(Self.alignment - 1)
    guard size <= memory.count, aligned <= memory.count - used, let start = memory.baseAddress else {
      return nil
    }
    defer { used += aligned }
    return start + used
  }
}
