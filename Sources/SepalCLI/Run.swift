import ArgumentParser
import Sepal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on arrays from .npy and .npz files, or on images.")

  @Argument(help: "The model: \(SourceOptions.formats).")
  var model: String

  @OptionGroup var source: SourceOptions

  @Option(
    help: """
      An input: name=F.npy, an F.npz whose members are named like the inputs, or a JPEG or PNG file. Repeat for several.
      """)
  var input: [String] = []

  @Option(help: ImagePreprocessing.help)
  var preprocess: ImagePreprocessing?

  @Option(help: "Write all outputs to this .npz file.")
  var output: String?

  @Option(help: "Print the K largest elements of each output with their softmax.")
  var top: Int?

  @Option(help: "Threads to run on.")
  var threads = 1

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top is \(top), expected 1 or more") }
    guard threads >= 1 else { throw ValidationError("--threads is \(threads), expected 1 or more") }
    if input.isEmpty { throw ValidationError("no --input was given") }
  }

  func run() throws {
    let file = try source.load(model, .model)
    var arrays = NamedArrays(preprocessing: preprocess)
    for argument in input { try arrays.add(argument, for: file.graph) }
    let tensors = try arrays.inputs(for: file.graph)
    let outputs = try (consume file).run(tensors, threads: threads)
    for (name, tensor) in outputs {
      print("\(name): \(tensor.element) \(shapeText(tensor.shape))\(top == nil ? range(tensor) : "")")
      if let top { printTop(top, tensor) }
    }
    if let output { try write(outputs, to: output) }
  }

  private func write(_ outputs: [(name: String, tensor: Tensor)], to path: String) throws(SepalError) {
    do {
      try NumpyFile.write(outputs, to: path)
    } catch {
      throw SepalError(.inaccessible, error.description)
    }
  }

  private func range(_ tensor: Tensor) -> String {
    let values = tensor.doubles()
    guard let low = values.min(), let high = values.max() else { return ", empty" }
    let mean = values.reduce(0, +) / Double(values.count)
    return ", \(Float(low)) to \(Float(high)), mean \(Float(mean))"
  }

  /// The largest elements along the last axis, a block per row.
  private func printTop(_ count: Int, _ tensor: Tensor) {
    let width = tensor.shape.last ?? 1
    let values = tensor.doubles()
    guard width > 0 else { return }
    for start in stride(from: 0, to: values.count, by: width) {
      let row = values[start..<start + width]
      let largest = row.max() ?? 0
      let sum = row.reduce(0) { $0 + exp($1 - largest) }
      // Rows that already are probabilities stay as they are.
      let isDistribution = row.allSatisfy { $0 >= 0 } && (row.reduce(0, +) - 1).magnitude < 1e-3
      let order = row.indices.sorted { (values[$1], $0) < (values[$0], $1) }
      for index in order.prefix(count) {
        let share = isDistribution ? values[index] : exp(values[index] - largest) / sum
        print(
          "  \(String(repeating: " ", count: max(0, 5 - String(index - start).count)))\(index - start)  \(fixed(share, 3))  \(Float(values[index]))"
        )
      }
    }
  }
}
