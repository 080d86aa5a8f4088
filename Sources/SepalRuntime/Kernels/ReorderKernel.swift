import CSepalKernels

/// Copies an image from one form to another; threads share images and pixels.
struct ReorderKernel: Kernel {
  static let operators: [String] = []

  private static let stretch = 128
  private let shape: ImageShape
  private let from, to: Form
  private let vector: Int
  let summary: String
  private var stretches: Int { (shape.pixels + Self.stretch - 1) / Self.stretch }
  var units: Int { shape.batch * stretches }
  var work: Int { shape.batch * shape.pixels * shape.channels }
  var loads: [KernelLoad] { [Self.load(shape)] }
  var outputForm: Form { to }
  func inputForm(_ index: Int) -> Form { from }

  /// The planner inserts these; no node asks for one.
  init?(_ site: Site) { nil }

  init(_ shape: ImageShape, from: Form, to: Form, vector: Int) {
    (self.shape, self.from, self.to, self.vector) = (shape, from, to, vector)
    summary = "reorder \(from) to \(to)"
  }

  static func load(_ shape: ImageShape) -> KernelLoad {
    .bytes(.reorder, 2 * shape.batch * shape.pixels * shape.channels * MemoryLayout<Float>.size)
  }

  private struct Context {
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var from, to: sepal_layout
    var inputImage, outputImage: Int
    var pixels, channels, vector, stretches: Int
  }

  func bind(_ memory: Operands) -> BoundStep {
    let context = Context(
      input: memory.floats(0), output: memory.outputFloats(), from: shape.layout(of: from, vector: vector),
      to: shape.layout(of: to, vector: vector), inputImage: shape.floats(in: from, vector: vector),
      outputImage: shape.floats(in: to, vector: vector), pixels: shape.pixels, channels: shape.channels,
      vector: vector, stretches: stretches)
    return BoundStep(
      body: { context, begin, end, _ in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        for unit in begin..<end {
          let (image, first) = (unit / c.stretches, unit % c.stretches * Self.stretch)
          sepal_reorder(
            c.output + image * c.outputImage + first * c.to.pixel, c.to,
            c.input + image * c.inputImage + first * c.from.pixel, c.from,
            min(Self.stretch, c.pixels - first),
            c.channels, c.vector)
        }
      }, context: memory.context(context))
  }
}
