import SepalTensor

/// The elements of a dataset or an attribute, of any datatype and layout.
struct StoredElements: Sendable {
  enum Source: Sendable {
    /// In order in the file.
    case stored(Extent)
    case chunked(ChunkedData)
    /// Nothing but the fill value.
    case unwritten
  }

  let file: FileBytes
  let datatype: HDF5Datatype
  let dataspace: Dataspace
  let source: Source
  let fill: FillValue
  /// The dataset; nil for attributes, whose data is a part of what describes their object.
  let owner: StoredObject?

  private func byteCount() throws(HDF5Error) -> Int {
    let size = datatype.storedSize(in: file)
    return try dataspace.count(elementSize: size) * size
  }

  func tensor() throws(HDF5Error) -> Tensor {
    guard case .number(let element, let order) = datatype else {
      throw HDF5Error(.mismatch, "holds strings, which no tensor does")
    }
    let type = TensorType(element, dataspace.shape)
    let count = try byteCount()
    if case .stored(let bytes) = source, order == .littleEndian {
      try owner?.account(stored: count, declared: count)
      return Tensor(
        type, storage: bytes.file.storage, byteOffset: bytes.file.origin + bytes.range.lowerBound)
    }
    let storage = try assembled(count) { bytes in
      if order == .bigEndian { swapBytes(bytes, elementSize: element.size) }
    }
    return Tensor(type, storage: storage)
  }

  func strings() throws(HDF5Error) -> [String] {
    guard datatype.element == nil else { throw HDF5Error(.mismatch, "holds \(datatype), expected strings") }
    let size = datatype.storedSize(in: file)
    let count = try dataspace.count(elementSize: size)
    // A string in memory is larger than the shortest element that compression lets stand for one.
    guard count <= max(1 << 20, file.count) else {
      throw HDF5Error(.malformed, "has \(count) strings, more than the bytes of the file")
    }
    if case .stored(let bytes) = source {
      try owner?.account(stored: count * size, declared: count * size)
      return try decode(bytes.bytes, count, size)
    }
    let storage = try assembled(count * size) { _ in }
    defer { withExtendedLifetime(storage) {} }
    return try decode(storage.bytes, count, size)
  }

  private func decode(
    _ bytes: UnsafeRawBufferPointer, _ count: Int, _ size: Int
  ) throws(HDF5Error) -> [String] {
    var strings: [String] = []
    strings.reserveCapacity(count)
    var heap = GlobalHeap(file)
    for start in stride(from: 0, to: count * size, by: size) {
      let element = UnsafeRawBufferPointer(rebasing: bytes[start..<start + size])
      if case .fixedString(_, let padding) = datatype {
        strings.append(try decodeText(element, padding))
      } else {
        strings.append(try heap.string(element))
      }
    }
    return strings
  }

  /// All elements in memory as they are stored, then changed by `finish`.
  private func assembled(
    _ count: Int, finish: (UnsafeMutableRawBufferPointer) -> Void
  ) throws(HDF5Error) -> TensorStorage {
    guard count > 0 else { return TensorStorage(byteCount: 0) { _ in } }
    let survey: (storedBytes: Int, isComplete: Bool)
    switch source {
    case .stored: survey = (count, true)
    case .chunked(let chunks): survey = try chunks.survey()
    case .unwritten:
      guard fill.isDefined else {
        throw HDF5Error(.unsupported, "has never been written, and has no fill value to read instead")
      }
      survey = (0, false)
    }
    try owner?.account(stored: survey.storedBytes, declared: count)
    return try TensorStorage(byteCount: count) { (bytes) throws(HDF5Error) in
      if !survey.isComplete, let element = fill.element { repeatElement(element.bytes, over: bytes) }
      switch source {
      case .stored(let source): bytes.copyMemory(from: source.bytes)
      case .chunked(let chunks): try chunks.read(into: bytes)
      case .unwritten: break
      }
      finish(bytes)
    }
  }
}

private func repeatElement(_ element: UnsafeRawBufferPointer, over bytes: UnsafeMutableRawBufferPointer) {
  guard element.contains(where: { $0 != 0 }) else { return }
  for start in stride(from: 0, to: bytes.count, by: element.count) {
    UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + element.count]).copyMemory(from: element)
  }
}

private func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, elementSize: Int) {
  func swap<Word: FixedWidthInteger & BitwiseCopyable>(_: Word.Type) {
    for offset in stride(from: 0, to: bytes.count, by: MemoryLayout<Word>.size) {
      let word = bytes.load(fromByteOffset: offset, as: Word.self)
      bytes.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: Word.self)
    }
  }
  switch elementSize {
  case 2: swap(UInt16.self)
  case 4: swap(UInt32.self)
  case 8: swap(UInt64.self)
  default: break
  }
}
