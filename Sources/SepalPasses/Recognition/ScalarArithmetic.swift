import SepalGraph
import SepalTensor

/// Reads arithmetic with single numbers out of a graph, whatever the operand order and association.
///
/// It remembers the nodes that it looked through, so that a pass can ask whether anybody else reads them. A copy
/// of a reader is a point to fall back to.
struct ScalarArithmetic {
  private let graph: Graph
  /// The nodes that were looked through, each once.
  private(set) var nodes: [NodeID] = []
  private var steps = 0

  /// Patterns are small: longer chains of arithmetic are not followed to their end.
  private static let nodeLimit = 16

  init(_ graph: Graph) { self.graph = graph }

  /// coefficient · Π factors
  struct Product {
    var coefficient = 1.0
    var factors: [ValueID] = []
  }

  /// scale · x + shift
  struct Affine {
    var x: ValueID
    var scale = 1.0
    var shift = 0.0
  }

  /// The number that a constant holds; nil for other values and for larger constants.
  func number(_ id: ValueID?) -> Double? {
    guard let tensor = graph.constant(id), tensor.count == 1, tensor.element.isFloat else { return nil }
    return tensor.doubles()[0]
  }

  /// Looks through `node`, a Mul or a division by a number, and through those below it that nothing else reads.
  mutating func product(_ node: Node) -> Product? {
    var product = Product()
    return multiply(&product, by: node) ? product : nil
  }

  private mutating func multiply(_ product: inout Product, by node: Node) -> Bool {
    guard nodes.count < Self.nodeLimit, let (a, b) = operands(node) else { return false }
    if isPlain(node, Mul.self) {
      enter(node)
      for operand in [a, b] {
        if let number = number(operand) {
          product.coefficient *= number
        } else if let inner = soleProducer(operand), multiply(&product, by: inner) {
          continue
        } else {
          product.factors.append(operand)
        }
      }
      return true
    }
    guard node.op is Div, let number = number(b) else { return false }
    enter(node)
    product.coefficient /= number
    if soleProducer(a).map({ multiply(&product, by: $0) }) != true { product.factors.append(a) }
    return true
  }

  /// Looks through additions of, and multiplications and divisions by, numbers above `value` that nothing else
  /// reads; stops at `end` where that is given.
  mutating func affine(_ value: ValueID, endingAt end: ValueID? = nil) -> Affine {
    var affine = Affine(x: value)
    while affine.x != end, nodes.count < Self.nodeLimit, let node = soleProducer(affine.x),
      let step = affineStep(node)
    {
      enter(node)
      affine = Affine(
        x: step.x, scale: affine.scale * step.scale, shift: affine.scale * step.shift + affine.shift)
    }
    return affine
  }

  private func affineStep(_ node: Node) -> Affine? {
    if node.op is Neg, let x = node.input(0) { return Affine(x: x, scale: -1) }
    guard let (a, b) = operands(node) else { return nil }
    let isSum = isPlain(node, Add.self)
    if let number = number(b) {
      if isSum { return Affine(x: a, shift: number) }
      if node.op is Sub { return Affine(x: a, shift: -number) }
      if isPlain(node, Mul.self) { return Affine(x: a, scale: number) }
      if node.op is Div { return Affine(x: a, scale: 1 / number) }
    } else if let number = number(a) {
      if isSum { return Affine(x: b, shift: number) }
      if node.op is Sub { return Affine(x: b, scale: -1, shift: number) }
      if isPlain(node, Mul.self) { return Affine(x: b, scale: number) }
    }
    return nil
  }

  /// The coefficients, lowest degree first, of the polynomial of at most third degree in `x` that `value` is.
  mutating func polynomial(_ value: ValueID, in x: ValueID) -> [Double]? {
    if value == x { return [0, 1] }
    if let number = number(value) { return [number] }
    // Shared subexpressions are walked once per reader: their number needs a bound of its own.
    steps += 1
    guard steps < 4 * Self.nodeLimit, nodes.count < Self.nodeLimit, let node = graph.producer(of: value)
    else { return nil }
    if node.op is Neg, let operand = node.input(0) {
      enter(node)
      return polynomial(operand, in: x)?.map { -$0 }
    }
    guard isArithmetic(node), let (a, b) = operands(node) else { return nil }
    enter(node)
    guard let left = polynomial(a, in: x), let right = polynomial(b, in: x) else { return nil }
    switch node.op {
    case is Add, is Sub:
      let sign = node.op is Sub ? -1.0 : 1
      return (0..<max(left.count, right.count)).map { degree in
        (degree < left.count ? left[degree] : 0) + sign * (degree < right.count ? right[degree] : 0)
      }
    case is Mul: return multiplied(left, right)
    case is Div: return right.count == 1 ? left.map { $0 / right[0] } : nil
    default:
      guard right.count == 1, let exponent = Int(exactly: right[0]), (1...3).contains(exponent) else {
        return nil
      }
      return (1..<exponent).reduce(left) { power, _ in power.flatMap { multiplied($0, left) } }
    }
  }

  private func multiplied(_ left: [Double], _ right: [Double]) -> [Double]? {
    guard left.count + right.count <= 5 else { return nil }
    var result = [Double](repeating: 0, count: left.count + right.count - 1)
    for (i, a) in left.enumerated() {
      for (j, b) in right.enumerated() { result[i + j] += a * b }
    }
    return result
  }

  /// Looks through `value`'s producer when it is an `Op`.
  mutating func producer<Op: Operator>(of value: ValueID, as type: Op.Type) -> (node: Node, op: Op)? {
    guard let node = graph.producer(of: value), let op = node.op as? Op else { return nil }
    enter(node)
    return (node, op)
  }

  /// Whether the nodes looked through, apart from `root`, are read by one another and by nobody else.
  func isClosed(under root: Node) -> Bool {
    var reads: [ValueID: Int] = [:]
    for id in Set(nodes).union([root.id]) {
      for input in graph.node(id).inputs { if let input { reads[input, default: 0] += 1 } }
    }
    return nodes.allSatisfy { id in
      id == root.id || graph.node(id).outputs.allSatisfy { graph.value($0).useCount == reads[$0] }
    }
  }

  /// Puts `op` on `x` in the place of `root` and of everything looked through.
  ///
  /// Nil when somebody reads what is in between, or when numbers of higher rank than x's have widened the result.
  func replacing(_ root: Node, by op: any Operator, on x: ValueID) -> Rewrite? {
    guard isClosed(under: root), graph.type(of: root.output) == graph.type(of: x) else { return nil }
    let removed = nodes.contains(root.id) ? nodes : nodes + [root.id]
    var rewrite = Rewrite(removing: removed, exactness: .reassociated)
    rewrite.replace(root.output, with: rewrite.node(op, name: root.name, inputs: [x.operand]))
    return rewrite
  }

  private mutating func enter(_ node: Node) {
    if !nodes.contains(node.id) { nodes.append(node.id) }
  }

  private func soleProducer(_ value: ValueID) -> Node? {
    graph.value(value).useCount == 1 ? graph.producer(of: value) : nil
  }

  private func operands(_ node: Node) -> (ValueID, ValueID)? {
    guard node.inputs.count == 2, let a = node.inputs[0], let b = node.inputs[1] else { return nil }
    return (a, b)
  }

  private func isPlain<Op: ActivatedOperator>(_ node: Node, _: Op.Type) -> Bool {
    (node.op as? Op)?.activation == .identity
  }

  private func isArithmetic(_ node: Node) -> Bool {
    isPlain(node, Add.self) || isPlain(node, Mul.self) || node.op is Sub || node.op is Div || node.op is Pow
  }
}

extension Double {
  /// Equal within four binary32 roundings: what a constant may have gone through in an exporter.
  ///
  /// Wide enough for 1/6 written as a float and multiplied by 6; far too narrow for tf-slim's 0.16667.
  func isRounding(of exact: Double) -> Bool { abs(self - exact) <= 4 * 0x1p-23 * abs(exact) }
}
