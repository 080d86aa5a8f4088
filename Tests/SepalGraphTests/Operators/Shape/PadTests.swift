import SepalGraph
import SepalTensor
import Testing

@Suite struct PadTests {
  /// Expected rows from numpy.pad, for the row 0 1 2 3.
  @Test(arguments: [
    (PadMode.constant, 2, 1, [9, 9, 0, 1, 2, 3, 9]),
    (.edge, 2, 3, [0, 0, 0, 1, 2, 3, 3, 3, 3]),
    (.reflect, 2, 3, [2, 1, 0, 1, 2, 3, 2, 1, 0]),
    (.reflect, 7, 8, [1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]),
    (.wrap, 1, 2, [3, 0, 1, 2, 3, 0, 1]),
    (.wrap, 6, 5, [2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0]),
    (.constant, -1, -2, [1]),
    (.constant, -4, 0, []),
    (.edge, -1, 2, [1, 2, 3, 3, 3]),
    (.reflect, 2, -2, [0, 1, 0, 1]),
  ])
  func padsARow(mode: PadMode, begin: Int, end: Int, expected: [Float]) throws {
    let pad = Pad(begins: [begin], ends: [end], mode: mode, value: 9)
    #expect(try pad.run(.iota([4]))[0].floats() == expected)
    // The same along the outer axis of two columns.
    let columns = Pad(begins: [begin, 0], ends: [end, 0], mode: mode, value: 9)
    let x = try Concat(axis: 1).run(.iota([4, 1]), .iota([4, 1]))[0]
    #expect(try columns.run(x)[0].floats() == expected.flatMap { [$0, $0] })
  }

  @Test func padsAnImageWithAConstant() throws {
    let y = try Pad(begins: [1, 1], ends: [0, 2], value: -.infinity).run(.iota([1, 2]))[0]
    let low = -Float.infinity
    #expect(y.floats() == [low, low, low, low, low, low, 0, 1, low, low])
  }

  @Test func padsEmptyTensorsWithAConstantOnly() throws {
    #expect(try Pad(begins: [1], ends: [1], value: 4).run(.iota([0], .int8))[0].integers() == [4, 4])
    for mode in [PadMode.edge, .reflect, .wrap] {
      #expect(
        Pad(begins: [1], ends: [0], mode: mode).refusal(TensorType(.float32, [0]))
          == "mode \(mode.rawValue) has nothing to repeat along axis 0 of float32[0]")
      #expect(try Pad(begins: [0, .max / 16], ends: [0, 0], mode: mode).run(.iota([0, 1]))[0].count == 0)
    }
  }

  @Test func reflectingOneElementRepeatsIt() throws {
    #expect(try Pad(begins: [2], ends: [1], mode: .reflect).run(.iota([1]))[0].floats() == [0, 0, 0, 0])
  }

  @Test func refusesIllegalAmounts() {
    let x = TensorType(.float32, [2, 3])
    #expect(Pad(begins: [1], ends: [0, 0]).refusal(x) == "'begins' has 1 values, expected 2")
    #expect(
      Pad(begins: [0, -2], ends: [0, -2]).refusal(x)
        == "'begins' [0, -2] and 'ends' [0, -2] crop more than float32[2x3] has along axis 1")
    for extreme in [Int.min, .max] {
      #expect(Pad(begins: [extreme, 0], ends: [0, 0]).refusal(x) != nil)
      #expect(Pad(begins: [extreme, 0], ends: [extreme, 0]).refusal(x) != nil)
      #expect(Pad(begins: [extreme, 0], ends: [0, extreme]).refusal(x) != nil)
    }
    #expect(Pad(begins: [.max, 0], ends: [.min, 0]).refusal(x) != nil)
  }
}
