import CProtobufC

/// Which fields hold bulk data that stays where it is instead of being copied.
package struct PayloadRule {
  package var schema: UnsafePointer<ProtobufCMessageDescriptor>
  /// The numbers of the fields, in messages of `schema`.
  package var fields: Set<UInt32>
  /// The one of `fields`, of type bytes, that carries the index of the payload instead.
  package var token: UInt32

  package init(schema: UnsafePointer<ProtobufCMessageDescriptor>, fields: Set<UInt32>, token: UInt32) {
    self.schema = schema
    self.fields = fields
    self.token = token
  }
}

/// Bytes of a payload inside the scanned bytes.
package struct PayloadPiece: Sendable, Equatable {
  /// The field's number.
  package var number: UInt32
  package var start: Int
  package var count: Int
  /// Each element is preceded by a one-byte tag: the unpacked form that readers must accept too.
  package var tagged: Bool
}
