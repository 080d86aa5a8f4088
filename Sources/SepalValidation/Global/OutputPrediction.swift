import SepalGraph
import SepalTensor

/// An output of a graph as its reference has it, and how far from that an evaluation in its declared precision is to be
/// expected.
public struct OutputPrediction: Sendable {
  public let name: String
  /// In double precision where the output is of a floating-point type.
  public let reference: Tensor
  /// For each element the standard deviation of the rounding errors that reach it; 0 where it is exact.
  public let sigma: [Double]

  init(name: String, _ estimate: Estimate) {
    self.name = name
    reference = estimate.value
    sigma = estimate.errors.map { $0.squareRoot() }
  }
}

/// Predicts outputs and their errors.
///
/// Every rounding is taken for an independent random error of mean zero, passed on by squares of weights and derivatives.
/// Real errors depend on each other: a verdict allows for several times sigma (`Validator.Options.deviations`).
public struct Predictor: Sendable {
  private let graph: Graph
  private let nodes: [Node]
  private let approximations: Approximations
  let analysis: ErrorAnalysis

  /// - Parameters:
  ///   - precision: in which the weights of the model that is judged are stored.
  ///   - approximations: what it approximates.
  public init(
    _ graph: Graph, precision: WeightPrecision = .single, approximations: Approximations = Approximations()
  ) {
    self.graph = graph
    self.approximations = approximations
    nodes = graph.nodes
    analysis = ErrorAnalysis(measure: .variance, weightVariance: precision.relativeVariance)
  }

  /// - Parameter inputs: one tensor per graph input, of the declared type.
  public func predict(_ inputs: [String: Tensor]) throws(ComparisonError) -> [OutputPrediction] {
    var run = try start(inputs)
    try run.finish()
    return try run.outputs()
  }

  func start(_ inputs: [String: Tensor]) throws(ComparisonError) -> ReferenceRun {
    try ReferenceRun(graph, nodes: nodes, inputs: inputs, analysis: analysis, approximations: approximations)
  }
}

/// How exactly a converted model keeps its weights.
public enum WeightPrecision: String, Sendable, Hashable {
  case single = "f32"
  case half = "f16"

  /// What `converted` was stored in. Files are decoded to float32, so the elements tell: when most of them are numbers of
  /// binary16 and those of the original are not, they were rounded to it.
  public init(of converted: Graph, from original: Graph) {
    self = Self.halfShare(converted) > 0.5 && Self.halfShare(original) < 0.5 ? .half : .single
  }

  /// The variance of a weight's relative error; rounding to single precision is counted with the arithmetic.
  var relativeVariance: Double { self == .half ? Rounding(.float16).variance : 0 }

  /// The share of the elements of float32 parameters that are in tensors of numbers of binary16 only.
  private static func halfShare(_ graph: Graph) -> Double {
    var (half, all) = (0, 0)
    for value in graph.values {
      guard let constant = value.constant, constant.element == .float32, constant.count >= 16 else {
        continue
      }
      all += constant.count
      let isHalf = constant.withUnsafeBytes { bytes in
        (0..<constant.count).allSatisfy { index in
          let number = bytes.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
          return Float(halfBits: number.halfBits) == number
        }
      }
      if isHalf { half += constant.count }
    }
    return all > 0 ? Double(half) / Double(all) : 0
  }
}
