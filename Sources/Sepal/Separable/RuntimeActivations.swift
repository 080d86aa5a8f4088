import SepalGraph
import SepalPasses
import SepalRuntime
import SepalTensor

/// Runs graphs on samples with the runtime, step by step, and holds none of what they compute.
public struct RuntimeActivations: ActivationSource {
  private let samples: CalibrationSamples

  public init(_ samples: CalibrationSamples) { self.samples = samples }

  public var count: Int { samples.count }

  public func run(
    _ graph: Graph, observing values: Set<ValueID>, _ observe: (Int, ValueID, Tensor) -> Void
  ) throws(CalibrationError) {
    var options = ModelOptions(threads: 1)
    // Every value is to be seen.
    options.fusesSegments = false
    do throws(RuntimeError) {
      let session = try Model(graph, options: options).makeSession()
      let inputs = values.intersection(graph.inputs).sorted()
      for sample in 0..<count {
        let feeds = samples[sample]
        for input in inputs {
          if let tensor = feeds[graph.value(input).name] { observe(sample, input, tensor) }
        }
        _ = try session.run(inputs: feeds) { value, tensor in
          if values.contains(value) { observe(sample, value, tensor) }
        }
      }
    } catch {
      throw CalibrationError("\(error)")
    }
  }
}
