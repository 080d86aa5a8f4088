import SepalGraph
import SepalTensor
import Testing

@Suite struct ResizeTests {
  /// extent, scale, coordinates, rounding, source of each output. Recorded from ONNX Runtime 1.32.
  static let nearest = """
    10 0.6000000238418579 half_pixel round_prefer_floor 0,2,4,5,7,9
    10 0.6000000238418579 half_pixel round_prefer_ceil 0,2,4,5,7,9
    10 0.6000000238418579 half_pixel floor 0,2,3,5,6,8
    10 0.6000000238418579 half_pixel ceil 1,2,4,6,7,9
    10 0.6000000238418579 half_pixel_symmetric round_prefer_floor 0,2,4,5,7,9
    10 0.6000000238418579 half_pixel_symmetric round_prefer_ceil 0,2,4,5,7,9
    10 0.6000000238418579 pytorch_half_pixel round_prefer_floor 0,2,4,5,7,9
    10 0.6000000238418579 pytorch_half_pixel round_prefer_ceil 0,2,4,5,7,9
    10 0.6000000238418579 pytorch_half_pixel floor 0,2,3,5,6,8
    10 0.6000000238418579 pytorch_half_pixel ceil 1,2,4,6,7,9
    10 0.6000000238418579 align_corners round_prefer_floor 0,2,4,5,7,9
    10 0.6000000238418579 align_corners round_prefer_ceil 0,2,4,5,7,9
    10 0.6000000238418579 align_corners floor 0,1,3,5,7,9
    10 0.6000000238418579 align_corners ceil 0,2,4,6,8,9
    10 0.6000000238418579 asymmetric round_prefer_floor 0,2,3,5,7,8
    10 0.6000000238418579 asymmetric round_prefer_ceil 0,2,3,5,7,8
    10 0.6000000238418579 asymmetric floor 0,1,3,5,6,8
    10 0.6000000238418579 asymmetric ceil 0,2,4,5,7,9
    5 1.5 half_pixel round_prefer_floor 0,0,1,2,2,3,4
    5 1.5 half_pixel round_prefer_ceil 0,1,1,2,3,3,4
    5 1.5 half_pixel floor 0,0,1,1,2,3,3
    5 1.5 half_pixel ceil 0,1,2,2,3,4,4
    5 1.5 half_pixel_symmetric round_prefer_floor 0,1,1,2,3,3,4
    5 1.5 half_pixel_symmetric round_prefer_ceil 0,1,1,2,3,3,4
    5 1.5 pytorch_half_pixel round_prefer_floor 0,0,1,2,2,3,4
    5 1.5 pytorch_half_pixel round_prefer_ceil 0,1,1,2,3,3,4
    5 1.5 pytorch_half_pixel floor 0,0,1,1,2,3,3
    5 1.5 pytorch_half_pixel ceil 0,1,2,2,3,4,4
    5 1.5 align_corners round_prefer_floor 0,1,1,2,3,3,4
    5 1.5 align_corners round_prefer_ceil 0,1,1,2,3,3,4
    5 1.5 align_corners floor 0,0,1,2,2,3,4
    5 1.5 align_corners ceil 0,1,2,2,3,4,4
    5 1.5 asymmetric round_prefer_floor 0,1,1,2,3,3,4
    5 1.5 asymmetric round_prefer_ceil 0,1,1,2,3,3,4
    5 1.5 asymmetric floor 0,0,1,2,2,3,4
    5 1.5 asymmetric ceil 0,1,2,2,3,4,4
    5 1.4 half_pixel round_prefer_floor 0,1,1,2,3,3,4
    5 1.4 half_pixel round_prefer_ceil 0,1,1,2,3,3,4
    5 1.4 half_pixel floor 0,0,1,2,2,3,4
    5 1.4 half_pixel ceil 0,1,2,2,3,4,4
    5 1.4 half_pixel_symmetric round_prefer_floor 0,1,1,2,3,3,4
    5 1.4 half_pixel_symmetric round_prefer_ceil 0,1,1,2,3,3,4
    5 1.4 pytorch_half_pixel round_prefer_floor 0,1,1,2,3,3,4
    5 1.4 pytorch_half_pixel round_prefer_ceil 0,1,1,2,3,3,4
    5 1.4 pytorch_half_pixel floor 0,0,1,2,2,3,4
    5 1.4 pytorch_half_pixel ceil 0,1,2,2,3,4,4
    5 1.4 align_corners round_prefer_floor 0,1,1,2,3,3,4
    5 1.4 align_corners round_prefer_ceil 0,1,1,2,3,3,4
    5 1.4 align_corners floor 0,0,1,2,2,3,4
    5 1.4 align_corners ceil 0,1,2,2,3,4,4
    5 1.4 asymmetric round_prefer_floor 0,1,1,2,3,4,4
    5 1.4 asymmetric round_prefer_ceil 0,1,1,2,3,4,4
    5 1.4 asymmetric floor 0,0,1,2,2,3,4
    5 1.4 asymmetric ceil 0,1,2,3,3,4,4
    3 2.25 half_pixel round_prefer_floor 0,0,1,1,1,2
    3 2.25 half_pixel round_prefer_ceil 0,0,1,1,2,2
    3 2.25 half_pixel floor 0,0,0,1,1,1
    3 2.25 half_pixel ceil 0,1,1,2,2,2
    3 2.25 half_pixel_symmetric round_prefer_floor 0,0,1,1,2,2
    3 2.25 half_pixel_symmetric round_prefer_ceil 0,0,1,1,2,2
    3 2.25 pytorch_half_pixel round_prefer_floor 0,0,1,1,1,2
    3 2.25 pytorch_half_pixel round_prefer_ceil 0,0,1,1,2,2
    3 2.25 pytorch_half_pixel floor 0,0,0,1,1,1
    3 2.25 pytorch_half_pixel ceil 0,1,1,2,2,2
    3 2.25 align_corners round_prefer_floor 0,0,1,1,2,2
    3 2.25 align_corners round_prefer_ceil 0,0,1,1,2,2
    3 2.25 align_corners floor 0,0,0,1,1,2
    3 2.25 align_corners ceil 0,1,1,2,2,2
    3 2.25 asymmetric round_prefer_floor 0,0,1,1,2,2
    3 2.25 asymmetric round_prefer_ceil 0,0,1,1,2,2
    3 2.25 asymmetric floor 0,0,0,1,1,2
    3 2.25 asymmetric ceil 0,1,1,2,2,2
    """

  /// height, width, mode, coordinates, excludeOutside, cubicCoefficient, scales, output height and width, values.
  /// Recorded from ONNX Runtime 1.32 for x = (0…h·w) · 37 mod 11 − 4.
  static let interpolated = """
    2 4 linear half_pixel 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -1,2
    3 3 linear half_pixel 0 -0.75 1.0 1.6666666666666667 3 5 \
      -4,-2.4,0,2.400001,4,-3,-1.4,1,3.400001,5,-2,-0.3999999,2,4.400001,6
    2 4 cubic half_pixel 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -1.196499,2.11111
    2 4 linear half_pixel_symmetric 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 1.166667,0.5000001
    3 3 linear half_pixel_symmetric 0 -0.75 1.0 1.6666666666666667 3 5 \
      -4,-2.4,0,2.4,4,-3,-1.4,1,3.4,5,-2,-0.3999999,2,4.4,6
    2 4 cubic half_pixel_symmetric 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 1.407407,0.3611109
    2 4 linear pytorch_half_pixel 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -2.666667,4
    3 3 linear pytorch_half_pixel 0 -0.75 1.0 1.6666666666666667 3 5 \
      -4,-2.4,0,2.400001,4,-3,-1.4,1,3.400001,5,-2,-0.3999999,2,4.400001,6
    2 4 cubic pytorch_half_pixel 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -2.962961,4
    2 4 linear align_corners 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -4,-3
    3 3 linear align_corners 0 -0.75 1.0 1.6666666666666667 3 5 -4,-2,0,2,4,-3,-1,1,3,5,-2,0,2,4,6
    2 4 cubic align_corners 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -4,-3
    2 4 linear asymmetric 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -4,2.666667
    3 3 linear asymmetric 0 -0.75 1.0 1.6666666666666667 3 5 \
      -4,-1.6,0.8000002,3.2,4,-3,-0.5999999,1.8,4.2,5,-2,0.4000001,2.8,5.2,6
    2 4 cubic asymmetric 0 -0.75 0.6000000238418579 0.6000000238418579 1 2 -4,3.740742
    2 4 linear half_pixel 0 -0.75 1.2999999523162842 2.700000047683716 2 10 \
      -4,-3.777778,-2.296296,-0.814815,0.6666665,2.148148,3.629629,2.055556,-0.5370364,-3,-0.7307693,\
      -0.5085472,0.9729344,2.454416,2.73718,1.554844,0.3725076,0.1303418,0.2015669,0.2692307
    2 4 cubic half_pixel 0 -0.75 1.2999999523162842 2.700000047683716 2 10 \
      -4.781995,-4.17339,-3.04174,-1.51695,0.8240652,3.352351,4.514373,2.943213,-0.458817,-3.442222,\
      -1.087117,-0.4607401,1.288063,2.965394,3.211199,1.830348,0.2292591,-0.2971878,0.02407621,\
      0.3614148
    2 4 cubic half_pixel 1 -0.5 1.2999999523162842 2.700000047683716 2 10 \
      -4.651983,-4.124962,-2.940844,-1.210081,0.6205707,2.967702,4.33127,2.69861,-0.8423693,-3.312229,\
      -0.9820155,-0.4435115,1.121979,2.972851,3.225229,1.688297,0.09074593,-0.2237743,0.1346485,\
      0.4304641
    1 5 cubic align_corners 0 -0.5 1.0 0.2 1 1 -4
    1 5 cubic pytorch_half_pixel 1 -0.75 1.0 0.2 1 1 -4
    """

  @Test(arguments: nearest.split(separator: "\n").map(String.init))
  func nearestTakesTheElementsThatONNXRuntimeTakes(row: String) throws {
    let fields = row.split(separator: " ")
    let extent = try #require(Int(fields[0]))
    let expected = fields[4].split(separator: ",").compactMap { Float($0) }
    let resize = Resize(
      sizes: [expected.count], scales: [try #require(Double(fields[1]))],
      coordinates: try #require(ResizeCoordinates(rawValue: String(fields[2]))),
      nearestMode: try #require(ResizeRounding(rawValue: String(fields[3]))))
    #expect(try resize.run(.iota([extent]))[0].floats() == expected)
  }

  @Test(arguments: interpolated.split(separator: "\n").map(String.init))
  func interpolatesAsONNXRuntimeDoes(row: String) throws {
    let fields = row.split(separator: " ")
    let (height, width) = (try #require(Int(fields[0])), try #require(Int(fields[1])))
    let sizes = fields[8...9].compactMap { Int($0) }
    let scales = fields[6...7].compactMap { Double($0) }
    let expected = fields[10...].joined().split(separator: ",").compactMap { Float($0) }
    let x = (0..<height * width).map { Float($0 * 37 % 11 - 4) }
    let first = Resize(
      sizes: [1, 1] + sizes, scales: [1, 1] + scales,
      mode: try #require(ResizeMode(rawValue: String(fields[2]))),
      coordinates: try #require(ResizeCoordinates(rawValue: String(fields[3]))),
      cubicCoefficient: try #require(Double(fields[5])), excludeOutside: fields[4] == "1")
    var last = first
    last.sizes = [1] + sizes + [1]
    last.scales = [1] + scales + [1]
    for (resize, shape) in [(first, [1, 1, height, width]), (last, [1, height, width, 1])] {
      let y = try resize.run(Tensor(shape, floats: x))[0].floats()
      #expect(y.count == expected.count)
      let error = zip(y, expected).map { abs($0 - $1) }.max() ?? .infinity
      #expect(error < 1e-5, "\(y)")
    }
  }

  /// `tf.image.resize` without antialiasing.
  static func tensorFlow(_ mode: ResizeMode, from shape: [Int], to sizes: [Int]) -> Resize {
    Resize(
      sizes: sizes, scales: zip(sizes, shape).map { Double($0) / Double($1) }, mode: mode,
      coordinates: mode == .nearest ? .pixelCenter : .halfPixel, nearestMode: .floor, cubicCoefficient: -0.5,
      excludeOutside: true, fractionSteps: 1024)
  }

  /// Mode, extent, values. Recorded from TensorFlow 2.21 for x = `pattern([extent], seed: extent)`.
  static let tensorFlow = """
    linear 5 -0.75,0.015625,0.9375,0.3125,-0.3125,-0.9375,-0.015625,0.75
    linear 7 -0.6666666,-0.25,0.166667
    linear 3 1.25,1.107143,0.6785715,0.25,-0.1785715,-0.6071429,-0.75
    linear 1 0.5,0.5,0.5,0.5
    linear 4 0.125
    cubic 5 -0.8759225,-0.008762449,1.013031,0.4048157,-0.4048157,-1.013031,0.008762449,0.8759225
    cubic 7 -0.8039796,-0.25,0.3039796
    cubic 3 1.346241,1.164322,0.7570881,0.25,-0.2570881,-0.664322,-0.846241
    cubic 1 0.5,0.5,0.5,0.5
    cubic 4 0.125
    nearest 5 -0.75,-0.75,1.0,0.0,0.0,-1.0,0.75,0.75
    nearest 7 -1.0,-0.25,0.5
    nearest 3 1.25,1.25,0.25,0.25,0.25,-0.75,-0.75
    """

  @Test(arguments: tensorFlow.split(separator: "\n").map(String.init))
  func resizesAsTensorFlowDoes(row: String) throws {
    let fields = row.split(separator: " ")
    let mode = try #require(ResizeMode(rawValue: String(fields[0])))
    let extent = try #require(Int(fields[1]))
    let expected = fields[2].split(separator: ",").compactMap { Double($0) }
    let resize = Self.tensorFlow(mode, from: [1, extent, 1, 1], to: [1, expected.count, 1, 1])
    try expect(
      resize, [pattern([1, extent, 1, 1], seed: extent)], shape: [1, expected.count, 1, 1], gives: expected,
      tolerance: 1e-6)
  }

  @Test func resizesImagesAsTensorFlowDoes() throws {
    let x = pattern([1, 3, 2, 1], seed: 1)
    try expect(
      Self.tensorFlow(.cubic, from: x.shape, to: [1, 4, 3, 1]), [x], shape: [1, 4, 3, 1],
      gives: [
        0.5267097, -0.03917909, -0.6050679, 1.188985, 0.5139149, -0.161155, 0.554386, 0.5693405, 0.5842949,
        -0.9792483, 0.09235075, 1.16395,
      ], tolerance: 1e-6)
    try expect(
      Self.tensorFlow(.linear, from: x.shape, to: [1, 4, 3, 1]), [x], shape: [1, 4, 3, 1],
      gives: [0.5, 0, -0.5, 0.96875, 0.46875, -0.03125, 0.5, 0.515625, 0.53125, -0.75, 0.125, 1])
  }

  /// Centres that fall between two elements, where single precision decides: the middle one of 41 is still the first's.
  @Test(arguments: [
    (2, [21, 20]), (6, [28, 28, 28, 29, 28, 28]), (3, [2, 1, 2]), (11, [Int](repeating: 9, count: 11)),
  ])
  func nearestBreaksTiesAsTensorFlowDoes(extent: Int, counts: [Int]) throws {
    let resize = Self.tensorFlow(.nearest, from: [extent], to: [counts.reduce(0, +)])
    let expected = counts.enumerated().flatMap { [Float](repeating: Float($0.offset), count: $0.element) }
    #expect(try resize.run(.iota([extent]))[0].floats() == expected)
  }

  @Test func keepsInfinityNextToAnUnweightedNeighbour() throws {
    let resize = Resize(sizes: [3], scales: [1.5], mode: .linear, coordinates: .alignCorners)
    let y = try resize.run(Tensor([2], floats: [0, .infinity]))[0].floats()
    #expect(y == [0, .infinity, .infinity])
  }

  @Test func emptyAxesStayEmpty() throws {
    for mode in ResizeMode.allCases {
      #expect(try Resize(sizes: [0, 4], scales: [1, 2], mode: mode).run(.iota([0, 2]))[0].shape == [0, 4])
      #expect(try Resize(sizes: [0], scales: [0.5], mode: mode).run(.iota([1]))[0].shape == [0])
    }
    #expect(
      Resize(sizes: [1], scales: [2]).refusal(TensorType(.float32, [0]))
        == "axis 0 of float32[0] is empty and cannot be resized to 1")
  }

  @Test func refusesWhatTheScalesDoNotExplain() {
    let x = TensorType(.float32, [4])
    #expect(
      Resize(sizes: [9], scales: [1]).refusal(x)
        == "axis 0 of float32[4] has size 9, which its scale 1.0 does not explain")
    for scale in [0, -1, Double.nan, .infinity, 1e-300, 1e300] {
      #expect(Resize(sizes: [4], scales: [scale]).refusal(x) != nil, "\(scale)")
    }
    #expect(
      Resize(sizes: [4, 4], scales: [1]).refusal(x) == "'sizes' has 2 and 'scales' 1 values, expected 1")
    #expect(
      Resize(sizes: [8], scales: [2], mode: .linear).refusal(TensorType(.uint8, [4]))
        == "x is uint8[4], expected floating point for mode linear")
    #expect(Resize(sizes: [8], scales: [2], mode: .cubic, cubicCoefficient: .nan).refusal(x) != nil)
    #expect(
      Resize(sizes: [8], scales: [2], mode: .cubic, fractionSteps: -1).refusal(x)
        == "'fractionSteps' is -1, expected 0 to 1048576")
  }

  @Test func tinyScalesAndExtremeCoefficientsDoNotTrap() throws {
    for mode in ResizeMode.allCases {
      for coordinates in ResizeCoordinates.allCases {
        for scale in [1e-38, 1e-20, 0.3] {
          let resize = Resize(
            sizes: [1], scales: [scale], mode: mode, coordinates: coordinates, cubicCoefficient: 1e308,
            excludeOutside: true)
          #expect(try resize.run(.iota([3]))[0].count == 1)
        }
      }
    }
  }
}
