import SepalGraph
import SepalTensor

extension LayerRules {
  /// All axes but the first in one, the channels last.
  static func flatten(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var value = try context.input()
    let shape = context.shape(of: value)
    guard let batch = shape.first else { throw KerasError(.invalid, "is called with a scalar") }
    // Keras 1 took the elements as they lay.
    if context.version != .one, try context.layout() == .channelsFirst, shape.count > 2 {
      value = try context.add(
        Transpose(permutation: [0] + Array(2..<shape.count) + [1]), [value], step: "channels_last")
    }
    return [try context.reshape(value, to: [batch, shape.dropFirst().reduce(1, *)])]
  }

  /// `target_shape` without the batch; one dimension may be −1.
  static func reshape(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    guard let batch = shape.first else { throw KerasError(.invalid, "is called with a scalar") }
    let count = shape.dropFirst().reduce(1, *)
    var target = try context.ints("target_shape")
    guard target.count < TensorType.maximumRank else {
      throw context.invalid("target_shape", "has \(target.count) dimensions, which are too many")
    }
    let open = target.indices.filter { target[$0] == -1 }
    guard open.count <= 1 else { throw context.invalid("target_shape", "leaves several dimensions open") }
    let known = TensorType.checkedCount(target.filter { $0 != -1 })
    if let position = open.first, let known, known > 0, count.isMultiple(of: known) {
      target[position] = count / known
    }
    guard TensorType.checkedCount(target) == count else {
      throw context.invalid(
        "target_shape",
        "is \(try context.ints("target_shape")), into which \(context.type(of: input)) does not fit")
    }
    return [try context.reshape(input, to: [batch] + target)]
  }

  /// Reorders axes, counted from one: the batch stays.
  static func permute(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let dims = try context.ints("dims")
    let input = try context.input()
    let rank = context.shape(of: input).count
    guard dims.sorted() == Array(1..<max(rank, 1)) else {
      throw context.invalid(
        "dims", "is \(dims), expected each axis of \(context.type(of: input)) but the first once")
    }
    return [try context.add(Transpose(permutation: [0] + dims), [input])]
  }

  /// `[N, C]` as `[N, n, C]`.
  static func repeatVector(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input(rank: 2)
    let shape = context.shape(of: input)
    let count = try context.size("n")
    let row = try context.reshape(input, to: [shape[0], 1, shape[1]], step: "row")
    return [try context.add(Expand(shape: [shape[0], count, shape[1]]), [row])]
  }
}
