import SepalGraph
import SepalTensor

extension OperationRules {
  static let elementwise: [String: Rule] = [
    "Abs": unary(Abs()), "Absolute": unary(Abs()), "math.abs": unary(Abs()),
    "Negative": unary(Neg()), "math.negative": unary(Neg()),
    "Sign": unary(Sign()), "math.sign": unary(Sign()),
    "Square": square, "math.square": square,

    "Ceil": float(Ceil()), "math.ceil": float(Ceil()),
    "Cos": float(Cos()), "math.cos": float(Cos()),
    "Erf": float(Erf()), "math.erf": float(Erf()),
    "Exp": float(Exp()), "math.exp": float(Exp()),
    "Floor": float(Floor()), "math.floor": float(Floor()),
    "Log": float(Log()), "math.log": float(Log()),
    "Reciprocal": float(Reciprocal()), "math.reciprocal": float(Reciprocal()),
    "Sin": float(Sin()), "math.sin": float(Sin()),
    "Sqrt": float(Sqrt()), "math.sqrt": float(Sqrt()),
    "math.rint": float(Round()),

    "Cosh": hyperbolic(isSine: false), "math.cosh": hyperbolic(isSine: false),
    "Exp2": power(of: 2),
    "Expm1": expm1, "math.expm1": expm1,
    "Log10": logarithm(base: 10), "Log2": logarithm(base: 2),
    "Log1p": log1p, "math.log1p": log1p,
    "Round": round, "math.round": round,
    "Rsqrt": rsqrt, "math.rsqrt": rsqrt,
    "Sinh": hyperbolic(isSine: true), "math.sinh": hyperbolic(isSine: true),
    "Tan": tangent, "math.tan": tangent,
    "Trunc": truncate,

    "Clip": clip, "clip_by_value": clip,
    "Cast": cast, "cast": cast,
    "Copy": identity, "Identity": identity, "StopGradient": identity, "ConvertToTensor": convert,
    "Array": convert, "convert_to_tensor": convert, "identity": identity, "stop_gradient": identity,
    "ensure_shape": ensureShape,
  ]

  /// An operator that keeps the element type, whatever it is.
  static func unary(_ op: any Operator) -> Rule {
    { context throws(KerasError) in [try context.add(op, [try context.tensor(0, "x", "input")])] }
  }

  /// An operator of floating point.
  static func float(_ op: any Operator) -> Rule {
    { context throws(KerasError) in
      [try context.add(op, [try context.floatTensor(0, "x", "features", "input")])]
    }
  }

  private static func square(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    return [try context.add(Mul(), [x, x])]
  }

  private static func rsqrt(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let root = try context.add(Sqrt(), [try context.floatTensor(0, "x")], step: "root")
    return [try context.add(Reciprocal(), [root])]
  }

  private static func expm1(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let power = try context.add(Exp(), [try context.floatTensor(0, "x")], step: "exp")
    return [try context.add(Sub(), [power, context.scalar(1, like: power, step: "one")])]
  }

  private static func log1p(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x")
    let raised = try context.add(Add(), [x, context.scalar(1, like: x, step: "one")], step: "raised")
    return [try context.add(Log(), [raised])]
  }

  private static func logarithm(base: Double) -> Rule {
    { context throws(KerasError) in
      let log = try context.add(Log(), [try context.floatTensor(0, "x")], step: "log")
      let factor = context.scalar(
        1 / (base == 2 ? 0.6931471805599453 : 2.302585092994046), like: log, step: "factor")
      return [try context.add(Mul(), [log, factor])]
    }
  }

  private static func power(of base: Double) -> Rule {
    { context throws(KerasError) in
      let x = try context.floatTensor(0, "x")
      return [try context.add(Pow(), [context.scalar(base, like: x, step: "base"), x])]
    }
  }

  private static func tangent(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x")
    return [
      try context.add(
        Div(), [try context.add(Sin(), [x], step: "sin"), try context.add(Cos(), [x], step: "cos")])
    ]
  }

  /// (eˣ ± e⁻ˣ)/2.
  private static func hyperbolic(isSine: Bool) -> Rule {
    { context throws(KerasError) in
      let x = try context.floatTensor(0, "x")
      let rising = try context.add(Exp(), [x], step: "rising")
      let falling = try context.add(Exp(), [try context.add(Neg(), [x], step: "negative")], step: "falling")
      let both = try context.add(isSine ? Sub() : Add(), [rising, falling], step: "both")
      return [try context.add(Mul(), [both, context.scalar(0.5, like: x, step: "half")])]
    }
  }

  /// Halves go to the even number.
  private static func round(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    let decimals = try context.int("decimals", default: 0)
    guard context.type(of: x).element.isFloat else {
      guard decimals == 0 else { throw context.unsupported("decimals", "is \(decimals) for integers") }
      return [x]
    }
    guard decimals != 0 else { return [try context.add(Round(), [x])] }
    guard (-30...30).contains(decimals) else { throw context.unsupported("decimals", "is \(decimals)") }
    let factor = (0..<abs(decimals)).reduce(1.0) { power, _ in power * 10 }
    let scale = context.scalar(decimals > 0 ? factor : 1 / factor, like: x, step: "scale")
    let rounded = try context.add(
      Round(), [try context.add(Mul(), [x, scale], step: "scaled")], step: "rounded")
    return [try context.add(Div(), [rounded, scale])]
  }

  private static func truncate(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    guard context.type(of: x).element.isFloat else { return [x] }
    let magnitude = try context.add(
      Floor(), [try context.add(Abs(), [x], step: "magnitude")], step: "floor")
    return [try context.add(Mul(), [try context.add(Sign(), [x], step: "sign"), magnitude])]
  }

  /// Between two numbers, or elementwise between two tensors.
  private static func clip(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.operand(0, "x", "t")
    let low = context.optionalOperand(1, ["x_min", "clip_value_min"])
    let high = context.optionalOperand(2, ["x_max", "clip_value_max"])
    if case .value(let value) = x, low?.json?.array == nil, high?.json?.array == nil,
      let lowest = try context.bound(low, -.infinity, of: value),
      let highest = try context.bound(high, .infinity, of: value), lowest <= highest
    {
      return [try context.add(Clip(min: lowest, max: highest), [value])]
    }
    guard let low, let high else { throw KerasError(.invalid, "is called without both bounds") }
    // The least wins where bounds cross.
    let values = try context.promoted([x, low, high])
    return [
      try context.add(Max(), [try context.add(Min(), [values[0], values[2]], step: "below"), values[1]])
    ]
  }

  private static func cast(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    return [try context.cast(x, to: try context.elementType("dtype"))]
  }

  private static func convert(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("sparse", "ragged", "dtype_hint")
    let x = try context.tensor(0, "x", "value")
    guard context.entry("dtype") != nil else { return [x] }
    return [try context.cast(x, to: try context.elementType("dtype"))]
  }

  private static func identity(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.tensor(0, "variable", "input", "x")]
  }

  private static func ensureShape(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x")
    let shape = context.shape(of: x)
    guard let expected = context.entry("shape")?.array, expected.count == shape.count,
      zip(expected, shape).allSatisfy({ $0.isNull || $0.int == $1 || $0.int == -1 })
    else { throw KerasError(.invalid, "is called with \(context.type(of: x)), which is not its 'shape'") }
    return [x]
  }
}

extension LayerContext {
  /// A bound that is a number which the element type of `value` holds; nil for others.
  fileprivate func bound(
    _ operand: Operands.Operand?, _ absent: Double, of value: ValueID
  ) throws(KerasError) -> Double? {
    guard let operand else { return absent }
    guard let number = operand.json?.plainValue.number, !number.isNaN else { return nil }
    let element = type(of: value).element
    guard element.isFloat || (number == number.rounded() && element.isInteger) else {
      throw KerasError(.unsupported, "clips \(element) at \(number)")
    }
    return number
  }

  /// The element type that a setting names.
  func elementType(_ field: String, default element: ElementType? = nil) throws(KerasError) -> ElementType {
    guard let entry = entry(field) else {
      guard let element else { throw invalid(field, "is missing") }
      return element
    }
    let text = entry.string ?? entry.object?["config"]?.object?["name"]?.string ?? ""
    guard let element = ElementType(name: text) else {
      throw unsupported(field, "is '\(text.printable())', expected an element type")
    }
    return element
  }
}
