extension ModelConfig {
  /// Calls (layer, call) such that producers come before consumers; among those that could come next, the one listed
  /// first. Linear in the model.
  ///
  /// - Throws: when calls wait for each other.
  func executionOrder(path: String) throws(KerasError) -> [(layer: Int, call: Int)] {
    var starts: [Int] = []
    var count = 0
    for layer in layers {
      starts.append(count)
      count += layer.calls.count
    }
    func index(_ reference: TensorReference) -> Int { starts[reference.layer] + reference.call }
    var waits = [Int](repeating: 0, count: count)
    var readers = [[Int]](repeating: [], count: count)
    var calls: [(layer: Int, call: Int)] = []
    for (layerIndex, layer) in layers.enumerated() {
      for (callIndex, call) in layer.calls.enumerated() {
        let producers = Set(
          (call.positional + call.keywords.map(\.value)).flatMap(\.tensors).map(index))
        waits[calls.count] = producers.count
        for producer in producers { readers[producer].append(calls.count) }
        calls.append((layerIndex, callIndex))
      }
    }
    var order: [(layer: Int, call: Int)] = []
    var ready = waits.indices.filter { waits[$0] == 0 }
    var next = 0
    while next < ready.count {
      let current = ready[next]
      next += 1
      order.append(calls[current])
      for reader in readers[current].sorted() {
        waits[reader] -= 1
        if waits[reader] == 0 { ready.append(reader) }
      }
    }
    guard order.count == count else {
      let waiting = waits.indices.filter { waits[$0] > 0 }
      let names = waiting.prefix(5).map { "'\(layers[calls[$0].layer].name)'" }.joined(separator: ", ")
      throw KerasError(
        .invalid, "has layers that wait for each other: \(names)", layer: path.isEmpty ? nil : path)
    }
    return order
  }

  /// The groups under which Keras 3 files each layer's weights, by layer: the class in snake case, counted per class.
  func weightContainers() -> [[String]] {
    var counts: [String: Int] = [:]
    return layers.map { layer in
      // A Sequential's input is not one of its layers, and operations are none.
      guard !layer.isOperation, className != "Sequential" || layer.className != "InputLayer" else {
        return []
      }
      let name = ModelConfig.snakeCase(layer.className == "Model" ? "Functional" : layer.className)
      let count = counts[name, default: 0]
      counts[name] = count + 1
      return ["layers", count == 0 ? name : "\(name)_\(count)"]
    }
  }

  /// `Conv2DTranspose` → `conv2d_transpose`, `ReLU` → `re_lu`: an underscore before each capital that starts a
  /// lower-case word, and before each capital behind a lower-case letter.
  static func snakeCase(_ className: String) -> String {
    let letters = Array(className.unicodeScalars)
    func isUpper(_ scalar: Unicode.Scalar) -> Bool { ("A"..."Z").contains(scalar) }
    func isLower(_ scalar: Unicode.Scalar) -> Bool { ("a"..."z").contains(scalar) }
    var result = String.UnicodeScalarView()
    for (index, letter) in letters.enumerated() {
      if index > 0, isUpper(letter) {
        let startsWord = index + 1 < letters.count && isLower(letters[index + 1])
        if startsWord || isLower(letters[index - 1]) { result.append("_") }
      }
      result.append(letter)
    }
    return String(result).lowercased()
  }
}
