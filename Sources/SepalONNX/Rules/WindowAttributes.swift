/// The sliding window of a convolution or pool: defaults filled in, `auto_pad` resolved to pads.
struct WindowAttributes {
  var kernel: [Int]
  var strides: [Int]
  var dilations: [Int]
  var padBegins: [Int]
  var padEnds: [Int]

  enum AutoPad { case explicit, sameUpper, sameLower, valid }

  /// `input` is the shape of x, channels first. `kernel` is nil when `kernel_shape` has to say it.
  init(_ context: NodeContext, input: [Int], kernel weightKernel: [Int]?) throws(ONNXError) {
    let node = context.node
    guard input.count >= 3 else {
      throw node.error(.invalid, "x has rank \(input.count), expected a batch, channels and spatial axes")
    }
    let spatial = Array(input.dropFirst(2))
    let count = spatial.count
    let declared = try Self.list(node, "kernel_shape", count, atLeast: 1)
    kernel = try node.required("kernel_shape", weightKernel ?? declared)
    if let declared, declared != kernel {
      throw node.error(.invalid, "is \(declared), but the weight has \(kernel)", attribute: "kernel_shape")
    }
    guard kernel.count == count else {
      throw node.error(.invalid, "the weight has \(kernel.count) spatial axes, x has \(count)")
    }
    let ones = [Int](repeating: 1, count: count)
    strides = try Self.list(node, "strides", count, atLeast: 1) ?? ones
    dilations = try Self.list(node, "dilations", count, atLeast: 1) ?? ones
    padBegins = ones.map { _ in 0 }
    padEnds = padBegins
    switch try Self.autoPad(context) {
    case .explicit:
      if let pads = try Self.list(node, "pads", 2 * count, atLeast: 0) {
        padBegins = Array(pads[..<count])
        padEnds = Array(pads[count...])
      }
    case .valid: break
    case .sameUpper: pad(spatial, extraAtEnd: true)
    case .sameLower: pad(spatial, extraAtEnd: false)
    }
  }

  static func autoPad(_ context: NodeContext) throws(ONNXError) -> AutoPad {
    try context.choice(
      "auto_pad", default: "NOTSET",
      [
        "NOTSET": .explicit, "": .explicit, "SAME_UPPER": .sameUpper, "SAME_LOWER": .sameLower,
        "VALID": .valid,
      ])
  }

  /// Window numbers are small; the limit keeps sums and products of two of them in range.
  static func list(
    _ node: ONNXNode, _ name: String, _ count: Int, atLeast minimum: Int
  ) throws(ONNXError) -> [Int]? {
    guard let values = try node.ints(name, count: count) else { return nil }
    guard values.allSatisfy({ (minimum...largestExtent).contains($0) }) else {
      throw node.error(
        .invalid, "is \(values), expected values from \(minimum) to \(largestExtent)", attribute: name)
    }
    return values
  }

  /// Pads so that the output has ⌈input/stride⌉ positions.
  private mutating func pad(_ spatial: [Int], extraAtEnd: Bool) {
    for (axis, extent) in spatial.enumerated() {
      let outputs = (extent + strides[axis] - 1) / strides[axis]
      let span = (kernel[axis] - 1) * dilations[axis] + 1
      let total = max((outputs - 1) * strides[axis] + span - extent, 0)
      padBegins[axis] = extraAtEnd ? total / 2 : total - total / 2
      padEnds[axis] = total - padBegins[axis]
    }
  }
}
