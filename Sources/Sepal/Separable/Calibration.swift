import SepalGraph
import SepalImages

/// Where samples of a model's inputs are that approximations are fitted to.
public struct Calibration: Sendable, Hashable {
  /// What `InputSamples` reads: an `F.npz` or `F.npy`, a folder of `.npy` files, of images, or of ONNX's test data.
  public var path: String
  /// How images become inputs.
  public var preprocessing: ImagePreprocessing?

  public init(path: String, preprocessing: ImagePreprocessing? = nil) {
    self.path = path
    self.preprocessing = preprocessing
  }

  func activations(for graph: Graph) throws(SepalError) -> RuntimeActivations {
    RuntimeActivations(try InputSamples([path], for: graph, preprocessing: preprocessing))
  }
}
