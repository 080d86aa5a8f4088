import SepalTensor

/// What `Pad` puts outside the tensor. Along an axis with elements a b c d:
public enum PadMode: String, AttributeConvertible, CaseIterable {
  /// v v │ a b c d │ v v
  case constant
  /// c b │ a b c d │ c b
  case reflect
  /// a a │ a b c d │ d d
  case edge
  /// c d │ a b c d │ a b
  case wrap

  /// The position in `0..<extent` (extent ≥ 1) whose element appears at `position`; nil for the constant.
  package func source(_ position: Int, extent: Int) -> Int? {
    if position >= 0 && position < extent { return position }
    switch self {
    case .constant: return nil
    case .edge: return position < 0 ? 0 : extent - 1
    case .wrap: return modulo(position, extent)
    case .reflect:
      if extent == 1 { return 0 }
      let phase = modulo(position, 2 * (extent - 1))
      return phase < extent ? phase : 2 * (extent - 1) - phase
    }
  }

  private func modulo(_ value: Int, _ divisor: Int) -> Int {
    let remainder = value % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}

/// Adds `begins[i]` elements before and `ends[i]` after axis i. Negative amounts crop, before anything is added.
/// - Inputs: x, any type. Outputs: same type and rank. Source: ONNX Pad-19; importers resolve its `axes`.
public struct Pad: Operator {
  public static let schema = OperatorSchema(
    "Pad", inputs: ["x"],
    attributes: [
      AttributeField("begins", \Pad.begins), AttributeField("ends", \Pad.ends),
      AttributeField("mode", \Pad.mode), AttributeField("value", \Pad.value),
    ])
  public var begins: [Int] = []
  public var ends: [Int] = []
  public var mode = PadMode.constant
  /// The constant, rounded to the element type.
  public var value = 0.0

  public init() {}
  public init(begins: [Int], ends: [Int], mode: PadMode = .constant, value: Double = 0) {
    self.begins = begins
    self.ends = ends
    self.mode = mode
    self.value = value
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    for (name, list) in [("begins", begins), ("ends", ends)] where list.count != x.rank {
      throw OperatorError("'\(name)' has \(list.count) values, expected \(x.rank)")
    }
    var shape: [Int] = []
    for axis in 0..<x.rank {
      // Sums of an extent and non-positive values do not overflow; those of positive values may.
      let cropped = x.shape[axis] + max(min(begins[axis], 0), -x.shape[axis] - 1)
      let kept = cropped + max(min(ends[axis], 0), -x.shape[axis] - 1)
      guard kept >= 0 else {
        throw OperatorError(
          "'begins' \(begins) and 'ends' \(ends) crop more than \(x) has along axis \(axis)")
      }
      let (partial, overflow) = kept.addingReportingOverflow(max(begins[axis], 0))
      let (extent, secondOverflow) = partial.addingReportingOverflow(max(ends[axis], 0))
      guard !overflow, !secondOverflow else { throw OperatorError("the output is too large") }
      guard mode == .constant || kept > 0 || extent == 0 else {
        throw OperatorError("mode \(mode.rawValue) has nothing to repeat along axis \(axis) of \(x)")
      }
      shape.append(extent)
    }
    return [try checkedType(x.element, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    guard output.count > 0 else { return [Tensor(output) { _ in }] }
    let strides = rowMajorStrides(x.shape)
    let offset = zip(begins, strides).reduce(0) { $0 + max(-$1.0, 0) * $1.1 }
    let kept = output.shape.indices.map { output.shape[$0] - max(begins[$0], 0) - max(ends[$0], 0) }
    let core = x.region(kept, offset: offset, strides: strides)
    if mode == .constant { return [padded(core, to: output)] }
    var result = core
    for axis in kept.indices where output.shape[axis] != kept[axis] {
      let positions = (0..<output.shape[axis]).compactMap {
        mode.source($0 - max(begins[axis], 0), extent: kept[axis])
      }
      result = result.selecting(positions, along: axis)
    }
    return [result]
  }

  private func padded(_ core: Tensor, to output: TensorType) -> Tensor {
    let size = output.element.size
    let strides = rowMajorStrides(output.shape)
    let offset = zip(begins, strides).reduce(0) { $0 + max($1.0, 0) * $1.1 }
    let constant = Tensor(output.element, [], doubles: [value])
    return Tensor(output) { target in
      guard let to = target.baseAddress, !target.isEmpty else { return }
      constant.withUnsafeBytes { source in
        guard let from = source.baseAddress else { return }
        copyRegion(
          elementSize: size, shape: [output.count], from: from, strides: [0], to: to, strides: [1])
      }
      core.withUnsafeBytes { source in
        guard let from = source.baseAddress, !source.isEmpty else { return }
        copyRegion(
          elementSize: size, shape: core.shape, from: from, strides: rowMajorStrides(core.shape),
          to: to + offset * size, strides: strides)
      }
    }
  }
}
