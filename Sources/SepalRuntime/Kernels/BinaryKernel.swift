import CSepalKernels
import SepalGraph

/// Binary arithmetic where broadcasting is by rows, columns or both of a stack of matrices.
struct BinaryKernel: Kernel {
  static let operators = ["Add", "Sub", "Mul", "Div", "Min", "Max"]

  private let problem: sepal_binary
  private let slices: Int
  private let xSlice, ySlice: Int
  private let blockRows: Int
  private let wholeOperands, scalarOperands: [Int]
  let outputForm: Form
  let summary: String
  let work: Int
  var units: Int { slices * ((problem.rows + blockRows - 1) / blockRows) }
  var inPlaceOperands: [Int] { wholeOperands }

  init?(_ site: Site) {
    guard site.isFloat32, let op = Self.operation(site) else { return nil }
    var shapes = (site.outputs[0].shape, site.inputs[0].shape, site.inputs[1].shape)
    if let blocked = Self.blockedShapes(site) {
      shapes = blocked
      outputForm = .blocked
    } else {
      outputForm = .plain
    }
    guard let shared = BroadcastMatrix(shapes.0, shapes.1, shapes.2) else { return nil }
    var problem = sepal_binary()
    problem.op = op
    (problem.rows, problem.columns) = (shared.rows, shared.columns)
    (problem.x_stride, problem.y_stride) = (shared.x.row, shared.y.row)
    (problem.x_step, problem.y_step) = (shared.x.column == 1, shared.y.column == 1)
    problem.dst_stride = shared.columns
    problem.activation = sepal_activation(
      (site.node.op as? any ActivatedOperator)?.activation ?? .identity)
    self.problem = problem
    slices = shared.slices
    (xSlice, ySlice) = (shared.x.slice, shared.y.slice)
    blockRows = max(1, 4096 / shared.columns)
    wholeOperands = [0, 1].filter { site.inputs[$0].count == site.outputs[0].count }
    scalarOperands = [0, 1].filter { site.inputs[$0].count == 1 }
    work = 2 * site.outputs[0].count
    summary = "binary \(site.node.op.name.lowercased()) \(shared.slices)x\(shared.rows)x\(shared.columns)"
  }

  func inputForm(_ index: Int) -> Form { scalarOperands.contains(index) ? .plain : outputForm }

  /// The shapes as [batch, blocks, pixels, vector] where an operand is blocked already and each can be: an image, one
  /// value per channel, or a scalar.
  private static func blockedShapes(_ site: Site) -> ([Int], [Int], [Int])? {
    guard site.form(0) == .blocked || site.form(1) == .blocked, let output = ImageShape(site.outputs[0])
    else { return nil }
    let vector = site.functions.vectorWidth
    func shape(_ image: ImageShape) -> [Int] {
      [image.batch, image.blocks(vector), image.pixels, vector]
    }
    let operands = (0..<2).compactMap { index -> [Int]? in
      if site.inputs[index].count == 1 { return [1, 1, 1, 1] }
      guard site.constant(index) == nil, site.inputs[index].rank == site.outputs[0].rank,
        let image = ImageShape(site.inputs[index]),
        image.channels == output.channels, image.batch == output.batch || image.batch == 1,
        image.pixels == 1 || (image.height, image.width) == (output.height, output.width)
      else { return nil }
      return shape(image)
    }
    return operands.count == 2 ? (shape(output), operands[0], operands[1]) : nil
  }

  private static func operation(_ site: Site) -> sepal_binary_op? {
    switch site.node.op.name {
    case "Add": SEPAL_ADD
    case "Sub": SEPAL_SUB
    case "Mul": SEPAL_MUL
    case "Div": SEPAL_DIV
    case "Min": SEPAL_MIN
    case "Max": SEPAL_MAX
    default: nil
    }
  }

  private struct Context {
    var functions: UnsafePointer<sepal_kernels>
    var problem: sepal_binary
    var xSlice, ySlice, blockRows, blocks: Int
  }

  func bind(_ memory: Operands) -> BoundStep {
    var problem = problem
    problem.x = memory.floats(0)
    problem.y = memory.floats(1)
    problem.dst = memory.outputFloats()
    let context = Context(
      functions: memory.functions.table, problem: problem, xSlice: xSlice, ySlice: ySlice,
      blockRows: blockRows, blocks: (problem.rows + blockRows - 1) / blockRows)
    return BoundStep(
      body: { context, begin, end, _ in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        for unit in begin..<end {
          let (slice, row) = (unit / c.blocks, unit % c.blocks * c.blockRows)
          var part = c.problem
          part.rows = min(c.blockRows, c.problem.rows - row)
          part.x = c.problem.x.map { $0 + slice * c.xSlice + row * part.x_stride }
          part.y = c.problem.y.map { $0 + slice * c.ySlice + row * part.y_stride }
          part.dst = c.problem.dst.map { $0 + (slice * c.problem.rows + row) * part.dst_stride }
          c.functions.pointee.binary(&part)
        }
      }, context: memory.context(context))
  }
}

/// Two operands over one result, seen as slices of rows of columns.
private struct BroadcastMatrix {
  var slices = 1
  var rows = 1
  var columns = 1
  /// Floats from slice to slice, row to row and column to column.
  var x = (slice: 0, row: 0, column: 0)
  var y = (slice: 0, row: 0, column: 0)

  /// Nil when the broadcasting changes along more than three groups of axes.
  init?(_ shape: [Int], _ xShape: [Int], _ yShape: [Int]) {
    let (xStrides, yStrides) = (broadcastStrides(xShape, to: shape), broadcastStrides(yShape, to: shape))
    // Neighbouring axes that both operands walk, or skip, alike are one axis. Innermost first.
    var axes: [(extent: Int, x: Int, y: Int)] = []
    for axis in shape.indices.reversed() where shape[axis] > 1 {
      let next = (extent: shape[axis], x: xStrides[axis], y: yStrides[axis])
      if let last = axes.last, next.x == last.x * last.extent, next.y == last.y * last.extent {
        axes[axes.count - 1].extent *= next.extent
      } else {
        axes.append(next)
      }
    }
    guard axes.count <= 3 else { return nil }
    if axes.count > 0 { (columns, x.column, y.column) = axes[0] }
    if axes.count > 1 { (rows, x.row, y.row) = axes[1] }
    if axes.count > 2 { (slices, x.slice, y.slice) = axes[2] }
    guard x.column <= 1, y.column <= 1 else { return nil }
    // One long row is cut up, so that threads can share it and it stays in cache.
    if axes.count == 1, columns % 16 == 0, columns > 4096 {
      rows = columns / 16
      columns = 16
      (x.row, y.row) = (x.column * 16, y.column * 16)
      while rows % 2 == 0, columns < 2048 {
        rows /= 2
        columns *= 2
        (x.row, y.row) = (x.row * 2, y.row * 2)
      }
    }
  }
}
