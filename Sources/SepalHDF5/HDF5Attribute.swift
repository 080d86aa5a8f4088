import SepalTensor

/// A small named array beside a group or a dataset.
public struct HDF5Attribute: Sendable {
  public let name: String
  private let elements: StoredElements
  /// For errors: the object, and the attribute's name.
  private let place: String

  init(_ file: FileBytes, _ record: AttributeRecord, of path: String) throws(HDF5Error) {
    name = record.name
    let place = "\(path)@\(record.name)"
    self.place = place
    elements = try placing(place) { () throws(HDF5Error) in
      let datatype = try HDF5Datatype(Cursor(try record.datatype.get(), "a datatype"))
      let dataspace = try Dataspace(Cursor(try record.dataspace.get(), "a dataspace"))
      let size = datatype.storedSize(in: file)
      let byteCount = try dataspace.count(elementSize: size) * size
      guard record.data.range.count >= byteCount else {
        throw HDF5Error(
          .malformed, "has \(record.data.range.count) bytes of data, expected \(byteCount) for its shape")
      }
      return StoredElements(
        file: file, datatype: datatype, dataspace: dataspace, source: .stored(record.data.prefix(byteCount)),
        fill: .zeros, owner: nil)
    }
  }

  public var datatype: HDF5Datatype { elements.datatype }

  /// Sizes, slowest dimension first; empty for a scalar, `[0]` for a null dataspace.
  public var shape: [Int] { elements.dataspace.shape }

  /// Whether it has no extent at all, which HDF5 tells from an extent of 0.
  public var isNull: Bool { elements.dataspace.isNull }

  /// The numbers; little-endian ones are a view of the file.
  public func tensor() throws(HDF5Error) -> Tensor {
    try placing(place) { () throws(HDF5Error) in try elements.tensor() }
  }

  /// The strings in row-major order, without their padding. Text that is not UTF-8 is an error.
  public func strings() throws(HDF5Error) -> [String] {
    try placing(place) { () throws(HDF5Error) in try elements.strings() }
  }
}
