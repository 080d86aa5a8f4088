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
  }

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
