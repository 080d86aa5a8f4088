import SepalGraph
import SepalTensor

extension LayerRules {
  /// One row of a table for each integer.
  static func embedding(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var input = try context.input()
    let (rows, width) = (try context.size("input_dim"), try context.size("output_dim"))
    for field in ["lora_rank", "quantization_config"] where context.entry(field) != nil {
      throw context.unsupported(field, "is given, which is not supported")
    }
    let element = context.type(of: input).element
    if element != .int32, element != .int64 {
      input = try context.add(Cast(to: .int32), [input], step: "ids")
    }
    let table = try context.variables([VariableSpec("embeddings", "W", shape: [rows, width])])[0]
    let result = try context.add(Gather(axis: 0), [try context.parameter("embeddings", table), input])
    if try context.bool("mask_zero", default: false) {
      let ids = input
      context.setMask(of: result) { () throws(KerasError) in
        let isZero = try context.add(
          Equal(), [ids, context.scalar(0, like: ids, step: "zero")], step: "is_zero")
        return try context.add(Not(), [isZero], step: "mask")
      }
    }
    return [result]
  }
}
