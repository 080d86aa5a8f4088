import CSepalKernels
import SepalGraph

/// A 3×3 convolution with stride 1 over blocked images by Winograd's algorithm: tiles of the result as products at
/// points, between two transforms. Where it is estimated to be faster than the sum over taps.
///
/// Tiles are aligned to the image and each is computed by itself, so the bits never depend on how tiles and panels are
/// shared out. It is no image kernel: rows have no meaning to it, only whole rows of tiles.
///
/// The largest error as a share of the largest result, on random data with 16 to 512 input channels: 2·10⁻⁷ to 9·10⁻⁷
/// with tiles of 2×2 and 6·10⁻⁷ to 4·10⁻⁶ with tiles of 4×4. The sum over taps has 2·10⁻⁷ to 2·10⁻⁶: its sums are nine
/// times as long.
struct WinogradKernel: Kernel {
  static let operators = [Conv.schema.name]

  private let winograd: sepal_winograd
  private let input, output: ImageShape
  private let weights, bias: WeightStore.Slice
  private let strips: WinogradStrips
  private let panels: Int
  /// Whether threads share panels of channels instead of tiles: each then transforms all tiles, but multiplies by only
  /// its part of the weights.
  private let sharesPanels: Bool
  let summary: String
  let work: Int
  let loads: [KernelLoad]
  let packedOperands = [1, 2]
  let outputForm = Form.blocked
  var units: Int { sharesPanels ? panels : strips.tiles }
  var tile: Int { winograd.tile }
  var scratchBytes: Int { strips.byteCount }
  var weightBytes: Int { weights.byteCount }

  init?(_ site: Site) {
    guard site.options.allowsWinograd, let conv = ConstantConvolution(site), conv.op.groups == 1 else {
      return nil
    }
    let (geometry, vector) = (conv.geometry, site.functions.vectorWidth)
    guard geometry.kernel == (3, 3), geometry.strides == (1, 1), geometry.dilations == (1, 1),
      min(geometry.input.channels, geometry.output.channels) >= vector,
      let tile = site.options.winogradTile ?? WinogradCost(geometry, vector: vector).cheapestTile
    else { return nil }
    (input, output) = (geometry.input, geometry.output)
    let (k, n) = (input.channels, output.channels)
    let functions = site.functions
    panels = functions.table.pointee.panel_count(n)
    let matrix = functions.table.pointee.packed_size(n, k)
    let (weight, panels) = (conv.weight, panels)
    weights = site.weights.reserve((tile + 2) * (tile + 2) * matrix) { destination in
      weight.withFloats { functions.table.pointee.winograd_pack(destination, $0, tile, n, k, 0, panels) }
      weight.releasePages()
    }
    bias = site.packBias(conv.bias, columns: n)
    site.weights.requireZeros(functions.padded(n))
    strips = WinogradStrips(geometry, tile: tile, vector: vector, weightBytes: weights.byteCount)
    sharesPanels = strips.tiles < n
    var w = sepal_winograd()
    w.tile = tile
    (w.in_h, w.in_w, w.out_h, w.out_w) = (input.height, input.width, output.height, output.width)
    (w.pad_top, w.pad_left) = geometry.padBegins
    (w.in_image, w.in_block) = (input.floats(in: .blocked, vector: vector), input.pixels * vector)
    (w.out_image, w.out_block) = (output.floats(in: .blocked, vector: vector), output.pixels * vector)
    w.activation = sepal_activation(conv.op.activation)
    winograd = w
    work = conv.multiplyAdds
    loads = [
      .winograd(
        tile: tile, tiles: strips.tiles, strips: strips.count(strips.tiles), inputs: k, outputs: n,
        weightBytes: weights.byteCount, functions)
    ]
    summary = "winograd \(tile)x\(tile) by \(functions.tile(n))"
  }

  func inputForm(_ index: Int) -> Form { index == 0 || index == 3 ? .blocked : .plain }

  func bind(_ memory: Operands) -> BoundStep {
    var winograd = winograd
    winograd.in = memory.floats(0)
    winograd.out = memory.outputFloats()
    winograd.residual = memory.optionalFloats(3)
    winograd.bias = memory.weights(bias)
    var gemm = sepal_gemm()
    (gemm.n, gemm.k) = (output.channels, input.channels)
    let vector = memory.functions.vectorWidth
    (gemm.a_pixel, gemm.c_pixel) = (vector, vector)
    gemm.bias = memory.session.weights.zeroFloats
    let functions = memory.functions
    let context = memory.context(
      WinogradContext(
        functions: functions.table, winograd: winograd, gemm: gemm, weights: memory.weights(weights),
        weightMatrix: functions.table.pointee.packed_size(gemm.n, gemm.k), strips: strips,
        blocks: (input.blocks(vector), output.blocks(vector)), panels: panels))
    let byPanels: BoundStep.Body = { context, begin, end, scratch in
      let c = context.assumingMemoryBound(to: WinogradContext.self)
      c.pointee.run(0..<c.pointee.strips.tiles, panels: begin..<end, scratch)
    }
    let byTiles: BoundStep.Body = { context, begin, end, scratch in
      let c = context.assumingMemoryBound(to: WinogradContext.self)
      c.pointee.run(begin..<end, panels: 0..<c.pointee.panels, scratch)
    }
    return BoundStep(body: sharesPanels ? byPanels : byTiles, context: context)
  }
}

/// How the tiles of all images are divided into strips, and where a strip's products are.
struct WinogradStrips: Sendable {
  let tiles: Int
  /// The most tiles of a strip.
  private let longest: Int
  private let matrices, inputLanes, outputLanes: Int

  /// Every strip reads all the weights. It may take as much room as they do, since it is then they that decide which
  /// cache serves; short ones fill the tiles of the product badly.
  private static let (leastBytes, mostBytes, leastTiles) = (512 << 10, 8 << 20, 12)

  init(_ geometry: WindowGeometry, tile: Int, vector: Int, weightBytes: Int) {
    tiles = geometry.tiles(tile)
    matrices = (tile + 2) * (tile + 2)
    inputLanes = geometry.input.blocks(vector) * vector
    outputLanes = geometry.output.blocks(vector) * vector
    let bytes = min(max(weightBytes, Self.leastBytes), Self.mostBytes)
    let tileBytes = matrices * (inputLanes + outputLanes) * MemoryLayout<Float>.size
    longest = min(tiles, max(Self.leastTiles, bytes / tileBytes))
  }

  /// Floats from matrix to matrix: an odd number of cache lines, so that the same place in all of them is spread over
  /// the sets of a cache.
  private func matrix(tiles: Int, lanes: Int) -> Int { ((tiles * lanes + 15) / 16 | 1) * 16 }
  func inputMatrix(tiles: Int) -> Int { matrix(tiles: tiles, lanes: inputLanes) }
  func outputMatrix(tiles: Int) -> Int { matrix(tiles: tiles, lanes: outputLanes) }
  /// Floats before the output's matrices.
  func outputOffset(tiles: Int) -> Int { matrices * inputMatrix(tiles: tiles) }

  var byteCount: Int {
    (outputOffset(tiles: longest) + matrices * outputMatrix(tiles: longest)) * MemoryLayout<Float>.size
  }

  /// The number of strips, nearly equal, that so many tiles are divided into.
  func count(_ tiles: Int) -> Int { (tiles + longest - 1) / longest }
}

private struct WinogradContext {
  var functions: UnsafePointer<sepal_kernels>
  var winograd: sepal_winograd
  var gemm: sepal_gemm
  var weights: UnsafePointer<Float>
  /// Floats from matrix to matrix of the weights.
  var weightMatrix: Int
  var strips: WinogradStrips
  /// Channel blocks.
  var blocks: (input: Int, output: Int)
  var panels: Int

  func run(_ tiles: Range<Int>, panels: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
    let count = strips.count(tiles.count)
    for strip in 0..<count {
      let begin = tiles.lowerBound + tiles.count * strip / count
      let end = tiles.lowerBound + tiles.count * (strip + 1) / count
      runStrip(begin, end, panels, scratch.assumingMemoryBound(to: Float.self))
    }
  }

  private func runStrip(
    _ begin: Int, _ end: Int, _ panels: Range<Int>, _ inputs: UnsafeMutablePointer<Float>
  ) {
    let table = functions.pointee
    let count = end - begin
    let outputs = inputs + strips.outputOffset(tiles: count)
    var (w, g) = (winograd, gemm)
    w.block = count * g.a_pixel
    w.matrix = strips.inputMatrix(tiles: count)
    table.winograd_input(&w, inputs, begin, end, 0, blocks.input)
    (g.m, g.row_block, g.a_block, g.c_block) = (count, count, w.block, w.block)
    let outputMatrix = strips.outputMatrix(tiles: count)
    for index in 0..<(w.tile + 2) * (w.tile + 2) {
      g.a = UnsafePointer(inputs + index * w.matrix)
      g.b = weights + index * weightMatrix
      g.c = outputs + index * outputMatrix
      table.gemm(&g, 0, count, panels.lowerBound, panels.upperBound)
    }
    w.matrix = outputMatrix
    let (first, last) = (table.panel_start(g.n, panels.lowerBound), table.panel_start(g.n, panels.upperBound))
    table.winograd_output(&w, outputs + first * w.block, begin, end, first, last)
  }
}
