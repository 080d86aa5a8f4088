import CSepalKernels

/// A chain of image kernels that runs strip by strip: each strip of the last one's rows pulls the rows that it needs
/// through the chain. What the stages hand to each other lives in rings of a few rows and stays in cache.
///
/// Threads share the rows of the result; where their shares meet, both compute the rows that both need.
struct RowSegment: Kernel {
  static let operators: [String] = []

  private let stages: [any ImageKernel]
  /// For each stage, which operand of the segment is added to its result.
  private let residuals: [Int?]
  /// Rows of the result that are computed at a time.
  private let strip: Int
  private let rings: [Ring]
  private let stageScratch: Int
  let scratchBytes: Int
  let summary: String
  let work: Int
  var weightBytes: Int { stages.reduce(0) { $0 + $1.weightBytes } }
  var loads: [KernelLoad] { stages.flatMap(\.loads) }
  private var last: any ImageKernel { stages[stages.count - 1] }
  var units: Int { last.window.output.batch * last.window.output.height }
  var outputForm: Form { last.outputForm }

  /// The latest rows of a stage's result.
  struct Ring {
    var offset: Int
    /// Rows kept, floats from row to row and from block to block, floats of all.
    var rows, row, block, floats: Int

    /// - Parameter offset: in bytes, of the thread's memory.
    init(_ shape: ImageShape, rows: Int, vector: Int, offset: Int) {
      self.offset = offset
      self.rows = rows
      row = shape.width * vector
      block = rows * row
      floats = shape.blocks(vector) * block
    }

    var byteCount: Int { (floats * MemoryLayout<Float>.size + 63) / 64 * 64 }
  }

  init?(_ site: Site) { nil }

  init(_ stages: [any ImageKernel], residuals: [Int?], strip: Int, vector: Int) {
    self.stages = stages
    self.residuals = residuals
    self.strip = strip
    // Most rows that a stage may be asked for at once.
    var rows = [Int](repeating: strip, count: stages.count)
    for index in stride(from: stages.count - 1, to: 0, by: -1) {
      let window = stages[index].window
      rows[index - 1] = min(window.input.height, (rows[index] - 1) * window.stride + window.span)
    }
    var offset = (2 * stages.count * MemoryLayout<Int>.size + 63) / 64 * 64
    stageScratch = offset
    offset += ((zip(stages, rows).map { $0.scratchBytes(rows: $1) }.max() ?? 0) + 63) / 64 * 64
    var rings: [Ring] = []
    for index in 0..<stages.count - 1 {
      let ring = Ring(stages[index].window.output, rows: rows[index], vector: vector, offset: offset)
      offset += ring.byteCount
      rings.append(ring)
    }
    self.rings = rings
    scratchBytes = offset
    work = stages.reduce(0) { $0 + $1.work }
    summary = "rows by \(strip): " + stages.map(\.summary).joined(separator: " → ")
  }

  func inputForm(_ index: Int) -> Form { index == 0 ? stages[0].operandForm : .blocked }

  private struct Stage {
    var step: ImageStep
    var window: ImageWindow
    var panels: Int
    var ring: Ring?
    var residual: WholeImages?
  }

  private struct Context {
    var stages: UnsafePointer<Stage>
    var count: Int
    var input, output: WholeImages
    var strip, height, stageScratch: Int

    func run(_ image: Int, _ begin: Int, _ end: Int, _ scratch: UnsafeMutableRawPointer) {
      let done = scratch.assumingMemoryBound(to: Int.self)
      let target = done + count
      let last = count - 1
      for index in 0..<last { done[index] = 0 }
      done[last] = begin
      var y = begin
      while y < end {
        y = min(end, y + strip)
        target[last] = y
        for index in stride(from: last, to: 0, by: -1) {
          // Rows that a stride steps over are left out.
          done[index - 1] = max(done[index - 1], stages[index].window.firstInput(done[index]))
          let needed = target[index] > done[index] ? stages[index].window.endInput(target[index] - 1) : 0
          target[index - 1] = max(done[index - 1], needed)
        }
        for index in 0..<count where target[index] > done[index] {
          var job = ImageJob(
            begin: done[index], end: target[index], firstPanel: 0, endPanel: stages[index].panels,
            input: index == 0 ? input[image] : rows(of: index - 1, scratch),
            output: index == last ? output[image] : rows(of: index, scratch),
            residual: stages[index].residual?[image], scratch: scratch + stageScratch)
          stages[index].step.body(stages[index].step.context, &job)
          done[index] = target[index]
        }
      }
    }

    private func rows(of stage: Int, _ scratch: UnsafeMutableRawPointer) -> ImageRows {
      guard let ring = stages[stage].ring else { return output[0] }
      return ImageRows(
        base: (scratch + ring.offset).assumingMemoryBound(to: Float.self), row: ring.row, block: ring.block,
        count: ring.rows)
    }
  }

  func bind(_ memory: Operands) -> BoundStep {
    let vector = memory.functions.vectorWidth
    let stages = self.stages.indices.map { index in
      let kernel = self.stages[index]
      return Stage(
        step: kernel.bindImage(memory), window: kernel.window, panels: kernel.panels,
        ring: index < rings.count ? rings[index] : nil,
        residual: residuals[index].map {
          WholeImages(kernel.window.output, .blocked, vector, memory.input($0))
        })
    }
    let (first, height) = (self.stages[0], last.window.output.height)
    let context = memory.context(
      Context(
        stages: memory.session.keep(stages), count: stages.count,
        input: WholeImages(first.window.input, first.operandForm, vector, memory.input(0)),
        output: WholeImages(last.window.output, .blocked, vector, memory.outputs[0]), strip: strip,
        height: height, stageScratch: stageScratch))
    return BoundStep(
      body: { context, begin, end, scratch in
        let c = context.assumingMemoryBound(to: Context.self)
        var row = begin
        while row < end {
          let (image, first) = (row / c.pointee.height, row % c.pointee.height)
          let count = min(c.pointee.height - first, end - row)
          c.pointee.run(image, first, first + count, scratch)
          row += count
        }
      }, context: context)
  }
}
