import SepalGraph
import SepalTensor
import Testing

/// Operators that move elements and never look at them. x holds 0, 1, 2, …, so a result names its sources.
@Suite struct DataMovementTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let op: any Operator
    let shape: [Int]
    let resultShape: [Int]
    let sources: [Int64]
    var testDescription: String { name }

    init(_ name: String, _ op: any Operator, _ shape: [Int], _ resultShape: [Int], _ sources: [Int64]) {
      self.name = name
      self.op = op
      self.shape = shape
      self.resultShape = resultShape
      self.sources = sources
    }
  }

  static let cases = [
    Case("reshape", Reshape(shape: [3, 2]), [2, 3], [3, 2], [0, 1, 2, 3, 4, 5]),
    Case("reshape to scalar", Reshape(shape: []), [1, 1], [], [0]),
    Case("reshape empty", Reshape(shape: [4, 0]), [0, 7], [4, 0], []),
    Case("transpose", Transpose(permutation: [1, 0]), [2, 3], [3, 2], [0, 3, 1, 4, 2, 5]),
    Case(
      "transpose to channels last", Transpose(permutation: Layout.toChannelsLast(rank: 4)), [1, 3, 2, 2],
      [1, 2, 2, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
    Case(
      "transpose and back in one", Transpose(permutation: [2, 0, 1]), [2, 2, 3], [3, 2, 2],
      [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]),
    Case("transpose scalar", Transpose(permutation: []), [], [], [0]),
    Case("transpose empty", Transpose(permutation: [1, 0]), [0, 2], [2, 0], []),
    Case(
      "expand middle and front", Expand(shape: [2, 2, 2]), [2, 1], [2, 2, 2], [0, 0, 1, 1, 0, 0, 1, 1]),
    Case("expand scalar", Expand(shape: [3]), [], [3], [0, 0, 0]),
    Case("expand to nothing", Expand(shape: [0, 2]), [1, 2], [0, 2], []),
    Case("tile", Tile(repeats: [2, 2]), [1, 3], [2, 6], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]),
    Case("tile columns", Tile(repeats: [1, 2]), [2, 2], [2, 4], [0, 1, 0, 1, 2, 3, 2, 3]),
    Case("tile zero times", Tile(repeats: [0, .max / 16]), [2, 1], [0, .max / 16], []),
    // ONNX DepthToSpace example data and its CRD counterpart.
    Case(
      "depth to space dcr", DepthToSpace(blockSize: 2), [1, 8, 1, 2], [1, 2, 2, 4],
      [0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15]),
    Case(
      "depth to space crd", DepthToSpace(blockSize: 2, mode: .crd), [1, 8, 1, 2], [1, 2, 2, 4],
      [0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15]),
    Case(
      "depth to space channels last", DepthToSpace(blockSize: 2, layout: .channelsLast), [1, 1, 2, 8],
      [1, 2, 4, 2], [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]),
    Case(
      "space to depth", SpaceToDepth(blockSize: 2), [1, 2, 2, 4], [1, 8, 1, 2],
      [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15]),
    Case(
      "space to depth channels last", SpaceToDepth(blockSize: 2, layout: .channelsLast), [1, 2, 4, 2],
      [1, 1, 2, 8], [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]),
    Case(
      "nearest resize", Resize(sizes: [2, 4], scales: [1, 2]), [2, 2], [2, 4], [0, 0, 1, 1, 2, 2, 3, 3]),
    Case(
      "pad by edge", Pad(begins: [0, 1], ends: [1, 1], mode: .edge), [1, 2], [2, 4],
      [0, 0, 1, 1, 0, 0, 1, 1]),
    Case("slice", Slice(axes: [1], starts: [2], ends: [-1], steps: [-2]), [2, 3], [2, 2], [2, 0, 5, 3]),
  ]

  @Test(arguments: cases, ElementType.allCases)
  func movesElementsOfEveryType(_ test: Case, _ element: ElementType) throws {
    let x = Tensor.iota(test.shape, element == .bool ? .uint8 : element)
    if element == .bool {
      // Any byte is moved as it is.
      let bools = Tensor(TensorType(.bool, test.shape), storage: x.storage)
      let result = try test.op.run(bools)[0]
      #expect(result.withUnsafeBytes { $0.map { Int64($0) } } == test.sources)
      return
    }
    let result = try test.op.run(x)[0]
    #expect(result.shape == test.resultShape)
    #expect(result.doubles() == test.sources.map { Double($0) })
  }

  @Test func keepsTheBitsOfNaN() throws {
    let bits: [UInt32] = [0x7FC0_1234, 0xFFC0_0001, 0x8000_0000, 0x0000_0001]
    let x = bits.withUnsafeBytes { Tensor(TensorType(.float32, [2, 2]), copying: $0) }
    let y = try Transpose(permutation: [1, 0]).run(x)[0]
    #expect(
      y.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) } == [bits[0], bits[2], bits[1], bits[3]])
  }

  @Test(arguments: [Layout.channelsFirst, .channelsLast])
  func spaceToDepthUndoesDepthToSpace(layout: Layout) throws {
    let x = Tensor.iota(layout.shape(batch: 2, channels: 18, spatial: [2, 3]))
    let space = try DepthToSpace(blockSize: 3, layout: layout).run(x)[0]
    #expect(try SpaceToDepth(blockSize: 3, layout: layout).run(space)[0].isIdentical(to: x))
  }

  @Test(arguments: [DepthToSpaceMode.dcr, .crd])
  func depthToSpaceMeansTheSameInBothLayouts(mode: DepthToSpaceMode) throws {
    let x = Tensor.iota([2, 12, 3, 2])
    let toLast = Transpose(permutation: Layout.toChannelsLast(rank: 4))
    let first = try DepthToSpace(blockSize: 2, mode: mode).run(x)[0]
    let last = try DepthToSpace(blockSize: 2, mode: mode, layout: .channelsLast).run(toLast.run(x)[0])[0]
    #expect(try toLast.run(first)[0].isIdentical(to: last))
  }

  @Test func refusesShapesThatDoNotFit() {
    let x = TensorType(.float32, [2, 3])
    #expect(Reshape(shape: [4]).refusal(x) == "'shape' [4] has 4 elements, x is float32[2x3]")
    #expect(Reshape(shape: [-2, -3]).refusal(x) == "the output shape [-2, -3] is not one of a tensor")
    #expect(
      Transpose(permutation: [0, 0]).refusal(x)
        == "'permutation' is [0, 0], expected each axis of float32[2x3] once")
    #expect(Transpose(permutation: [0]).refusal(x) != nil)
    #expect(
      Expand(shape: [4, 3]).refusal(x) == "'shape' is [4, 3], to which x float32[2x3] does not broadcast")
    #expect(Expand(shape: [3]).refusal(x) != nil)
    #expect(Expand(shape: [-5]).refusal(TensorType(.float32, [])) != nil)
    #expect(Expand(shape: [.max, .max]).refusal(TensorType(.float32, [])) != nil)
    #expect(Tile(repeats: [2]).refusal(x) == "'repeats' is [2], expected 2 non-negative values")
    #expect(Tile(repeats: [.max, 2]).refusal(x) != nil)
    let image = TensorType(.float32, [1, 8, 4, 6])
    #expect(
      DepthToSpace(blockSize: 3).refusal(image)
        == "'blockSize' is 3, whose square does not divide the 8 channels")
    #expect(
      SpaceToDepth(blockSize: 4).refusal(image) == "'blockSize' is 4, which does not divide 4x6")
    #expect(DepthToSpace(blockSize: 0).refusal(image) != nil)
    #expect(SpaceToDepth(blockSize: 0).refusal(image) != nil)
    #expect(DepthToSpace(blockSize: 2).refusal(x) == "x is float32[2x3], expected rank 4")
  }
}
