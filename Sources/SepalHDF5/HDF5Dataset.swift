import SepalTensor

/// An array of numbers or strings.
public struct HDF5Dataset: Sendable {
  private let object: StoredObject
  private let elements: StoredElements

  init(_ object: StoredObject) throws(HDF5Error) {
    self.object = object
    elements = try placing(object.path) { () throws(HDF5Error) in try Self.elements(of: object) }
  }

  /// From the root: `/model_weights/conv1/conv1/kernel`.
  public var path: String { object.path }

  /// Where its header is in the file: the same for every link to this dataset, and for no other object.
  public var address: Int { object.address }

  public var datatype: HDF5Datatype { elements.datatype }

  /// Sizes, slowest dimension first; empty for a scalar, `[0]` for a null dataspace.
  public var shape: [Int] { elements.dataspace.shape }

  /// Whether it has no extent at all, which HDF5 tells from an extent of 0.
  public var isNull: Bool { elements.dataspace.isNull }

  /// The numbers. What is stored little-endian and in one piece is a view of the file; anything else is a copy.
  ///
  /// Elements that were never written are the fill value, or 0 where none is defined.
  public func tensor() throws(HDF5Error) -> Tensor {
    try placing(path) { () throws(HDF5Error) in try elements.tensor() }
  }

  /// The strings in row-major order, without their padding. Text that is not UTF-8 is an error.
  public func strings() throws(HDF5Error) -> [String] {
    try placing(path) { () throws(HDF5Error) in try elements.strings() }
  }

  /// The names of all attributes, in the order in which they are stored.
  public func attributeNames() throws(HDF5Error) -> [String] { try object.attributeNames() }

  /// The attribute of this name; nil where there is none.
  public func attribute(_ name: String) throws(HDF5Error) -> HDF5Attribute? { try object.attribute(name) }

  private static func elements(of object: StoredObject) throws(HDF5Error) -> StoredElements {
    let (file, header) = (object.file, object.contents.header)
    guard header.first(.externalFiles) == nil else {
      throw HDF5Error(.unsupported, "keeps its data in other files (external storage)")
    }
    let layout = try DataLayout(try header.required(.layout))
    let dataspace = try Dataspace(try header.required(.dataspace))
    let datatype = try HDF5Datatype(try header.required(.datatype)) {
      (size) throws(HDF5Error) in
      // Keras stores bfloat16, which h5py has no type for, as two opaque bytes with this attribute.
      let name = size == 2 ? try object.attribute("dtype")?.strings() : nil
      return name == ["bfloat16"] ? .bfloat16 : nil
    }
    let elementSize = datatype.storedSize(in: file)
    let byteCount = try dataspace.count(elementSize: elementSize) * elementSize
    let source: StoredElements.Source
    switch layout {
    case .compact(let bytes):
      guard bytes.range.count >= byteCount else { throw tooShort(bytes.range.count, byteCount) }
      source = .stored(bytes.prefix(byteCount))
    case .contiguous(nil, _): source = .unwritten
    case .contiguous(let address?, let count):
      guard count >= byteCount else { throw tooShort(count, byteCount) }
      let range = try file.range(at: address, count: byteCount, of: "data")
      source = .stored(Extent(file: file, range: range))
    case .chunked(let layout):
      let pipeline = try header.first(.filterPipeline).map { (message) throws(HDF5Error) in
        try FilterPipeline(try message.cursor())
      }
      let chunks = try ChunkedData(
        file, layout, pipeline ?? FilterPipeline(), dataspace, elementSize: elementSize)
      source = layout.address == nil ? .unwritten : .chunked(chunks)
    }
    return StoredElements(
      file: file, datatype: datatype, dataspace: dataspace, source: source,
      fill: try FillValue.read(header, elementSize: elementSize), owner: object)
  }

  private static func tooShort(_ stored: Int, _ expected: Int) -> HDF5Error {
    HDF5Error(.malformed, "has \(stored) bytes of data, expected \(expected) for its shape")
  }
}
