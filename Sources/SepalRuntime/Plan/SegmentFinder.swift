/// Cuts chains of image kernels into segments. Where to cut is decided by `SegmentCost`; a chain's cheapest cut is found
/// by dynamic programming, in time linear in its length.
struct SegmentFinder {
  private static let longest = 5

  private let steps: [PlanStep]
  private let values: [PlanValue]
  private let cost: SegmentCost
  private let vector: Int
  /// For each step the one that alone reads its output as an image, if there is one.
  private var next: [Int?]

  init(
    _ steps: [PlanStep], _ values: [PlanValue], threads: Int, vector: Int, outputs: Set<Int>,
    forced: SegmentCost.Way? = nil
  ) {
    self.steps = steps
    self.values = values
    self.vector = vector
    cost = SegmentCost(threads: threads, vector: vector, forced: forced)
    var readers = [[Int]](repeating: [], count: values.count)
    for (index, step) in steps.enumerated() {
      for case let input? in step.inputs { readers[input].append(index) }
    }
    next = steps.map { step in
      guard let kernel = step.kernel.imageKernel, kernel.resultForm == .blocked,
        let output = step.outputs.first, !outputs.contains(output), readers[output].count == 1,
        let reader = readers[output].first, steps[reader].inputs[0] == output,
        let consumer = steps[reader].kernel.imageKernel, consumer.operandForm == .blocked
      else { return nil }
      return reader
    }
  }

  /// The steps with segments in the place of their last stages.
  func fused() -> [PlanStep] {
    var replaced = [PlanStep?](repeating: nil, count: steps.count)
    var isGone = [Bool](repeating: false, count: steps.count)
    var isInner = [Bool](repeating: false, count: steps.count)
    for case let reader? in next { isInner[reader] = true }
    for index in steps.indices where next[index] != nil && !isInner[index] {
      var chain = [index]
      while let reader = next[chain[chain.count - 1]] { chain.append(reader) }
      for cut in cheapestCuts(chain) where cut.stages.count > 1 {
        for stage in cut.stages { isGone[stage] = true }
        replaced[cut.stages[cut.stages.count - 1]] = segment(cut)
      }
    }
    return steps.indices.compactMap { replaced[$0] ?? (isGone[$0] ? nil : steps[$0]) }
  }

  private struct Cut {
    var stages: [Int]
    var way: SegmentCost.Way
  }

  private func cheapestCuts(_ chain: [Int]) -> [Cut] {
    // The cheapest way to run the first n stages, and where its last segment begins.
    var best: [(cost: Double, begin: Int, way: SegmentCost.Way)] = [(0, 0, .alone)]
    for end in 1...chain.count {
      var choice = (cost: Double.infinity, begin: 0, way: SegmentCost.Way.alone)
      for begin in max(0, end - Self.longest)..<end {
        let kernels = chain[begin..<end].compactMap { steps[$0].kernel.imageKernel }
        let (price, way) = cost.cheapest(kernels)
        if best[begin].cost + price < choice.cost { choice = (best[begin].cost + price, begin, way) }
      }
      best.append(choice)
    }
    var cuts: [Cut] = []
    var end = chain.count
    while end > 0 {
      cuts.append(Cut(stages: Array(chain[best[end].begin..<end]), way: best[end].way))
      end = best[end].begin
    }
    return cuts
  }

  private func segment(_ cut: Cut) -> PlanStep {
    let parts = cut.stages.map { steps[$0] }
    let kernels = parts.compactMap { $0.kernel.imageKernel }
    var inputs = [parts[0].inputs[0]]
    let residuals = zip(parts, kernels).map { part, kernel -> Int? in
      guard let operand = kernel.residualOperand, operand < part.inputs.count,
        let value = part.inputs[operand]
      else { return nil }
      inputs.append(value)
      return inputs.count - 1
    }
    let kernel: any Kernel
    switch cut.way {
    case .rows(let strip): kernel = RowSegment(kernels, residuals: residuals, strip: strip, vector: vector)
    case .panels, .alone: kernel = ChannelSegment(kernels, residuals: residuals, vector: vector)
    }
    return PlanStep(
      nodes: parts.flatMap(\.nodes), kernel: kernel, inputs: inputs, outputs: parts[parts.count - 1].outputs)
  }
}
