import SepalZip
import Testing

/// Archives that are made to be misread, or to inflate without end.
struct HostileArchiveTests {
  private static let deflatedZeros: [UInt8] = {
    // A raw stream without the zlib stream's header and checksum.
    let zeros = [UInt8](repeating: 0, count: 100_000)
    return zeros.withUnsafeBytes { Zlib.deflate($0) }.map { Array($0.dropFirst(2).dropLast(4)) } ?? []
  }()

  private func refusal(_ archive: Archive, limits: ZipArchive.Limits = .init()) -> ZipError? {
    #expect(throws: ZipError.self) { try archive.opened(limits: limits) }
  }

  @Test func aBombIsRefusedBeforeItIsInflated() throws {
    let stream = Self.deflatedZeros
    #expect(!stream.isEmpty && stream.count < 1000)
    let bomb = Archive(members: [
      .init(
        name: "zeros", bytes: stream, method: 8, size: 100_000,
        checksum: Zlib.crc32([UInt8](repeating: 0, count: 100_000)))
    ])
    let error = try #require(refusal(bomb))
    #expect(error.code == .limit && error.member == "zeros")
    var limits = ZipArchive.Limits()
    limits.ratio = ZipArchive.Limits.maximumRatio
    #expect(try bomb.opened(limits: limits).bytes("zeros")?.count == 100_000)
    limits.memberSize = 99_999
    #expect(refusal(bomb, limits: limits)?.code == .limit)
    limits.memberSize = 100_000
    limits.totalSize = 99_999
    #expect(refusal(bomb, limits: limits)?.code == .limit)
  }

  @Test func aMemberThatHoldsMoreThanItSaysIsRefused() throws {
    let archive = try Archive(members: [
      .init(name: "zeros", bytes: Self.deflatedZeros, method: 8, size: 1000)
    ]).opened()
    let member = try #require(archive["zeros"])
    #expect(throws: ZipError(.limit, member: "zeros", "inflates to more than 1000 bytes")) {
      try archive.contents(of: member)
    }
  }

  @Test(arguments: [Int.max, Int.max - 1, 1 << 62, -1])
  func sizesThatOverflowAreRefused(size: Int) throws {
    var limits = ZipArchive.Limits()
    limits.memberSize = .max
    for method in [0, 8] {
      let archive = Archive(members: [
        .init(name: "a", bytes: [1, 2, 3]),
        .init(name: "b", bytes: [1, 2, 3], method: method, size: size, isLarge: true),
      ])
      #expect(refusal(archive, limits: limits)?.member == "b", "size \(size), method \(method)")
    }
  }

  @Test func membersThatShareBytesAreRefused() {
    let error = refusal(
      Archive(members: [
        .init(name: "a", bytes: [1, 2, 3]), .init(name: "b", bytes: [1, 2, 3], offset: 0),
      ]))
    // The shared header can only have one of the names.
    #expect(error?.message == "has a header that disagrees with the directory")
    // A member whose bytes are the header and bytes of another.
    let inner = Archive(members: [.init(name: "inner", bytes: [UInt8](repeating: 7, count: 64))])
    let innerHeader = Array(inner.bytes.prefix(30 + 5 + 64))
    var outer = Archive(members: [.init(name: "outer", bytes: innerHeader)])
    outer.members.append(
      .init(name: "inner", bytes: [UInt8](repeating: 7, count: 64), offset: 30 + 5))
    #expect(refusal(outer)?.message == "has members that share bytes: 'outer' and 'inner'")
  }

  @Test func namesThatOccurTwiceAreRefused() {
    #expect(
      refusal(Archive(members: [.init(name: "a", bytes: [1]), .init(name: "a", bytes: [2])]))?.message
        == "has two members named 'a'")
    // Composed and decomposed forms are the same name.
    #expect(
      refusal(Archive(members: [.init(name: "\u{E9}", bytes: [1]), .init(name: "e\u{301}", bytes: [2])]))?
        .message == "has two members named 'e\u{301}'")
  }

  @Test func aHeaderThatDisagreesWithTheDirectoryIsRefused() {
    let error = refusal(Archive(members: [.init(name: "config.json", bytes: [1], localName: "confiG.json")]))
    #expect(
      error == ZipError(.malformed, member: "config.json", "has a header that disagrees with the directory"))
  }

  static let outside = [
    "/etc/passwd", "../a", "a/../b", "a/..", "..", "C:/a", "C:a", "\\a", "..\\a", "a\\..\\b",
  ]

  @Test(arguments: outside)
  func namesThatLeadOutsideAreRefusedUnlessAllowed(name: String) throws {
    let archive = Archive(members: [.init(name: name, bytes: [1])])
    #expect(refusal(archive)?.message == "has a name that leads outside of the archive")
    var limits = ZipArchive.Limits()
    limits.allowsOutsideNames = true
    #expect(try archive.opened(limits: limits).bytes(name) == [1])
  }

  @Test(arguments: ["", "a\0b", "config.json\0.png"])
  func emptyNamesAndZeroBytesAreAlwaysRefused(name: String) {
    var limits = ZipArchive.Limits()
    limits.allowsOutsideNames = true
    #expect(refusal(Archive(members: [.init(name: name, bytes: [1])]), limits: limits)?.code == .malformed)
  }

  @Test(arguments: ["..a/b", "a..", "a/b.c/..d", "a/./b", "layers:1/x"])
  func namesThatOnlyLookLikeItAreRead(name: String) throws {
    #expect(try Archive(members: [.init(name: "x/" + name, bytes: [1])]).opened().bytes("x/" + name) == [1])
  }

  @Test(arguments: [0x1, 0x41, 0x2000])
  func encryptedMembersAreUnsupportedByName(flags: Int) throws {
    let archive = try Archive(members: [
      .init(name: "plain", bytes: [1]), .init(name: "secret", bytes: [1], flags: flags),
    ]).opened()
    #expect(try archive.bytes("plain") == [1])
    #expect(throws: ZipError(.unsupported, member: "secret", "is encrypted")) { try archive.bytes("secret") }
  }

  @Test func otherMethodsAreUnsupportedByName() throws {
    let archive = try ZipArchive(storage(ZipArchiveTests.fixture("bzip2")))
    #expect(
      throws: ZipError(.unsupported, member: "config.json", "is compressed by method 12, expected deflate")
    ) { try archive.bytes("config.json") }
  }

  @Test func wrongChecksumsAndSizesAreRefusedWhenRead() throws {
    let archive = try Archive(members: [
      .init(name: "sum", bytes: [1], checksum: 1), .init(name: "sizes", bytes: [1, 2], size: 1),
    ]).opened()
    #expect(throws: ZipError(.malformed, member: "sum", "does not match its checksum")) {
      try archive.bytes("sum")
    }
    #expect(throws: ZipError(.malformed, member: "sizes", "has two sizes")) { try archive.bytes("sizes") }
  }

  @Test func endRecordsThatLieAreRefused() {
    let members: [Archive.Member] = [.init(name: "a", bytes: [1])]
    #expect(refusal(Archive(members: members, disk: 1))?.code == .unsupported)
    #expect(refusal(Archive(members: members, disk: 1, isLarge: true))?.code == .unsupported)
    #expect(refusal(Archive(members: members, count: 2))?.code == .malformed)
    #expect(refusal(Archive(members: members, count: 0))?.code == .malformed)
    for shift in [1, -1, 1000, -1000, Int.max >> 1] {
      for isLarge in [false, true] {
        let archive = Archive(members: members, directoryShift: shift, isLarge: isLarge)
        #expect(refusal(archive)?.code == .malformed, "shifted by \(shift)")
      }
    }
    for count in [Int.max, -1] {
      #expect(refusal(Archive(members: members, count: count, isLarge: true))?.code == .malformed)
    }
  }

  @Test func bytesAfterTheEndAreRefused() {
    #expect(throws: ZipError(.malformed, "has no end record: it is cut off")) {
      try ZipArchive(storage(Archive(members: []).bytes + [0]))
    }
  }
}
