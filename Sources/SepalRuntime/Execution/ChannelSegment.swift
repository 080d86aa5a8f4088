import CSepalKernels

/// A convolution and the channelwise kernels behind it, panel by panel of its channels: a panel's whole image passes
/// through the chain before the next is begun, and stays in cache meanwhile. Threads share the panels.
struct ChannelSegment: Kernel {
  static let operators: [String] = []

  private let stages: [any ImageKernel]
  private let residuals: [Int?]
  /// Channel blocks of the widest panel.
  private let widest: Int
  /// Bytes from the start of a thread's memory to the images between stages.
  private let planes: [Int]
  let scratchBytes: Int
  let summary: String
  let work: Int
  var weightBytes: Int { stages.reduce(0) { $0 + $1.weightBytes } }
  var loads: [KernelLoad] { stages.flatMap(\.loads) }
  private var last: any ImageKernel { stages[stages.count - 1] }
  var units: Int { stages[0].window.output.batch * stages[0].panels }
  var outputForm: Form { .blocked }

  init?(_ site: Site) { nil }

  init(_ stages: [any ImageKernel], residuals: [Int?], vector: Int) {
    self.stages = stages
    self.residuals = residuals
    let panels = (0..<stages[0].panels).map {
      stages[0].firstBlock(ofPanel: $0 + 1) - stages[0].firstBlock(ofPanel: $0)
    }
    widest = panels.max() ?? 0
    var offset = ((stages.map { $0.scratchBytes(rows: $0.window.output.height) }.max() ?? 0) + 63) / 64 * 64
    var planes: [Int] = []
    for stage in stages.dropLast() {
      planes.append(offset)
      offset += widest * stage.window.output.pixels * vector * MemoryLayout<Float>.size
    }
    self.planes = planes
    scratchBytes = offset
    work = stages.reduce(0) { $0 + $1.work }
    summary = "panels: " + stages.map(\.summary).joined(separator: " → ")
  }

  func inputForm(_ index: Int) -> Form { index == 0 ? stages[0].operandForm : .blocked }

  private struct Stage {
    var step: ImageStep
    var height: Int
    /// Where the result goes, and floats from row to row and block to block; nil for the last stage.
    var plane: (offset: Int, row: Int, block: Int)?
    var residual: WholeImages?
  }

  private struct Context {
    var stages: UnsafePointer<Stage>
    var count: Int
    var input, output: WholeImages
    /// The first channel block of each panel, and the number of blocks.
    var blocks: UnsafePointer<Int>
    var panels: Int

    func run(_ image: Int, _ panel: Int, _ scratch: UnsafeMutableRawPointer) {
      let (firstBlock, endBlock) = (blocks[panel], blocks[panel + 1])
      var rows = input[image]
      for index in 0..<count {
        let stage = stages + index
        var result = output[image]
        if let plane = stage.pointee.plane {
          // So that the panel's first block is the first in memory.
          let base = (scratch + plane.offset).assumingMemoryBound(to: Float.self) - firstBlock * plane.block
          result = ImageRows(base: base, row: plane.row, block: plane.block, count: stage.pointee.height)
        }
        var job = ImageJob(
          begin: 0, end: stage.pointee.height, firstPanel: index == 0 ? panel : firstBlock,
          endPanel: index == 0 ? panel + 1 : endBlock, input: rows, output: result,
          residual: stage.pointee.residual?[image], scratch: scratch)
        stage.pointee.step.body(stage.pointee.step.context, &job)
        rows = result
      }
    }
  }

  func bind(_ memory: Operands) -> BoundStep {
    let vector = memory.functions.vectorWidth
    let bound = stages.indices.map { index in
      let (kernel, shape) = (stages[index], stages[index].window.output)
      return Stage(
        step: kernel.bindImage(memory), height: shape.height,
        plane: index < planes.count
          ? (planes[index], shape.width * vector, shape.pixels * vector) : nil,
        residual: residuals[index].map { WholeImages(shape, .blocked, vector, memory.input($0)) })
    }
    let first = stages[0]
    let context = memory.context(
      Context(
        stages: memory.session.keep(bound), count: bound.count,
        input: WholeImages(first.window.input, first.operandForm, vector, memory.input(0)),
        output: WholeImages(last.window.output, .blocked, vector, memory.outputs[0]),
        blocks: memory.session.keep((0...first.panels).map { first.firstBlock(ofPanel: $0) }),
        panels: first.panels))
    return BoundStep(
      body: { context, begin, end, scratch in
        let c = context.assumingMemoryBound(to: Context.self)
        for unit in begin..<end {
          c.pointee.run(unit / c.pointee.panels, unit % c.pointee.panels, scratch)
        }
      }, context: context)
  }
}
