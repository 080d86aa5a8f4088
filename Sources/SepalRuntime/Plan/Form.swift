import CSepalKernels
import SepalTensor

/// How the elements of a value are arranged in memory while a model runs.
package enum Form: Sendable, Hashable {
  /// Row-major, as the graph says; for an image that is [batch][pixels][channels].
  case plain
  /// An image with its channels first: [batch][channels][pixels].
  case planar
  /// An image in blocks of as many channels as a vector holds: [batch][blocks][pixels][vector]. The lanes beyond the
  /// last channel mean nothing, and nothing that means something is computed from them.
  case blocked
}

/// A channels-last float32 tensor with one or two spatial axes. One axis is a height of 1.
package struct ImageShape: Sendable, Hashable {
  package var batch, height, width, channels: Int

  package init?(_ type: TensorType) {
    guard type.element == .float32, type.rank == 3 || type.rank == 4, !type.shape.contains(0) else {
      return nil
    }
    batch = type.shape[0]
    height = type.rank == 3 ? 1 : type.shape[1]
    width = type.shape[type.rank - 2]
    channels = type.shape[type.rank - 1]
  }

  package var pixels: Int { height * width }

  /// Channel blocks of one image.
  package func blocks(_ vector: Int) -> Int { (channels + vector - 1) / vector }

  /// Floats of one image.
  package func floats(in form: Form, vector: Int) -> Int {
    pixels * (form == .blocked ? blocks(vector) * vector : channels)
  }

  /// Whether the bytes of the two forms are the same. A single pixel's blocks follow each other like its channels; the
  /// room behind them is there, since every value has room up to a whole vector.
  func isSame(_ a: Form, _ b: Form, vector: Int) -> Bool {
    if a == b { return true }
    if a == .blocked || b == .blocked {
      return pixels == 1 && (batch == 1 || channels % vector == 0)
    }
    return pixels == 1 || channels == 1
  }

  func layout(of form: Form, vector: Int) -> sepal_layout {
    switch form {
    case .plain: sepal_layout(pixel: channels, block: vector, lane: 1)
    case .planar: sepal_layout(pixel: 1, block: vector * pixels, lane: pixels)
    case .blocked: sepal_layout(pixel: vector, block: vector * pixels, lane: 1)
    }
  }
}
