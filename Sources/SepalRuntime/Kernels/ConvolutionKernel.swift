import CSepalKernels
import SepalGraph

/// Any convolution, as a matrix product with taps over padded rows.
///
/// Images are blocked where the channels of a group fill blocks. Few input channels, as of pictures, stay as they are,
/// and a whole row of the kernel is one tap; so do groups that share blocks, and then the output is plain too.
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
  let isChannelwise = false
  let residualOperand: Int? = 3
  let sharesPanels: Bool
  var panels: Int { groups * (starts.count - 1) }
  var weightBytes: Int { weights.byteCount }

  init?(_ site: Site) {
    guard let conv = ConstantConvolution(site) else { return nil }
    let (geometry, groups) = (conv.geometry, conv.op.groups)
    guard geometry.kernel.h <= Int(SEPAL_KERNEL_ROWS) else { return nil }
    let vector = site.functions.vectorWidth
    let (k, n) = (geometry.input.channels / groups, geometry.output.channels / groups)
    let isAligned = groups == 1 || k % vector == 0 && n % vector == 0
    let isBlocked = isAligned && geometry.input.channels >= vector
    operandForm = isBlocked ? .blocked : site.form(0) == .planar ? .planar : .plain
    resultForm = isAligned ? .blocked : .plain
    window = ImageWindow(geometry)
    (self.groups, self.vector) = (groups, vector)
    starts = site.functions.panelStarts(n)

    let taps = geometry.kernel.h * geometry.kernel.w
    weights = site.pack(
      conv.weight,
      MatrixView(
        groups: groups, columns: n, taps: taps, depth: k, columnStride: k * taps, tapStride: 1,
        depthStride: taps))
    bias = site.packBias(conv.bias, groups: groups, columns: n)

    let pixel = isBlocked ? vector : geometry.input.channels
    padding = RowPadding(geometry, operandForm, vector, pixel: pixel)
    var c = sepal_convolution()
    (c.out_w, c.n, c.kernel_h) = (geometry.output.width, n, geometry.kernel.h)
    let isMerged = !isBlocked && groups == 1 && geometry.dilations.w == 1
    (c.taps, c.k) = isMerged ? (1, geometry.kernel.w * k) : (geometry.kernel.w, k)
    (c.tap_step, c.a_pixel) = (geometry.dilations.w * pixel, geometry.strides.w * pixel)
    c.a_block = vector
    c.c_pixel = isAligned ? vector : geometry.output.channels
    c.c_block = vector
    c.activation = sepal_activation(conv.op.activation)
    convolution = c
    sharesPanels = geometry.output.batch * geometry.output.pixels < n
    work = conv.multiplyAdds
    summary = "convolution \(geometry.kernel.h)x\(geometry.kernel.w)"
  }

  func firstBlock(ofPanel panel: Int) -> Int {
    let perGroup = starts.count - 1
    return panel / perGroup * starts[perGroup] + starts[panel % perGroup]
  }

  private func stripRows(_ rows: Int) -> Int { min(rows, padding?.stripRows ?? rows) }

  func scratchBytes(rows: Int) -> Int {
    let rows = stripRows(rows)
    let tables = rows * (window.kernel + 2) * MemoryLayout<Int>.size
    return (tables + 63) / 64 * 64 + (padding?.byteCount(rows: rows) ?? 0)
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var convolution: sepal_convolution
    var window: ImageWindow
    var padding: RowPadding?
    var groups: Int
    var vector: Int
    /// Whether groups are whole blocks of the input, and of the output.
    var blockedInput, blockedOutput: Bool

    func run(_ job: UnsafePointer<ImageJob>) {
      var y = job.pointee.begin
      let most = padding?.stripRows ?? .max
      while y < job.pointee.end {
        let count = min(most, job.pointee.end - y)
        runStrip(job, y, count)
        y += count
      }
    }

    private func runStrip(_ job: UnsafePointer<ImageJob>, _ begin: Int, _ count: Int) {
      let (input, output) = (job.pointee.input, job.pointee.output)
      let kernel = window.kernel
      let rows = job.pointee.scratch.assumingMemoryBound(to: UnsafePointer<Float>?.self)
      let out = UnsafeMutableRawPointer(rows + count * kernel)
        .assumingMemoryBound(to: UnsafeMutablePointer<Float>?.self)
      var c = convolution
      let top = begin * window.stride - window.padTop
      if let padding {
        let tables = (count * (kernel + 2) * MemoryLayout<Int>.size + 63) / 64 * 64
        let padded = (job.pointee.scratch + tables).assumingMemoryBound(to: Float.self)
        let places = (count - 1) * window.stride + window.span + 1
        c.a_block = padding.block(places: places)
        padding.zero(padded, places: places, place: places - 1)
        for place in 0..<places - 1 where top + place >= 0 && top + place < window.input.height {
          padding.copy(input, row: top + place, to: padded, places: places, place: place)
        }
        for index in 0..<count * kernel {
          let place = index / kernel * window.stride + index % kernel * window.dilation
          let isInside = top + place >= 0 && top + place < window.input.height
          rows[index] = UnsafePointer(padded + padding.offset(isInside ? place : places - 1))
        }
      } else {
        c.a_block = input.block
        for index in 0..<count * kernel {
          rows[index] = UnsafePointer(
            input[top + index / kernel * window.stride + index % kernel * window.dilation])
        }
      }
      for index in 0..<count { out[index] = output[begin + index] }
      if let residual = job.pointee.residual {
        let table = UnsafeMutableRawPointer(out + count).assumingMemoryBound(to: UnsafePointer<Float>?.self)
        for index in 0..<count { table[index] = UnsafePointer(residual[begin + index]) }
        c.residual = UnsafePointer(table)
        c.residual_block = residual.block
        c.residual_group = blockedOutput ? c.n / vector * residual.block : c.n
      }
      let depth = window.input.channels / groups
      c.a_group = blockedInput ? depth / vector * c.a_block : depth
      c.c_block = output.block
      c.c_group = blockedOutput ? c.n / vector * output.block : c.n
      c.row_count = count
      c.rows = UnsafePointer(rows)
      c.out = UnsafePointer(out)
      functions.pointee.convolve(&c, job.pointee.firstPanel, job.pointee.endPanel)
    }
  }

  func bindImage(_ memory: Operands) -> ImageStep {
    var convolution = convolution
    convolution.weights = memory.weights(weights)
    convolution.bias = memory.weights(bias)
    let context = Context(
      functions: memory.functions.table, convolution: convolution, window: window, padding: padding,
      groups: groups, vector: vector, blockedInput: operandForm == .blocked,
      blockedOutput: resultForm == .blocked)
    return ImageStep(
      body: { context, job in
        context.assumingMemoryBound(to: Context.self).pointee.run(job.assumingMemoryBound(to: ImageJob.self))
      }, context: memory.context(context))
  }
}
