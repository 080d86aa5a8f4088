import SepalHDF5
import SepalTensor
import Testing

/// Over every link, dataset and attribute that h5py wrote, the reader agrees with what h5py read back, or refuses by name.
struct CorpusTests {
  /// The whole of what the reader does not support, in the words of its errors.
  static let unsupported: Set<[String]> = [
    ["soft link"], ["external link"], ["external storage"], ["virtual"],
    ["committed"], ["compound"], ["reference"], ["opaque"], ["array"], ["time"], ["bit field"],

    ["variable-length"], ["integers"], ["floating-point"], ["filter", "lzf"], ["filter", "szip"],
    ["filter", "nbit"], ["filter", "scale-offset"],
  ]

  @Test(arguments: Corpus.names)
  func everythingEqualsWhatH5pyRead(name: String) throws {
    var comparison = try Comparison(name)
    try comparison.run(HDF5File(Corpus.bytes(name).storage))
  }

  @Test func theCorpusHasEveryUnsupportedFeatureAndThousandsOfOthers() throws {
    var (refusals, links, values) = (Set<[String]>(), 0, 0)
    for name in Corpus.names {
      for object in try Corpus.expectations(name).values {
        let attributes = object.attributes ?? [:]
        links += object.linkDigest?.count ?? object.links?.count ?? 0
        values += (object.kind == "dataset" ? 1 : 0) + (object.attributeDigest?.count ?? attributes.count)
        for case .unsupported(let words) in (object.links ?? [:]).values { refusals.insert(words) }
        for case let words? in [object.unsupported] + attributes.values.map(\.unsupported) {
          refusals.insert(words)
        }
      }
    }
    #expect(refusals == Self.unsupported)
    #expect(links > 25_000 && values > 12_000, "\(links) links, \(values) datasets and attributes")
  }

  @Test(arguments: ["keras_weights", "user_block", "continuations_latest"])
  func aMappedFileIsReadAsFromMemory(name: String) throws {
    var comparison = try Comparison(name)
    try comparison.run(HDF5File(path: Corpus.folder.appendingPathComponent("\(name).h5").path))
  }

  @Test func aFileInsideOfAnotherIsReadByItsRange() throws {
    let bytes = try Corpus.bytes("keras_weights")
    let storage = ([UInt8](repeating: 7, count: 41) + bytes + [1, 2, 3]).storage
    var comparison = try Comparison("keras_weights")
    try comparison.run(HDF5File(storage, range: 41..<41 + bytes.count))
  }

  @Test func littleEndianDataIsAViewOfTheFile() throws {
    let storage = try Corpus.bytes("types_earliest").storage
    let root = try HDF5File(storage).root
    #expect(try root.dataset("rank2/le_f4").tensor().storage === storage)
    #expect(try root.group("rank2").attribute("le_f4")?.tensor().storage === storage)
    #expect(try root.dataset("rank2/be_f4").tensor().storage !== storage)
  }

  @Test func lookingUpAsTheWrongKindIsAMismatchAndNothingIsMissing() throws {
    let root = try HDF5File(Corpus.bytes("hard_links").storage).root
    func code(_ body: () throws -> Void) -> HDF5Error.Code? {
      #expect(throws: HDF5Error.self, performing: body)?.code
    }
    #expect(code { _ = try root.dataset("a/b") } == .mismatch)
    #expect(code { _ = try root.group("same") } == .mismatch)
    #expect(code { _ = try root.dataset("a/nothing") } == .missing)
    #expect(code { _ = try root.group("a/b/x/y") } == .missing)
    #expect(try root.object("a/b/x/y") == nil)
  }
}
