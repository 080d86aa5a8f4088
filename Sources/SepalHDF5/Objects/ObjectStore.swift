import SepalTensor

/// What the headers of a file's objects say, each read once.
///
/// All of them claim their structures from one account: together they are read in time linear in the file, whatever
/// leads where, and however often a caller asks.
final class ObjectStore: Sendable {
  let file: FileBytes

  private struct State {
    var claims: Claims
    var shared: SharedMessages
    var contents: [Int: Result<ObjectContents, HDF5Error>] = [:]
    /// The datasets whose data has been accounted for.
    var datasets: Set<Int> = []
    /// What is stored for all of these, and what they declare beyond what that can stand for, in bytes.
    var stored = 0
    var unwritten = 0
  }

  /// What all datasets together may be of nothing but fill values, in bytes.
  private static let maximumUnwritten = 64 << 20

  private let state: Locked<State>

  init(_ file: FileBytes, _ shared: SharedMessages) {
    self.file = file
    state = Locked(State(claims: Claims(file), shared: shared))
  }

  func contents(at address: Int) throws(HDF5Error) -> ObjectContents {
    try state.withLock { (state) throws(HDF5Error) in
      if let known = state.contents[address] { return try known.get() }
      let contents = Result { () throws(HDF5Error) in
        try ObjectContents(file, at: address, &state.claims, &state.shared)
      }
      state.contents[address] = contents
      return try contents.get()
    }
  }

  /// Accounts for the data of the dataset at `address`, once: a small file can declare any size, and as many datasets
  /// of the same bytes as it has room for their headers.
  func account(_ address: Int, stored: Int, declared: Int) throws(HDF5Error) {
    try state.withLock { (state) throws(HDF5Error) in
      guard !state.datasets.contains(address) else { return }
      guard stored <= file.count - state.stored else {
        throw HDF5Error(.malformed, "has data that shares its bytes with others")
      }
      let unwritten = declared / maximumInflation <= stored ? 0 : declared - stored * maximumInflation
      guard unwritten <= Self.maximumUnwritten - state.unwritten else {
        throw HDF5Error(
          .malformed, "declares \(declared) bytes, of which \(stored) are stored: too few to be believed")
      }
      state.datasets.insert(address)
      state.stored += stored
      state.unwritten += unwritten
    }
  }
}

/// What is known of an object without its data.
struct ObjectContents: Sendable {
  let header: ObjectHeader
  /// An error that waits until attributes are asked for.
  let attributes: Result<AttributeTable, HDF5Error>
  /// The same for links; nil where the object is not a group.
  let links: Result<LinkTable, HDF5Error>?

  init(
    _ file: FileBytes, at address: Int, _ claims: inout Claims, _ shared: inout SharedMessages
  ) throws(HDF5Error) {
    let header = try ObjectHeader(file, at: address, &claims, &shared)
    self.header = header
    attributes = Result { () throws(HDF5Error) in
      try AttributeTable.read(file, header, &claims, &shared)
    }
    let isGroup = [.symbolTable, .linkInfo, .link].contains { header.first($0) != nil }
    links =
      isGroup ? Result { () throws(HDF5Error) in try LinkTable.read(file, header, &claims) } : nil
  }
}
