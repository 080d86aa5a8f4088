import SepalTensor

extension LayerConfig {
  /// The static type of a model's input: the leading dimension is 1 where the file leaves it open.
  func inputType(given: [Int]?) throws(KerasError) -> (TensorType, note: String?) {
    func refused(_ code: KerasError.Code, _ message: String) -> KerasError {
      KerasError(code, message, layer: name, className: className)
    }
    guard className == "InputLayer" else {
      throw refused(.invalid, "is listed as an input, expected an InputLayer")
    }
    guard config["sparse"] != .bool(true), config["ragged"] != .bool(true) else {
      throw refused(.unsupported, "is a sparse or ragged input")
    }
    let declared = config["batch_shape"] ?? config["batch_input_shape"]
    guard let dimensions = declared?.array else {
      throw refused(.invalid, "has no batch_shape")
    }
    guard dimensions.count <= TensorType.maximumRank else {
      throw refused(.limit, "has rank \(dimensions.count), expected at most \(TensorType.maximumRank)")
    }
    for dimension in dimensions where dimension.int == nil && !dimension.isNull {
      throw refused(.invalid, "has \(dimension.kind) in its batch_shape, expected integers")
    }
    var shape: [Int] = []
    var note: String?
    if let given {
      guard given.count == dimensions.count else {
        throw refused(
          .invalid, "has rank \(dimensions.count), but the given shape \(given) has rank \(given.count)")
      }
      shape = given
      for (axis, (old, new)) in zip(dimensions, given).enumerated() where old.int != nil && old.int != new {
        note = "dimension \(axis) of input '\(name)' is \(old.int ?? 0) in the file and was set to \(new)"
      }
    } else {
      for (axis, dimension) in dimensions.enumerated() {
        if let value = dimension.int {
          shape.append(value)
        } else if axis == 0 {
          shape.append(1)
          note = "the batch dimension of input '\(name)' is fixed to 1"
        } else {
          let example = dimensions.enumerated().map { $1.int.map(String.init) ?? ($0 == 0 ? "1" : "N") }
          throw refused(
            .invalid,
            "has an open dimension \(axis): give its shape, as in --shape \(name)=\(example.joined(separator: "x"))"
          )
        }
      }
    }
    guard shape.allSatisfy({ (0...Int(Int32.max)).contains($0) }), TensorType.checkedCount(shape) != nil
    else {
      throw refused(.invalid, "has the impossible shape \(shape)")
    }
    let dtype =
      config["dtype"]?.string ?? config["dtype"]?.object?["config"]?.object?["name"]?.string
      // As Keras 1 called it.
      ?? config["input_dtype"]?.string ?? "float32"
    guard let element = ElementType(name: dtype) else {
      throw refused(.unsupported, "is an input of \(dtype)")
    }
    guard element != .float16, element != .bfloat16, element != .float64 else {
      throw refused(.unsupported, "is an input of \(dtype), expected float32 or integers")
    }
    return (TensorType(element, shape), note)
  }
}
