/// The major version of Keras that wrote a file: some layers and names mean different things.
enum KerasVersion: Sendable {
  case one
  case two
  case three

  /// From `2.15.0`, `2.2.4-tf` or `3.5.0`.
  init(_ text: String) {
    switch text.prefix(while: \.isNumber) {
    case "0", "1": self = .one
    case "2": self = .two
    default: self = .three
    }
  }

  /// From how a configuration is written that does not say: Keras 3 gives inputs a `batch_shape` and operands as `args`.
  init(guessing model: JSONObject) {
    let layers = model["config"]?.object?["layers"]?.array ?? model["config"]?.array ?? []
    let isModern = layers.contains { layer in
      guard let layer = layer.object else { return false }
      return layer["config"]?.object?["batch_shape"] != nil
        || layer["inbound_nodes"]?.array?.contains { $0.object != nil } == true
    }
    self = isModern ? .three : .two
  }
}
