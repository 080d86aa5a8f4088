import CSepalKernels
import SepalGraph

/// Rows of one image: all of them, or the latest few in a ring.
package struct ImageRows {
  package var base: UnsafeMutablePointer<Float>
  /// Floats from row to row, and from channel block to channel block, or from channel to channel of a planar image.
  package var row: Int
  package var block: Int
  /// Rows kept: row y is at y % count.
  package var count: Int

  package subscript(y: Int) -> UnsafeMutablePointer<Float> { base + y % count * row }
}

/// Rows [begin, end) of the panels [firstPanel, endPanel) of a kernel's output.
package struct ImageJob {
  var begin, end: Int
  var firstPanel, endPanel: Int
  var input, output: ImageRows
  /// The operand that is added, where there is one.
  var residual: ImageRows?
  var scratch: UnsafeMutableRawPointer
}

/// An image kernel with its weights in place.
package struct ImageStep {
  /// The job is an `ImageJob`.
  package typealias Body = @convention(c) (_ context: UnsafeRawPointer, _ job: UnsafeRawPointer) -> Void
  package let body: Body
  package let context: UnsafeRawPointer
}

/// The geometry of one image: which input rows an output row needs.
package struct ImageWindow: Sendable {
  package var input, output: ImageShape
  package var kernel = 1
  package var stride = 1
  package var dilation = 1
  package var padTop = 0

  init(_ input: ImageShape, _ output: ImageShape) {
    self.input = input
    self.output = output
  }

  init(_ geometry: WindowGeometry) {
    input = geometry.input
    output = geometry.output
    (kernel, stride, dilation) = (geometry.kernel.h, geometry.strides.h, geometry.dilations.h)
    padTop = geometry.padBegins.h
  }

  /// Input rows from one output row's first to its last.
  var span: Int { (kernel - 1) * dilation + 1 }

  /// The first input row that output row `y` needs, and the row behind the last; both within the image.
  func firstInput(_ y: Int) -> Int { min(max(0, y * stride - padTop), input.height) }
  func endInput(_ y: Int) -> Int { min(max(0, y * stride - padTop + span), input.height) }
}

/// A kernel that computes any rows and channels of its output image from the rows of its first operand, so that it can
/// take part in a segment.
package protocol ImageKernel: Kernel {
  var window: ImageWindow { get }
  /// The form of the first operand, and that of the output and of what is added to it.
  var operandForm: Form { get }
  var resultForm: Form { get }
  /// Pieces that the output's channels can be computed in.
  var panels: Int { get }
  /// Whether a channel of the output needs only the same channel of the input.
  var isChannelwise: Bool { get }
  /// The operand that is added to the result, if the node has it.
  var residualOperand: Int? { get }
  /// Whether threads share panels instead of rows when the kernel runs by itself.
  var sharesPanels: Bool { get }

  /// The first channel block of a panel; of the panel behind the last, the number of blocks.
  func firstBlock(ofPanel panel: Int) -> Int
  /// Bytes that a job of so many rows needs.
  func scratchBytes(rows: Int) -> Int
  func bindImage(_ memory: Operands) -> ImageStep
}

extension ImageKernel {
  package var imageKernel: (any ImageKernel)? { self }
  package var units: Int { sharesPanels ? panels : window.output.batch * window.output.height }
  package var scratchBytes: Int { scratchBytes(rows: window.output.height) }
  package var resultForm: Form { .blocked }
  package var outputForm: Form { resultForm }
  package func inputForm(_ index: Int) -> Form {
    index == 0 ? operandForm : index == residualOperand ? resultForm : .plain
  }

  /// The whole output by itself.
  package func bind(_ memory: Operands) -> BoundStep {
    let vector = memory.functions.vectorWidth
    var residual: WholeImages?
    if let operand = residualOperand, let address = memory.optional(operand) {
      residual = WholeImages(window.output, resultForm, vector, address)
    }
    let context = memory.context(
      WholeContext(
        step: bindImage(memory), input: WholeImages(window.input, operandForm, vector, memory.input(0)),
        output: WholeImages(window.output, resultForm, vector, memory.outputs[0]), residual: residual,
        batch: window.output.batch, height: window.output.height, panels: panels))
    let byPanels: BoundStep.Body = { context, begin, end, scratch in
      let c = context.assumingMemoryBound(to: WholeContext.self)
      for image in 0..<c.pointee.batch {
        c.pointee.run(image, 0..<c.pointee.height, begin..<end, scratch)
      }
    }
    let byRows: BoundStep.Body = { context, begin, end, scratch in
      let c = context.assumingMemoryBound(to: WholeContext.self)
      let height = c.pointee.height
      var row = begin
      while row < end {
        let (image, first) = (row / height, row % height)
        let last = min(height, first + end - row)
        c.pointee.run(image, first..<last, 0..<c.pointee.panels, scratch)
        row += last - first
      }
    }
    return BoundStep(body: sharesPanels ? byPanels : byRows, context: context)
  }
}

/// All images of a batch in memory.
struct WholeImages {
  var first: ImageRows
  /// Floats from image to image.
  var image: Int

  init(_ shape: ImageShape, _ form: Form, _ vector: Int, _ address: UnsafeMutableRawPointer) {
    let layout = shape.layout(of: form, vector: vector)
    first = ImageRows(
      base: address.assumingMemoryBound(to: Float.self), row: shape.width * layout.pixel,
      block: form == .planar ? layout.lane : layout.block,
      count: shape.height)
    image = shape.floats(in: form, vector: vector)
  }

  subscript(index: Int) -> ImageRows {
    var rows = first
    rows.base += index * image
    return rows
  }
}

private struct WholeContext {
  var step: ImageStep
  var input, output: WholeImages
  var residual: WholeImages?
  var batch, height, panels: Int

  func run(_ image: Int, _ rows: Range<Int>, _ panels: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
    var job = ImageJob(
      begin: rows.lowerBound, end: rows.upperBound, firstPanel: panels.lowerBound,
      endPanel: panels.upperBound,
      input: input[image], output: output[image], residual: residual?[image], scratch: scratch)
    step.body(step.context, &job)
  }
}
