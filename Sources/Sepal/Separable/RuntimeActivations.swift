import SepalGraph
import SepalPasses
import SepalRuntime
import SepalTensor

/// Runs graphs on samples with the runtime, step by step, and holds none of what they compute.
public struct RuntimeActivations: ActivationSource {
  public let count: Int
  private let sample: @Sendable (Int) throws(CalibrationError) -> [String: Tensor]

  public init(_ samples: CalibrationSamples) {
    count = samples.count
    sample = { (index) throws(CalibrationError) in samples[index] }
  }

  /// Samples are read anew for each run; the first so many are used.
  public init(_ samples: InputSamples, mostSamples: Int = 1024) {
    count = min(samples.count, mostSamples)
    sample = { (index) throws(CalibrationError) in
      do throws(SepalError) {
        return try samples.sample(index).inputs
      } catch {
        throw CalibrationError(error.message)
      }
    }
  }

  public func run(
    _ graph: Graph, observing values: Set<ValueID>, _ observe: (Int, ValueID, Tensor) -> Void
  ) throws(CalibrationError) {
    var options = ModelOptions(threads: 1)
    // Every value is to be seen.
    options.fusesSegments = false
    let session: Session
    do {
      session = try Model(graph, options: options).makeSession()
    } catch {
      throw CalibrationError("\(error)")
    }
    let inputs = values.intersection(graph.inputs).sorted()
    for index in 0..<count {
      let feeds = try sample(index)
      for input in inputs {
        if let tensor = feeds[graph.value(input).name] { observe(index, input, tensor) }
      }
      do {
        _ = try session.run(inputs: feeds) { value, tensor in
          if values.contains(value) { observe(index, value, tensor) }
        }
      } catch {
        throw CalibrationError("\(error)")
      }
    }
  }
}
