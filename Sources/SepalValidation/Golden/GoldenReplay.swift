import SepalGraph
import SepalRuntime
import SepalTensor

/// Runs a graph on the inputs of its golden vectors and compares with what its source computed.
public struct GoldenReplay: Sendable {
  /// One graph output, over all vectors.
  public struct Output: Sendable, Hashable {
    public var name: String
    /// Elements that were compared, and those that the output has.
    public var compared = 0
    public var count = 0
    /// The largest |difference|; infinite where one side is not finite and the other is something else.
    public var maxAbsolute = 0.0
    /// The bound of the element that came closest to its own or is furthest beyond.
    public var bound = 0.0
    public var isWithinBounds = true
    fileprivate var closest = -1.0

    fileprivate init(name: String) { self.name = name }

    fileprivate mutating func compare(_ actual: Double, _ expected: Double, bound: Double) {
      compared += 1
      let isSame = actual == expected || actual.isNaN && expected.isNaN
      let isComparable = actual.isFinite && expected.isFinite
      let difference = isSame ? 0 : isComparable ? (actual - expected).magnitude : .infinity
      let share = difference == 0 ? 0 : difference / bound
      if share > closest { (closest, self.bound) = (share, bound) }
      maxAbsolute = max(maxAbsolute, difference)
      if !(difference <= bound) { isWithinBounds = false }
    }
  }

  public private(set) var outputs: [Output] = []
  public let vectors: Int
  /// Whose kernels ran.
  public private(set) var instructionSet = ""
  public var isEquivalent: Bool { outputs.allSatisfy(\.isWithinBounds) }

  /// - Throws: `ComparisonError` when there are no vectors, their inputs cannot be made, or the graph cannot be run.
  public init(_ graph: Graph, options: ModelOptions = ModelOptions()) throws(ComparisonError) {
    let golden = graph.provenance.golden
    guard !golden.isEmpty else { throw ComparisonError("holds no golden vectors") }
    vectors = golden.count
    outputs = graph.outputs.map { Output(name: $0.name) }
    if let unknown = golden.first(where: { $0.generator != GoldenInputs.generator }) {
      throw ComparisonError(
        "the inputs of its golden vectors are made by generator \(unknown.generator), expected \(GoldenInputs.generator)"
      )
    }
    do {
      let model = try Model(graph, options: options)
      instructionSet = model.plan.instructionSet.rawValue
      let session = model.makeSession()
      for vector in golden {
        let actual = try session.run(inputs: GoldenInputs.make(for: graph, seed: vector.seed))
        for (index, golden) in vector.outputs.enumerated() {
          compare(actual[golden.name]?.doubles() ?? [], golden, seed: vector.seed, at: index)
        }
      }
    } catch {
      throw ComparisonError("cannot be run: \(error)")
    }
  }

  private mutating func compare(
    _ actual: [Double], _ golden: GoldenVector.Output, seed: UInt64, at index: Int
  ) {
    outputs[index].count = golden.count
    guard actual.count == golden.count else {
      outputs[index].isWithinBounds = false
      return
    }
    let positions = GoldenVector.positions(count: golden.count, samples: golden.values.count, seed: seed)
    for (sample, position) in positions.enumerated() {
      let bound = golden.bounds[golden.bounds.count == 1 ? 0 : sample]
      outputs[index].compare(actual[position], golden.values[sample], bound: Double(bound))
    }
  }
}
