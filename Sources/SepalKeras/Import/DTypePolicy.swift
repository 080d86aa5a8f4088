import SepalTensor

extension LayerConfig {
  /// The name of the precision that the layer computes in, such as `mixed_float16`; nil where it is the default.
  var policyName: String? {
    guard let dtype = config["dtype"] else { return nil }
    return dtype.string ?? dtype.object?["config"]?.object?["name"]?.string
  }

  /// Whether weights or activations are stored as small integers with scales.
  fileprivate var isQuantized: Bool {
    if let policy = config["dtype"]?.object {
      let className = policy["class_name"]?.string ?? ""
      if className.contains("Quantized") || className.contains("GPTQ") || className.contains("AWQ") {
        return true
      }
      if policy["config"]?.object?["mode"]?.string != nil { return true }
    }
    return policyName?.contains("_from_") == true
  }
}

extension ModelImport {
  /// Everything is computed in float32 here: says so where Keras would use another precision, and refuses quantised
  /// layers, whose weights mean something else.
  func checkPolicy(of layer: LayerConfig, _ name: String) throws(KerasError) {
    guard !layer.isQuantized else {
      throw KerasError(.unsupported, "is quantised", field: "dtype")
    }
    guard let policy = layer.policyName, !["float32", "_infer"].contains(policy) else { return }
    let isMixed = policy == "mixed_float16" || policy == "mixed_bfloat16"
    let element = ElementType(name: policy)
    guard isMixed || element != nil else {
      throw KerasError(.unsupported, "is the policy '\(policy.printable())'", field: "dtype")
    }
    // An integer policy only says that nothing is cast.
    guard isMixed || element?.isFloat == true else { return }
    noteFirst(
      "policy \(policy)", "computed in float32 instead of \(policy), which is the precision of '\(name)'")
  }
}
