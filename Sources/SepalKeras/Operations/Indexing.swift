import SepalGraph
import SepalTensor

extension OperationRules {
  static let indexing: [String: Rule] = [
    "GetItem": getItem, "__operators__.getitem": getItem,
    "Slice": slice, "slice": slice,
    "strided_slice": stridedSlice,
    "Take": take, "gather": take, "compat.v1.gather": take,
    "TakeAlongAxis": takeAlongAxis,
    "OneHot": oneHot, "one_hot": oneHot,
  ]

  /// `x[…]`: ranges, positions, an ellipsis and new axes.
  private static func getItem(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "tensor")
    let operand = try context.operand(1, "key", "slice_spec")
    guard let json = operand.json ?? context.constantIndex(operand) else {
      throw KerasError(.unsupported, "is indexed by a tensor, which is not supported")
    }
    let items = json.array ?? [json]
    return [try context.subscripted(x, items)]
  }

  private static func slice(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "inputs", "input_")
    let extents = context.shape(of: x)
    guard let starts = try context.integers(1, "start_indices", "begin"),
      let sizes = try context.integers(2, "shape", "size"), starts.count == extents.count,
      sizes.count == extents.count
    else { throw KerasError(.invalid, "is called without a start and a size for each axis") }
    var ends: [Int] = []
    for axis in extents.indices {
      guard (0...extents[axis]).contains(starts[axis]) else {
        throw KerasError(.invalid, "starts at \(starts[axis]) along axis \(axis) of \(context.type(of: x))")
      }
      let size = sizes[axis] == -1 ? extents[axis] - starts[axis] : sizes[axis]
      guard size >= 0, size <= extents[axis] - starts[axis] else {
        throw KerasError(.invalid, "takes \(size) elements along axis \(axis) of \(context.type(of: x))")
      }
      ends.append(starts[axis] + size)
    }
    return [try context.add(Slice(axes: Array(extents.indices), starts: starts, ends: ends), [x])]
  }

  /// TensorFlow's most general slice: what it was written as follows from its masks.
  private static func stridedSlice(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("var")
    let x = try context.tensor(0, "input_")
    guard let begin = try context.integers(1, "begin"), let end = try context.integers(2, "end"),
      begin.count == end.count
    else { throw KerasError(.invalid, "is called without as many ends as begins") }
    let strides = try context.integers(3, "strides") ?? begin.map { _ in 1 }
    guard strides.count == begin.count, begin.count <= 32 else {
      throw context.invalid("strides", "has \(strides.count) values, expected \(begin.count)")
    }
    func mask(_ name: String) throws(KerasError) -> Int { try context.int(name, default: 0) }
    let (open, unbounded) = (try mask("begin_mask"), try mask("end_mask"))
    let (ellipsis, new, shrink) = (
      try mask("ellipsis_mask"), try mask("new_axis_mask"), try mask("shrink_axis_mask")
    )
    var items: [JSON] = []
    for index in begin.indices {
      func isSet(_ mask: Int) -> Bool { mask & (1 << index) != 0 }
      if isSet(ellipsis) {
        items.append(.object(JSONObject([.init(name: "class_name", value: .string("__ellipsis__"))])))
      } else if isSet(new) {
        items.append(.null)
      } else if isSet(shrink) {
        items.append(.int(begin[index]))
      } else {
        items.append(
          .object(
            JSONObject([
              .init(name: "start", value: isSet(open) ? .null : .int(begin[index])),
              .init(name: "stop", value: isSet(unbounded) ? .null : .int(end[index])),
              .init(name: "step", value: .int(strides[index])),
            ])))
      }
    }
    return [try context.subscripted(x, items)]
  }

  /// Slices at positions along an axis, negative ones counted from the back.
  private static func take(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("validate_indices")
    guard try context.int("batch_dims", default: 0) == 0 else {
      throw context.unsupported("batch_dims", "is not 0")
    }
    var x = try context.tensor(0, "x", "params")
    let isTensorFlow = context.layer.isTensorFlowOperation
    if !isTensorFlow, context.entry("axis") == nil {
      x = try context.reshape(x, to: [context.type(of: x).count], step: "flat")
    }
    let axis = try context.singleAxis(rank: context.shape(of: x).count, default: 0)
    let indices = try context.tensor(1, "indices")
    guard context.type(of: indices).element.isInteger else {
      throw KerasError(.invalid, "takes at \(context.type(of: indices)), expected integers")
    }
    return [try context.add(Gather(axis: axis), [x, indices])]
  }

  private static func takeAlongAxis(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    let indices = try context.tensor(1, "indices")
    let shape = context.shape(of: x)
    let axis = try context.singleAxis(rank: shape.count)
    let other = context.shape(of: indices)
    guard other.count == shape.count, shape.indices.allSatisfy({ $0 == axis || other[$0] == shape[$0] })
    else {
      throw KerasError(
        .unsupported, "takes \(context.type(of: indices)) from \(context.type(of: x)), which would broadcast")
    }
    return [try context.add(GatherElements(axis: axis), [x, indices])]
  }

  private static func oneHot(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    guard try !context.bool("sparse", default: false) else { throw context.unsupported("sparse", "is true") }
    let indices = try context.tensor(0, "x", "indices")
    let type = context.type(of: indices)
    guard type.element.isInteger else {
      throw KerasError(.invalid, "is called with \(type), expected integers")
    }
    let isTensorFlow = context.layer.isTensorFlowOperation
    let count = try context.size(isTensorFlow ? "depth" : "num_classes")
    let axis = try context.singleAxis(rank: type.rank + 1, default: -1)
    let element = try context.elementType("dtype", default: .float32)
    var (apart, classShape) = (type.shape, [Int](repeating: 1, count: type.rank + 1))
    apart.insert(1, at: axis)
    classShape[axis] = count
    let numbers = try context.add(
      Arange(start: 0, delta: 1, count: count, element: type.element), [], step: "numbers")
    let classes = try context.reshape(numbers, to: classShape, step: "classes")
    let column = try context.add(Reshape(shape: apart), [indices], step: "column")
    let isHot = try context.add(Equal(), [column, classes], step: "is_hot")
    let (on, off) = (try context.number("on_value", default: 1), try context.number("off_value", default: 0))
    guard on != 1 || off != 0 else { return [try context.add(Cast(to: element), [isHot])] }
    return [
      try context.add(
        Where(),
        [isHot, context.add(scalar: on, element, step: "on"), context.add(scalar: off, element, step: "off")])
    ]
  }
}

extension LayerContext {
  /// The positions of a subscript that holds tensors which are known.
  fileprivate func constantIndex(_ operand: Operands.Operand) -> JSON? {
    switch operand {
    case .value(let value):
      guard let tensor = constant(value), tensor.shape.isEmpty, let position = tensor.integers()?.first else {
        return nil
      }
      return .int(Int(position))
    case .constant(let json): return json
    case .list(let elements):
      let items = elements.compactMap(constantIndex)
      return items.count == elements.count ? .array(items) : nil
    case .dictionary(let members):
      var object = JSONObject()
      for (name, value) in members {
        guard let item = constantIndex(value) else { return nil }
        object.members.append(.init(name: name, value: item))
      }
      return .object(object)
    }
  }

  /// Applies a subscript as Python has it.
  fileprivate func subscripted(_ x: ValueID, _ items: [JSON]) throws(KerasError) -> ValueID {
    let extents = shape(of: x)
    func isEllipsis(_ item: JSON) -> Bool { item.object?["class_name"]?.string == "__ellipsis__" }
    let axisCount = items.count { !$0.isNull && !isEllipsis($0) }
    guard axisCount <= extents.count, items.count(where: isEllipsis) <= 1, items.count <= 32 else {
      throw KerasError(.invalid, "is indexed in \(axisCount) axes, expected at most \(extents.count)")
    }
    var (axes, starts, ends, steps): ([Int], [Int], [Int], [Int]) = ([], [], [], [])
    /// For each axis of the result, the axis of x that it is; nil for a new one.
    var kept: [Int?] = []
    var axis = 0
    for item in items {
      if item.isNull {
        kept.append(nil)
      } else if isEllipsis(item) {
        let count = extents.count - axisCount
        kept += (axis..<axis + count).map { $0 }
        axis += count
      } else if case .int(let position) = item {
        guard position >= -extents[axis], position < extents[axis] else {
          throw KerasError(.invalid, "is indexed at \(position) along axis \(axis) of \(type(of: x))")
        }
        let start = position < 0 ? position + extents[axis] : position
        axes.append(axis)
        starts.append(start)
        ends.append(start + 1)
        steps.append(1)
        axis += 1
      } else {
        let bounds = item.object?["config"]?.object ?? item.object
        guard let bounds, bounds["start"] != nil || bounds["stop"] != nil else {
          throw KerasError(.unsupported, "is indexed by \(item.kind), which is not supported")
        }
        func bound(_ name: String) throws(KerasError) -> Int? {
          guard let json = bounds[name], !json.isNull else { return nil }
          guard let value = json.int, value.magnitude <= Int32.max.magnitude else {
            throw KerasError(.unsupported, "is indexed by a range whose \(name) is \(json.kind)")
          }
          return value
        }
        let step = try bound("step") ?? 1
        axes.append(axis)
        // Out of range is clamped to the ends.
        starts.append(try bound("start") ?? (step > 0 ? 0 : Int(Int32.max)))
        ends.append(try bound("stop") ?? (step > 0 ? Int(Int32.max) : -Int(Int32.max)))
        steps.append(step)
        kept.append(axis)
        axis += 1
      }
    }
    kept += (axis..<extents.count).map { $0 }
    let op = try checked { () throws(OperatorError) in
      try Slice.normalized(axes: axes, starts: starts, ends: ends, steps: steps, shape: extents)
    }
    let sliced = axes.isEmpty ? x : try add(op, [x], step: kept == extents.indices.map { $0 } ? nil : "slice")
    let extentsLeft = shape(of: sliced)
    return try reshape(sliced, to: kept.map { $0.map { extentsLeft[$0] } ?? 1 })
  }
}
