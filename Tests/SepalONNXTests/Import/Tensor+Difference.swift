import SepalTensor

extension Tensor {
  /// What sets this tensor apart from the recorded one, or nil when it is close enough: integers exactly, floating
  /// point within `tolerance` relative to the larger of `magnitude` and the recorded value, more for half precision.
  func difference(from expected: Tensor, tolerance: Double = 1e-4, magnitude: Double = 1) -> String? {
    guard type == expected.type else { return "is \(type), expected \(expected.type)" }
    if let found = integers(), let wanted = expected.integers() {
      guard let index = found.indices.first(where: { found[$0] != wanted[$0] }) else { return nil }
      return "is \(found[index]) at \(index), expected \(wanted[index])"
    }
    let limit: Double =
      switch element {
      case .float16: max(tolerance, 2e-3)
      case .bfloat16: max(tolerance, 1.6e-2)
      default: tolerance
      }
    for (index, (found, wanted)) in zip(doubles(), expected.doubles()).enumerated() {
      if found == wanted || (found.isNaN && wanted.isNaN) { continue }
      guard abs(found - wanted) <= limit * max(magnitude, abs(wanted)) else {
        return "is \(found) at \(index), expected \(wanted)"
      }
    }
    return nil
  }
}
