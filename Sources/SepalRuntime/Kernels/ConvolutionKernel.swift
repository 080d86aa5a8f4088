import CSepalKernels
import SepalGraph

/// Any convolution, as a matrix product with taps over padded rows.
///
/// Images are blocked where the channels of a group fill blocks. Few input channels, as of pictures, stay as they are:
/// planar, each channel with rows of its own, or plain, a whole row of the kernel being one tap. Groups that share
/// blocks are plain too, and so is their output then.
struct ConvolutionKernel: ImageKernel {
  static let operators = [Conv.schema.name]

  let window: ImageWindow
  let operandForm, resultForm: Form
  private let convolution: sepal_convolution
  private let weights, bias: WeightStore.Slice
  private let groups, vector: Int
  private let starts: [Int]
  private let padding: RowPadding?
  let summary: String
  let work: Int
  let loads: [KernelLoad]
  let isChannelwise = false
  let packedOperands = [1, 2]
  let residualOperand: Int? = 3
  let sharesPanels: Bool
  var panels: Int { groups * (starts.count - 1) }
  var weightBytes: Int { weights.byteCount }

  init?(_ site: Site) {
    guard let conv = ConstantConvolution(site) else { return nil }
    let (geometry, groups) = (conv.geometry, conv.op.groups)
    let vector = site.functions.vectorWidth
    let (k, n) = (geometry.input.channels / groups, geometry.output.channels / groups)
    let isAligned = groups == 1 || k % vector == 0 && n % vector == 0
    let kernelRows = Int(SEPAL_KERNEL_ROWS)
    guard geometry.kernel.h <= kernelRows else { return nil }
    let hasAdjacentTaps = groups == 1 && geometry.dilations.w == 1
    if isAligned, geometry.input.channels >= vector {
      operandForm = .blocked
    } else if site.form(0) == .planar, hasAdjacentTaps, k * geometry.kernel.h <= kernelRows {
      operandForm = .planar
    } else {
      operandForm = .plain
    }
    resultForm = isAligned ? .blocked : .plain
    window = ImageWindow(geometry)
    (self.groups, self.vector) = (groups, vector)
    starts = site.functions.panelStarts(n)

    let taps = geometry.kernel.h * geometry.kernel.w
    var view = MatrixView(
      groups: groups, columns: n, taps: taps, depth: k, columnStride: k * taps, tapStride: 1,
      depthStride: taps)
    var c = sepal_convolution()
    (c.out_w, c.n) = (geometry.output.width, n)
    (c.kernel_h, c.taps, c.k) = (geometry.kernel.h, geometry.kernel.w, k)
    let pixel: Int
    let pieces: Int
    switch operandForm {
    case .planar:
      // A row of the kernel in one channel is one tap; the weights are in that order already.
      view = MatrixView(columns: n, depth: k * taps, columnStride: k * taps, depthStride: 1)
      (c.kernel_h, c.taps, c.k) = (k * geometry.kernel.h, 1, geometry.kernel.w)
      (pixel, pieces) = (1, k)
    case .plain:
      if hasAdjacentTaps { (c.taps, c.k) = (1, geometry.kernel.w * k) }
      (pixel, pieces) = (geometry.input.channels, 1)
    case .blocked:
      (pixel, pieces) = (vector, geometry.input.blocks(vector))
    }
    weights = site.pack(conv.weight, view)
    bias = site.packBias(conv.bias, groups: groups, columns: n)
    padding = RowPadding(geometry, pieces: pieces, pixel: pixel)
    (c.tap_step, c.a_pixel) = (geometry.dilations.w * pixel, geometry.strides.w * pixel)
    c.a_block = vector
    c.c_pixel = isAligned ? vector : geometry.output.channels
    c.activation = sepal_activation(conv.op.activation)
    convolution = c
    sharesPanels = geometry.output.batch * geometry.output.pixels < n
    work = conv.multiplyAdds
    loads = [
      .convolution(
        geometry, groups: groups, hasResidual: site.isPresent(3), isThin: operandForm != .blocked,
        isPadded: padding != nil, site.functions)
    ]
    summary = "convolution \(geometry.kernel.h)x\(geometry.kernel.w) by \(site.functions.tile(n))"
  }

  func firstBlock(ofPanel panel: Int) -> Int {
    let perGroup = starts.count - 1
    return panel / perGroup * starts[perGroup] + starts[panel % perGroup]
  }

  func scratchBytes(rows: Int) -> Int {
    let rows = min(rows, padding?.stripRows ?? rows)
    return tableBytes(rows, convolution.kernel_h) + (padding?.byteCount(rows: rows) ?? 0)
  }

  func bindImage(_ memory: Operands) -> ImageStep {
    var convolution = convolution
    convolution.weights = memory.weights(weights)
    convolution.bias = memory.weights(bias)
    let depth = window.input.channels / groups
    let context = ConvolutionContext(
      functions: memory.functions.table, convolution: convolution, window: window, padding: padding,
      isBlocked: operandForm == .blocked, planes: operandForm == .planar ? depth : 1,
      groupInput: operandForm == .blocked ? depth / vector : depth,
      groupOutput: resultForm == .blocked ? convolution.n / vector : convolution.n,
      isBlockedOutput: resultForm == .blocked)
    return ImageStep(
      body: { context, job in
        context.assumingMemoryBound(to: ConvolutionContext.self).pointee
          .run(job.assumingMemoryBound(to: ImageJob.self))
      }, context: memory.context(context))
  }
}

/// Bytes of the tables of input, output and added rows.
private func tableBytes(_ rows: Int, _ kernelRows: Int) -> Int {
  (rows * (kernelRows + 2) * MemoryLayout<Int>.size + 63) / 64 * 64
}

private struct ConvolutionContext {
  var functions: UnsafePointer<sepal_kernels>
  var convolution: sepal_convolution
  var window: ImageWindow
  var padding: RowPadding?
  var isBlocked: Bool
  /// Channels with kernel rows of their own.
  var planes: Int
  /// Blocks, or channels, of one group.
  var groupInput, groupOutput: Int
  var isBlockedOutput: Bool

  func run(_ job: UnsafePointer<ImageJob>) {
    var y = job.pointee.begin
    while y < job.pointee.end {
      let count = min(padding?.stripRows ?? .max, job.pointee.end - y)
      runStrip(job, y, count)
      y += count
    }
  }

  private func runStrip(_ job: UnsafePointer<ImageJob>, _ begin: Int, _ count: Int) {
    let output = job.pointee.output
    var c = convolution
    let rows = job.pointee.scratch.assumingMemoryBound(to: UnsafePointer<Float>?.self)
    let out = UnsafeMutableRawPointer(rows + count * c.kernel_h)
      .assumingMemoryBound(to: UnsafeMutablePointer<Float>?.self)
    let block = fillRows(rows, job, begin, count)
    if isBlocked { c.a_block = block }
    for index in 0..<count { out[index] = output[begin + index] }
    if let residual = job.pointee.residual {
      let table = UnsafeMutableRawPointer(out + count).assumingMemoryBound(to: UnsafePointer<Float>?.self)
      for index in 0..<count { table[index] = UnsafePointer(residual[begin + index]) }
      c.residual = UnsafePointer(table)
      c.residual_block = residual.block
      c.residual_group = isBlockedOutput ? groupOutput * residual.block : groupOutput
    }
    c.a_group = isBlocked ? groupInput * c.a_block : groupInput
    c.c_block = output.block
    c.c_group = isBlockedOutput ? groupOutput * output.block : groupOutput
    c.row_count = count
    c.rows = UnsafePointer(rows)
    c.out = UnsafePointer(out)
    functions.pointee.convolve(&c, job.pointee.firstPanel, job.pointee.endPanel)
  }

  /// Points the table at the kernel rows of each output row, padding them if need be.
  ///
  /// - Returns: floats from piece to piece of a row.
  private func fillRows(
    _ rows: UnsafeMutablePointer<UnsafePointer<Float>?>, _ job: UnsafePointer<ImageJob>, _ begin: Int,
    _ count: Int
  ) -> Int {
    let input = job.pointee.input
    let top = begin * window.stride - window.padTop
    var next = rows
    guard let padding else {
      for row in 0..<count {
        for plane in 0..<planes {
          for tap in 0..<window.kernel {
            let y = top + row * window.stride + tap * window.dilation
            next.pointee = UnsafePointer(input[y] + plane * input.block)
            next += 1
          }
        }
      }
      return input.block
    }
    let padded = (job.pointee.scratch + tableBytes(count, convolution.kernel_h))
      .assumingMemoryBound(to: Float.self)
    let places = padding.places(rows: count)
    let piece = padding.piece(places: places)
    padding.zero(padded, places: places, place: places - 1)
    for place in 0..<places - 1 where isInside(top + place) {
      padding.copy(input, row: top + place, to: padded, places: places, place: place)
    }
    for row in 0..<count {
      for plane in 0..<planes {
        for tap in 0..<window.kernel {
          let place = row * window.stride + tap * window.dilation
          next.pointee = UnsafePointer(
            padded + plane * piece + padding.offset(isInside(top + place) ? place : places - 1))
          next += 1
        }
      }
    }
    return piece
  }

  private func isInside(_ y: Int) -> Bool { y >= 0 && y < window.input.height }
}
