import SepalNumpy
import SepalTensor
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `fixtures/numpy`, written by numpy: see `fixtures/generators/make_numpy.py`. Every readable array counts up in
/// row-major order.
func fixture(_ name: String, from file: StaticString = #filePath) -> String {
  let root = "\(file)".split(separator: "/").dropLast(3).joined(separator: "/")
  return "/\(root)/fixtures/numpy/\(name)"
}

struct NumpyFileTests {
  @Test(arguments: ElementType.allCases.filter { $0 != .bfloat16 }, ["", "_fortran", "_bigendian"])
  func everyTypeIsReadInEveryOrder(element: ElementType, order: String) throws {
    let array = try #require(try NumpyFile.read(path: fixture("\(element)\(order)_2x3.npy"))[""])
    #expect(array.type == TensorType(element, [2, 3]))
    #expect(array.doubles() == (0..<6).map { element == .bool ? min(Double($0), 1) : Double($0) })
  }

  static let shapes: [(String, [Int])] = [
    ("scalar", []), ("empty_0x3", [0, 3]), ("version2_2x3", [2, 3]), ("version3_2x3", [2, 3]),
  ]

  @Test(arguments: shapes)
  func everyShapeAndVersionIsRead(name: String, shape: [Int]) throws {
    let array = try #require(try NumpyFile.read(path: fixture("float32_\(name).npy"))[""])
    #expect(array.shape == shape)
    #expect(array.doubles() == (0..<array.count).map(Double.init))
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "savez_zip64.npz"])
  func archivesAreRead(name: String) throws {
    let arrays = try NumpyFile.read(path: fixture(name))
    #expect(arrays["a"]?.type == TensorType(.float32, [2, 3]))
    #expect(arrays["a"]?.doubles() == [0, 1, 2, 3, 4, 5])
    if name != "savez_zip64.npz" { #expect(arrays["b/c"]?.integers() == [0, 1, 2, 3]) }
  }

  @Test(arguments: [
    ("object.npy", NumpyError.Code.unsupported), ("structured.npy", .unsupported), ("empty.npy", .malformed),
    ("not_numpy.npy", .malformed), ("truncated_header.npy", .malformed), ("truncated_data.npy", .malformed),
    ("huge_shape.npy", .malformed), ("negative_shape.npy", .malformed), ("truncated.npz", .malformed),
    ("bad_crc.npz", .malformed),
  ])
  func brokenAndOtherFilesAreRefused(name: String, code: NumpyError.Code) {
    let error = #expect(throws: NumpyError.self) { try NumpyFile.read(path: fixture(name)) }
    #expect(error?.code == code, "\(String(describing: error))")
    #expect(error?.description.contains(name) == true)
  }

  @Test func readingGivesBackWhatWasWritten() throws {
    let path = "/tmp/sepal-numpy-\(getpid()).npz"
    defer { unlink(path) }
    let arrays = ElementType.allCases.filter { $0 != .bfloat16 }.map { element in
      (name: "\(element)", tensor: Tensor(element, [2, 2], doubles: [0, 1, 1, 0]))
    }
    try NumpyFile.write(arrays, to: path)
    let read = try NumpyFile.read(path: path)
    for (name, tensor) in arrays { #expect(read[name]?.isIdentical(to: tensor) == true, "\(name)") }
    try NumpyFile.write(arrays[0].tensor, to: path)
    #expect(try NumpyFile.read(path: path)[""]?.isIdentical(to: arrays[0].tensor) == true)
  }

  @Test(arguments: ["float32_bigendian_2x3.npy", "deflated.npz", "stored.npz"])
  func brokenFilesAreRefusedAndNeverTrap(name: String) throws {
    let file = try TensorStorage.mapping(path: fixture(name))
    let original = withExtendedLifetime(file) { Array(file.bytes) }
    for count in 0..<original.count {
      #expect(throws: NumpyError.self, "prefix of \(count) bytes") {
        try NumpyFile.read(storage(original[..<count]))
      }
    }
    var state: UInt64 = 1
    for _ in 0..<10_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var bytes = original[...]
      bytes[Int(state >> 33) % bytes.count] ^= UInt8(truncatingIfNeeded: state >> 20) | 1
      _ = try? NumpyFile.read(storage(bytes))
    }
  }

  private func storage(_ bytes: ArraySlice<UInt8>) -> TensorStorage {
    TensorStorage(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
  }
}
