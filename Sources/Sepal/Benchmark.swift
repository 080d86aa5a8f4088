import SepalGraph
import SepalRuntime
import SepalValidation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Times loading and running a model. The keys of its JSON form are part of the command line's contract.
public struct Benchmark: Sendable, Codable {
  public var threads: Int
  public var runs: Int
  /// Reading the file and planning.
  public var loadMs: Double
  /// The first run after loading, which packs the weights.
  public var firstMs: Double
  public var medianMs: Double
  public var minMs: Double
  public var p90Ms: Double
  /// Of this process, so far.
  public var peakRssBytes: Int
  public var peakActivationBytes: Int

  /// What one core can do in multiply-adds, measured before the steps; nil unless profiled.
  public var peakGflops: Double?

  /// One step of the plan on one thread.
  public struct Step: Sendable, Codable {
    /// The last node that it computes; empty where the plan copies a value into another form.
    public var name: String
    public var op: String
    public var kernel: String
    public var macs: Int
    /// Bytes of its operands, results and weights, each counted once.
    public var movedBytes: Int
    public var medianMs: Double
    public var minMs: Double
    /// What `MachineCost` says that it takes; nil unless it was asked.
    public var predictedMs: Double?

    /// Floating-point operations a second, in units of 10⁹.
    public var gflops: Double { medianMs > 0 ? Double(2 * macs) / medianMs / 1e6 : 0 }
  }

  /// In execution order; nil unless profiled.
  public var steps: [Step]?

  /// Loads the model at `path` and runs it on seeded inputs.
  ///
  /// - Parameter cost: predicts the time of each step that is profiled.
  public init(
    path: String, shapes: [String: [Int]] = [:], weights: String? = nil, threads: Int, runs: Int,
    profile: Bool = false, fusesSegments: Bool = true, cost: MachineCost? = nil
  ) throws(SepalError) {
    let clock = ContinuousClock()
    let start = clock.now
    var file = try ModelFile(path: path, shapes: shapes, weights: weights, contents: .model)
    var options = ModelOptions(threads: threads)
    options.fusesSegments = fusesSegments
    let model = try file.makeModel(options)
    do {
      let session = model.makeSession()
      loadMs = (clock.now - start) / .milliseconds(1)
      var generator = InputGenerator(seed: 1)
      for (name, tensor) in generator.inputs(for: model.graph) {
        let buffer = try session.inputBuffer(name)
        tensor.withUnsafeBytes { buffer.copyMemory(from: $0) }
      }
      let first = clock.now
      try session.execute()
      firstMs = (clock.now - first) / .milliseconds(1)
      var times: [Double] = []
      for _ in 0..<max(1, runs) {
        let begin = clock.now
        try session.execute()
        times.append((clock.now - begin) / .milliseconds(1))
      }
      times.sort()
      peakGflops = profile ? model.plan.instructionSet.measuredPeak() / 1e9 : nil
      steps = profile ? try Self.profile(session, runs: runs) : nil
      if let cost, profile {
        for (index, step) in cost.steps(of: model).enumerated() {
          steps?[index].predictedMs = step.milliseconds
        }
      }
      self.threads = threads
      self.runs = times.count
      medianMs = times[times.count / 2]
      minMs = times[0]
      p90Ms = times[min(times.count - 1, times.count * 9 / 10)]
      peakRssBytes = Self.peakResidentBytes()
      peakActivationBytes = model.peakActivationBytes
    } catch {
      throw SepalError(error, path: path)
    }
  }

  /// The median of each step over `runs` runs.
  private static func profile(_ session: Session, runs: Int) throws(RuntimeError) -> [Step] {
    let plan = session.model.plan
    var times = [[Double]](repeating: [], count: plan.steps.count)
    for _ in 0..<max(1, runs) {
      for (index, duration) in try session.profile().enumerated() {
        times[index].append(duration / .milliseconds(1))
      }
    }
    return zip(plan.steps, times).map { step, times in
      Step(
        name: step.nodes.last ?? "", op: step.op, kernel: step.kernel, macs: step.macs,
        movedBytes: step.movedBytes, medianMs: times.sorted()[times.count / 2], minMs: times.min() ?? 0)
    }
  }

  private static func peakResidentBytes() -> Int {
    #if canImport(Darwin)
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #else
      // Unlike getrusage, this does not inherit the peak of the process that started this one.
      guard let file = fopen("/proc/self/status", "r") else { return 0 }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 256)
      while fgets(&line, Int32(line.count), file) != nil {
        var kilobytes = 0
        if withUnsafeMutablePointer(
          to: &kilobytes, { pointer in withVaList([pointer]) { vsscanf(line, "VmHWM: %ld", $0) } }) == 1
        {
          return kilobytes * 1024
        }
      }
      return 0
    #endif
  }
}
