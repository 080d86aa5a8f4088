import SepalGraph
import SepalTensor
import Testing

@Suite struct StridedCopyTests {
  /// A region with random extents, axis order, direction, gaps and repeats.
  struct Region {
    var shape: [Int] = []
    var sourceStrides: [Int] = []
    var sourceOffset = 0
    var sourceCount = 1

    init(using generator: inout some RandomNumberGenerator) {
      let rank = Int.random(in: 0...5, using: &generator)
      let extents = (0..<rank).map { _ in Int.random(in: 1...4, using: &generator) }
      let strides = rowMajorStrides(extents)
      sourceCount = extents.reduce(1, *)
      for axis in (0..<rank).shuffled(using: &generator) {
        switch Int.random(in: 0...3, using: &generator) {
        case 0:
          shape.append(Int.random(in: 0...3, using: &generator))
          sourceStrides.append(0)
        case 1:
          shape.append(extents[axis])
          sourceStrides.append(-strides[axis])
          sourceOffset += (extents[axis] - 1) * strides[axis]
        default:
          let step = Int.random(in: 1...2, using: &generator)
          shape.append((extents[axis] - 1) / step + 1)
          sourceStrides.append(strides[axis] * step)
        }
      }
    }
  }

  @Test(arguments: [ElementType.uint8, .uint16, .uint32, .uint64])
  func copiesAnyRegionLikeAnElementLoop(element: ElementType) {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<400 {
      let region = Region(using: &generator)
      let values = (0..<region.sourceCount).map { Int64($0 % 251) }
      // One byte in front, so that elements are not aligned.
      let aligned = Tensor(element, [region.sourceCount], integers: values)
      let bytes = aligned.withUnsafeBytes { [0xFF] + Array($0) }
      let source = bytes.withUnsafeBytes { bytes in
        Tensor(
          aligned.type,
          storage: Tensor(.init(.uint8, [bytes.count]), copying: bytes).storage, byteOffset: 1)
      }
      var expected: [Int64] = []
      forEachOffset(region.shape, strides: [region.sourceStrides]) { _, offsets in
        expected.append(values[region.sourceOffset + offsets[0]])
      }
      let result = source.region(region.shape, offset: region.sourceOffset, strides: region.sourceStrides)
      #expect(result.integers() == expected, "\(region)")
    }
  }

  @Test func writesOnlyTheRegionOfAStridedTarget() {
    let source: [UInt16] = [1, 2, 3, 4, 5, 6]
    var target = [UInt16](repeating: 9, count: 12)
    source.withUnsafeBytes { from in
      target.withUnsafeMutableBytes { to in
        if let from = from.baseAddress, let to = to.baseAddress {
          copyRegion(
            elementSize: 2, shape: [2, 3], from: from, strides: [3, 1], to: to + 2, strides: [6, 2])
        }
      }
    }
    #expect(target == [9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6])
  }
}
