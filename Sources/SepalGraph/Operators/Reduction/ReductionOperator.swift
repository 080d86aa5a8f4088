import SepalTensor

/// One input, one result per index of the kept axes: a fold over all elements along `axes`.
/// Without axes each element is folded by itself.
public protocol ReductionOperator: Operator {
  /// Ascending, counted from the front.
  var axes: [Int] { get set }
  /// Whether reduced axes stay, with extent 1.
  var keepDims: Bool { get set }

  /// Where a fold starts, and the value of an empty one before `finish`.
  var start: Double { get }
  func combine(_ total: Double, _ x: Double) -> Double
  func finish(_ total: Double, count: Int) -> Double

  /// The same in wrapping 64-bit integers. Operators whose `combine` is nil compute integers in `Double` and truncate.
  func start(of element: ElementType) -> Int64
  func combine(_ total: Int64, _ x: Int64) -> Int64?
  func finish(_ total: Int64, count: Int) -> Int64

  /// Whether x may be of this type. Default: all but bool.
  func accepts(_ element: ElementType) -> Bool
}

extension ReductionOperator {
  public var start: Double { 0 }
  public func finish(_ total: Double, count: Int) -> Double { total }
  public func start(of element: ElementType) -> Int64 { 0 }
  public func combine(_ total: Int64, _ x: Int64) -> Int64? { nil }
  public func finish(_ total: Int64, count: Int) -> Int64 { total }
  public func accepts(_ element: ElementType) -> Bool { element != .bool }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard accepts(x.element) else { throw OperatorError("does not take \(x.element)") }
    guard try normalizedAxes(axes, rank: x.rank) == axes else {
      throw OperatorError("'axes' is \(axes), expected ascending axes counted from the front")
    }
    let shape = x.shape.indices.compactMap { axis in
      axes.contains(axis) ? (keepDims ? 1 : nil) : x.shape[axis]
    }
    return [try checkedType(x.element, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    let geometry = ReductionGeometry(shape: x.shape, axes: axes)
    let count = geometry.reducedCount
    if let integers = x.integers(), combine(Int64(0), Int64(0)) != nil {
      let totals = geometry.fold(integers, from: start(of: x.element)) { combine($0, $1) ?? $0 }
      return [Tensor(x.element, output.shape, integers: totals.map { finish($0, count: count) })]
    }
    let totals = geometry.fold(x.doubles(), from: start) { combine($0, $1) }
    return [Tensor(x.element, output.shape, doubles: totals.map { finish($0, count: count) })]
  }
}
