import SepalGraph
import SepalTensor

/// Runs graphs on samples. Passes know no runtime: whoever has one implements this.
public protocol ActivationSource {
  /// The number of samples.
  var count: Int { get }

  /// Runs `graph`, which has the original's inputs, on every sample in order, and hands over the values asked for, each
  /// as the graph says it is laid out.
  ///
  /// - Parameter observe: hears the index of the sample.
  func run(
    _ graph: Graph, observing values: Set<ValueID>, _ observe: (Int, ValueID, Tensor) -> Void
  ) throws(CalibrationError)
}

/// Why a network could not be run on its samples.
public struct CalibrationError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

/// What a convolution reads in some places of each sample, and what the original makes of its own input there.
///
/// Memory is bounded whatever the number of samples: so few places are drawn from each that all together fit.
struct LayerSamples {
  let patches: ConvolutionPatches
  private let placesPerSample: Int
  private let seed: UInt64
  /// Rows of `[inputs][taps]`; empty unless they are kept.
  private(set) var inputs: [Float] = []
  /// Rows of outputs, before residual and activation.
  private(set) var targets: [Float] = []
  private(set) var moments: PatchMoments

  /// Bytes that the patches of one layer may take.
  private static let mostBytes = 64 << 20
  /// More places than this add nothing.
  private static let mostPlaces = 16_384

  /// - Parameter seed: another for each layer.
  init(_ patches: ConvolutionPatches, samples: Int, seed: UInt64) {
    self.patches = patches
    self.seed = seed
    let fitting = Self.mostBytes / (patches.inputs * patches.taps * MemoryLayout<Float>.size)
    placesPerSample = min(patches.positions, max(1, min(Self.mostPlaces, fitting) / max(1, samples)))
    moments = PatchMoments(patches)
  }

  /// Takes the original's input of this layer, and computes from it what the original makes of it.
  mutating func addOriginal(_ sample: Int, _ image: Tensor) {
    forEachPatch(sample, image) { samples, patch in
      samples.targets += samples.patches.output(of: patch).map(Float.init)
    }
  }

  /// Takes the input that the layer will have, in the same places.
  mutating func addInput(_ sample: Int, _ image: Tensor) {
    forEachPatch(sample, image) { samples, patch in samples.inputs += patch }
  }

  mutating func forgetInputs() { (inputs, moments) = ([], PatchMoments(patches)) }

  private mutating func forEachPatch(
    _ sample: Int, _ image: Tensor, _ body: (inout LayerSamples, [Float]) -> Void
  ) {
    let floats = image.floats()
    let places = patches.sampledPositions(
      placesPerSample, seed: seed &+ UInt64(sample) &* 0x9e37_79b9_7f4a_7c15)
    for place in places {
      let patch = [Float](unsafeUninitializedCapacity: patches.inputs * patches.taps) { buffer, count in
        patches.copyPatch(place, of: floats, to: buffer)
        count = buffer.count
      }
      moments.add(patch)
      body(&self, patch)
    }
  }
}

/// For each input channel the mean of p·pᵀ over patches p.
struct PatchMoments {
  private let taps: Int
  private var count = 0
  /// Lower triangles, channel after channel.
  private var sums: [Double]

  init(_ patches: ConvolutionPatches) {
    taps = patches.taps
    sums = [Double](repeating: 0, count: patches.inputs * taps * taps)
  }

  mutating func add(_ patch: [Float]) {
    count += 1
    sums.withUnsafeMutableBufferPointer { sums in
      for first in stride(from: 0, to: patch.count, by: taps) {
        for a in 0..<taps {
          let (x, row) = (Double(patch[first + a]), (first + a) * taps)
          for b in 0...a { sums[row + b] += x * Double(patch[first + b]) }
        }
      }
    }
  }

  /// For each channel row after row.
  var means: [[Double]] {
    stride(from: 0, to: sums.count, by: taps * taps).map { first in
      (0..<taps * taps).map { place in
        let (a, b) = (max(place / taps, place % taps), min(place / taps, place % taps))
        return sums[first + a * taps + b] / Double(max(1, count))
      }
    }
  }
}
