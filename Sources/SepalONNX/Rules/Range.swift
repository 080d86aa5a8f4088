import SepalGraph
import SepalTensor

extension ImportRules {
  /// Range-11, -27: max(⌈(limit − start)/delta⌉, 0) elements.
  static func range(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var scalars: [Tensor] = []
    for (index, role) in ["start", "limit", "delta"].enumerated() {
      scalars.append(try context.required(try context.constantScalar(index, role), input: index, role))
    }
    let element = scalars[0].element
    guard scalars.allSatisfy({ $0.element == element }), element != .bool else {
      throw context.node.error(.invalid, "start, limit and delta are not of one numeric type")
    }
    let (start, limit, delta) = (scalars[0].doubles()[0], scalars[1].doubles()[0], scalars[2].doubles()[0])
    let exact = ((limit - start) / delta).rounded(.up)
    guard delta != 0, exact <= Double(largestExtent) else {
      throw context.node.error(
        .invalid, "start \(start), limit \(limit), delta \(delta) give no finite range")
    }
    let op = Arange(start: start, delta: delta, count: exact > 0 ? Int(exact) : 0, element: element)
    return [try context.add(op, [])]
  }
}
