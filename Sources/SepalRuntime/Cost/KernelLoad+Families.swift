import CSepalKernels
import SepalGraph
import SepalTensor

extension KernelLoad {
  /// `pixels` by a matrix of `depth` rows and `columns`, whose panels are read once for each block of pixels.
  static func product(
    pixels: Int, depth: Int, columns: Int, rowBlock: Int, hasResidual: Bool, _ functions: KernelFunctions
  ) -> KernelLoad {
    let bytes = functions.padded(columns) * depth * MemoryLayout<Float>.size
    if pixels == 1 {
      let weights = WeightTraffic(bytes)
      return KernelLoad(.row, [1, weights.near, weights.far])
    }
    let tiles = TileLoad(
      pixels: pixels, runs: 1, depth: depth, columns: columns, hasResidual: hasResidual, functions)
    let weights = WeightTraffic(bytes, passes: (pixels + rowBlock - 1) / rowBlock)
    return KernelLoad(
      .product, [1, tiles.narrow, tiles.wide, tiles.stored, weights.near, weights.far])
  }

  /// A sum over taps; tiles are along rows.
  ///
  /// - Parameters:
  ///   - isThin: whether the channels that meet in a sum are no whole vectors.
  ///   - isPadded: whether rows are copied to have their padding in place.
  static func convolution(
    _ geometry: WindowGeometry, groups: Int, hasResidual: Bool, isThin: Bool, isPadded: Bool,
    _ functions: KernelFunctions
  ) -> KernelLoad {
    let (input, output) = (geometry.input, geometry.output)
    let depth = geometry.kernel.h * geometry.kernel.w * (input.channels / groups)
    let tiles = TileLoad(
      pixels: output.width, runs: output.batch * output.height, depth: depth,
      columns: output.channels / groups,
      hasResidual: hasResidual, functions)
    let each = Double(groups)
    if isThin {
      let rows = Double(output.batch * output.height) * each
      return KernelLoad(
        .thinConvolution, [1, tiles.narrow * each, tiles.wide * each, tiles.stored * each, rows])
    }
    let bytes = functions.padded(output.channels / groups) * depth * groups * MemoryLayout<Float>.size
    let weights = WeightTraffic(bytes)
    let copied = isPadded ? Double(input.batch * input.pixels * input.channels) : 0
    return KernelLoad(
      .convolution,
      [1, tiles.narrow * each, tiles.wide * each, tiles.stored * each, weights.near, weights.far, copied])
  }

  /// Products at each of the points of a tile between two transforms, strip by strip of tiles.
  static func winograd(
    tile: Int, tiles: Int, strips: Int, inputs: Int, outputs: Int, weightBytes: Int,
    _ functions: KernelFunctions
  ) -> KernelLoad {
    let points = (tile + 2) * (tile + 2)
    let products = TileLoad(
      pixels: (tiles + strips - 1) / max(1, strips), runs: points * strips, depth: inputs, columns: outputs,
      hasResidual: false, functions)
    let lanes = functions.padded(inputs) + functions.padded(outputs)
    let weights = WeightTraffic(weightBytes, passes: strips)
    return KernelLoad(
      tile == 2 ? .winograd2 : .winograd4,
      [1, products.narrow, products.wide, Double(tiles * points) * Double(lanes), weights.near, weights.far])
  }

  /// One filter per channel. Square kernels of 3, 5 and 7 without dilation roll along rows, with stride 1 or 2; the taps
  /// of others are loose.
  static func depthwise(
    _ geometry: WindowGeometry, hasResidual: Bool, _ functions: KernelFunctions
  ) -> KernelLoad {
    let (output, kernel, stride) = (geometry.output, geometry.kernel, geometry.strides.w)
    let rows = Double(output.batch * output.height) * Double(output.blocks(functions.vectorWidth))
    let vectors = rows * Double(output.width)
    let taps = Double(kernel.h * kernel.w) * vectors
    let rolls =
      kernel.h == kernel.w && [3, 5, 7].contains(kernel.w) && geometry.dilations.w == 1 && stride <= 2
    let bytes = [geometry.input, output].reduce(0) {
      $0 + $1.batch * $1.floats(in: .blocked, vector: functions.vectorWidth) * MemoryLayout<Float>.size
    }
    return KernelLoad(
      .depthwise,
      [
        1, rolls && stride == 1 && kernel.w == 3 ? taps : 0, rolls && stride == 1 && kernel.w > 3 ? taps : 0,
        rolls && stride == 2 ? taps : 0, rolls ? 0 : taps, hasResidual ? 2 * vectors : vectors, rows,
        bytes > CacheSizes.current.secondLevel ? Double(bytes) : 0,
      ])
  }

  static func pool(_ geometry: WindowGeometry, _ functions: KernelFunctions) -> KernelLoad {
    let output = geometry.output
    let vectors = Double(output.batch * output.pixels) * Double(output.blocks(functions.vectorWidth))
    return KernelLoad(.pool, [1, vectors * Double(geometry.kernel.h * geometry.kernel.w), vectors])
  }

  /// An operator's own evaluation: multiply-adds, and elements read and written.
  static func reference(_ op: any Operator, _ inputs: Inputs<TensorType>, _ outputs: [TensorType])
    -> KernelLoad
  {
    let elements = (inputs.present + outputs).reduce(0.0) { $0 + Double($1.count) }
    return KernelLoad(.reference, [1, elements + Double(op.macs(inputs, outputs: outputs))])
  }
}
