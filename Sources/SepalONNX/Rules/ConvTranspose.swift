import SepalGraph

extension ImportRules {
  /// ConvTranspose-1, -11, -22. `output_shape` becomes pads, and output padding where it asks for more than the
  /// windows reach.
  static func convTranspose(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let node = context.node
    let (x, weight) = (try context.input(0), try context.input(1))
    let input = context.type(of: x).shape
    let window = try WindowAttributes(
      context, input: input, kernel: Array(context.type(of: weight).shape.dropFirst(2)))
    let spatial = Array(input.dropFirst(2))
    let zeros = [Int](repeating: 0, count: spatial.count)
    var outputPadding =
      try WindowAttributes.list(node, "output_padding", spatial.count, atLeast: 0) ?? zeros
    var (begins, ends) = (window.padBegins, window.padEnds)
    let autoPad = try WindowAttributes.autoPad(context)
    // Some exporters give the whole shape instead of the spatial part.
    var wanted = try node.ints("output_shape")
    if let shape = wanted, shape.count == input.count { wanted = Array(shape.dropFirst(2)) }
    if wanted == nil, autoPad == .sameUpper || autoPad == .sameLower {
      wanted = zip(spatial, window.strides).map { $0 * $1 }
    }
    if let wanted {
      guard wanted.count == spatial.count, wanted.allSatisfy({ (1...largestExtent).contains($0) }) else {
        throw node.error(
          .invalid, "is \(wanted), expected \(spatial.count) positive values", attribute: "output_shape")
      }
      for axis in spatial.indices {
        let span = (window.kernel[axis] - 1) * window.dilations[axis] + 1
        let reach = window.strides[axis] * (spatial[axis] - 1) + outputPadding[axis] + span
        let total = max(reach - wanted[axis], 0)
        outputPadding[axis] += max(wanted[axis] - reach, 0)
        begins[axis] = autoPad == .sameUpper ? total / 2 : total - total / 2
        ends[axis] = total - begins[axis]
      }
    }
    var op = ConvTranspose()
    op.strides = window.strides
    op.dilations = window.dilations
    op.padBegins = begins
    op.padEnds = ends
    op.outputPadding = outputPadding
    op.groups = try node.int("group", default: 1)
    return [try context.add(op, [x, weight, context.optionalInput(2)])]
  }
}
