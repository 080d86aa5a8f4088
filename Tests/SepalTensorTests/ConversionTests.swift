import SepalTensor
import Testing

@Suite struct ConversionTests {
  private static let bounds: [(ElementType, low: Int64, high: Int64)] = [
    (.int8, -128, 127), (.uint8, 0, 255), (.int16, -32768, 32767), (.uint16, 0, 65535),
    (.int32, -2_147_483_648, 2_147_483_647), (.uint32, 0, 4_294_967_295), (.int64, .min, .max),
  ]

  @Test(arguments: bounds)
  func floatingPointTruncatesAndSaturates(element: ElementType, low: Int64, high: Int64) {
    let x = Tensor(element, [6], doubles: [1.9, 0.9, -1e300, 1e300, .infinity, .nan])
    #expect(x.integers() == [1, 0, low, high, high, 0])
    #expect(Tensor(element, [1], doubles: [-1.9]).integers() == [low < 0 ? -1 : 0])
  }

  @Test(arguments: bounds)
  func integersKeepTheirLowBits(element: ElementType, low: Int64, high: Int64) {
    #expect(Tensor(element, [3], integers: [low, high, 0]).integers() == [low, high, 0])
    #expect(Tensor(element, [1], integers: [high &+ 1]).integers() == [low])
  }

  @Test func unsigned64() {
    let x = Tensor(.uint64, [3], doubles: [-1, 1e300, 0x1p63])
    #expect(x.doubles() == [0, 0x1p64, 0x1p63])
    #expect(x.integers() == [0, .max, .max])
  }

  @Test func largeIntegersTakeNoDetourOverFloatingPoint() {
    let exact = (Int64(1) << 53) + 1
    #expect(Tensor([1], int64s: [exact]).converted(to: .uint64).integers() == [exact])
  }

  @Test func boolIsZeroOrOneWhateverTheByte() {
    let raw = [UInt8(0), 1, 2, 255].withUnsafeBytes { Tensor(TensorType(.bool, [4]), copying: $0) }
    #expect(raw.integers() == [0, 1, 1, 1])
    #expect(raw.doubles() == [0, 1, 1, 1])
    #expect(raw.booleans() == [false, true, true, true])
    #expect(Tensor([3], floats: [0, -0.0, 0.1]).booleans() == [false, false, true])
  }

  @Test(arguments: ElementType.allCases)
  func smallValuesSurviveEveryType(element: ElementType) {
    let values = [0.0, 1, 1, 0]
    let x = Tensor(element, [2, 2], doubles: values)
    #expect(x.byteCount == 4 * element.size)
    #expect(x.doubles() == values)
    #expect(x.floats() == values.map { Float($0) })
    for target in ElementType.allCases {
      #expect(x.converted(to: target).isIdentical(to: Tensor(target, [2, 2], doubles: values)), "\(target)")
    }
  }

  @Test(arguments: ElementType.allCases)
  func namesAndRawValuesIdentifyTheType(element: ElementType) {
    #expect(ElementType(name: element.name) == element)
    #expect(ElementType(rawValue: element.rawValue) == element)
    #expect(!(element.isFloat && element.isInteger))
  }
}
