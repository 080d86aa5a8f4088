import SepalTensor
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct TensorTests {
  @Test func checkedCountRefusesWhatCannotBeAllocated() {
    #expect(TensorType.checkedCount([]) == 1)
    #expect(TensorType.checkedCount([2, 3, 4]) == 24)
    #expect(TensorType.checkedCount([2, 0, 4]) == 0)
    #expect(TensorType.checkedCount([2, -1]) == nil)
    #expect(TensorType.checkedCount([1 << 40, 1 << 40]) == nil)
    #expect(TensorType.checkedCount([1 << 60]) == nil)
    #expect(TensorType.checkedCount([1 << 60], elementSize: 1) == 1 << 60)
  }

  /// Strides are products of a few dimensions: a zero elsewhere must not let them overflow.
  @Test(arguments: [[0, .max, .max], [.max, 0, .max], [.max, .max, 0]])
  func checkedCountIsNotFooledByZeroDimensions(shape: [Int]) {
    #expect(TensorType.checkedCount(shape) == nil)
  }

  @Test func aViewStartsAnywhereAndKeepsItsOwner() {
    final class Owner: Sendable {}
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 9, alignment: 8)
    defer { bytes.deallocate() }
    bytes.storeBytes(of: Float(1.5), toByteOffset: 1, as: Float.self)
    bytes.storeBytes(of: Float(-2), toByteOffset: 5, as: Float.self)
    weak var released: Owner?
    do {
      let owner = Owner()
      released = owner
      let storage = TensorStorage(viewing: UnsafeRawBufferPointer(bytes), owner: owner)
      let x = Tensor(TensorType(.float32, [2]), storage: storage, byteOffset: 1)
      #expect(x.floats() == [1.5, -2])
      #expect(x.reshaped([1, 2, 1]).floats() == [1.5, -2])
      #expect(released != nil)
    }
    #expect(released == nil)
  }

  @Test func identityIsBitwise() {
    let zero = Tensor([1], floats: [0])
    #expect(zero.isIdentical(to: Tensor([1], floats: [0])))
    #expect(!zero.isIdentical(to: Tensor([1], floats: [-0.0])))
    #expect(!zero.isIdentical(to: Tensor([1, 1], floats: [0])))
    #expect(!zero.isIdentical(to: Tensor(.int32, [1], integers: [0])))
    let notANumber = Tensor([1], floats: [.nan])
    #expect(notANumber.isIdentical(to: Tensor([1], floats: [.nan])))
  }

  @Test func emptyTensors() {
    let x = Tensor([2, 0], floats: [])
    #expect(x.count == 0 && x.byteCount == 0)
    #expect(x.doubles().isEmpty)
    #expect(x.isIdentical(to: Tensor([2, 0], floats: [])))
  }

  @Test func newStorageIsZeroedAndAligned() {
    let x = Tensor(TensorType(.float32, [3])) { _ in }
    #expect(x.floats() == [0, 0, 0])
    #expect(x.withUnsafeBytes { Int(bitPattern: $0.baseAddress) % 64 } == 0)
  }

  @Test func descriptions() {
    #expect(TensorType(.float32, [1, 3, 224, 224]).description == "float32[1x3x224x224]")
    #expect(TensorType(.int64, []).description == "int64[]")
    #expect("\([Dimension.fixed(1), .symbolic("batch"), .symbolic(nil)])" == "[1, batch, ?]")
  }

  /// Small storage comes from the heap, large storage from the system.
  @Test(arguments: [0, 1, 63, 4096, 128 << 10, 1_000_001])
  func newStorageIsZeroedAndAligned(byteCount: Int) {
    for _ in 0..<3 {
      let storage = TensorStorage(byteCount: byteCount) { bytes in
        #expect(bytes.count == byteCount && bytes.allSatisfy { $0 == 0 })
        for index in bytes.indices { bytes[index] = 0xFF }
      }
      #expect(storage.bytes.allSatisfy { $0 == 0xFF })
      #expect(Int(bitPattern: storage.bytes.baseAddress) % 64 == 0)
    }
  }

  @Test func releasedPagesOfAFileAreReadAgain() throws {
    let path = "/tmp/sepal-tensor-\(UInt64.random(in: 0 ... .max))"
    defer { unlink(path) }
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
    let file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
    let storage = try TensorStorage.mapping(path: path)
    let part = Tensor(TensorType(.uint8, [50_001]), storage: storage, byteOffset: 1234)
    part.releasePages()
    storage.releasePages(0..<bytes.count)
    #expect(storage.bytes.elementsEqual(bytes))
    let copy = Tensor(TensorType(.uint8, [bytes.count]), copying: storage.bytes)
    copy.releasePages()
    #expect(copy.storage.bytes.elementsEqual(bytes))
  }
}
