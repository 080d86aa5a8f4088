import CSepalSchema
import SepalGraph
import SepalTensor
import SepalWire

extension GraphEncoder {
  func goldenSection(contentDigest: String) -> [UInt8] {
    let arena = MessageArena()
    let vectors = graph.provenance.golden.map { vector in
      let outputs = vector.outputs.map { output in
        arena.message(sepal__golden__output__init) { message in
          message.name = arena.string(output.name)
          (message.has_count, message.count) = (1, UInt64(output.count))
          (message.n_value, message.value) = (output.values.count, arena.array(output.values))
          (message.n_bound, message.bound) = (output.bounds.count, arena.array(output.bounds))
        }
      }
      return arena.message(sepal__golden__vector__init) { message in
        (message.has_generator, message.generator) = (1, UInt32(clamping: vector.generator))
        (message.has_seed, message.seed) = (1, vector.seed)
        (message.n_output, message.output) = (outputs.count, arena.array(outputs))
      }
    }
    return MessageArena.pack(
      arena.message(sepal__golden__init) { message in
        message.content_digest = arena.string(contentDigest)
        (message.n_vector, message.vector) = (vectors.count, arena.array(vectors))
      })
  }
}

extension GraphDecoder {
  func decodeGolden(_ storage: TensorStorage) throws(FormatError) {
    var cursor = WireCursor(storage.bytes, 0..<storage.bytes.count, schema: Schema.golden)
    while let field = try next(&cursor, "GOLDEN") {
      if field.number == 2 { addGolden(try vector(storage, field.value)) }
    }
  }

  private func vector(_ storage: TensorStorage, _ range: Range<Int>) throws(FormatError) -> GoldenVector {
    try charge(128)
    var vector = GoldenVector(generator: 0, seed: 0, outputs: [])
    var cursor = WireCursor(storage.bytes, range, schema: Schema.goldenVector)
    while let field = try next(&cursor, "GOLDEN") {
      var position = field.value.lowerBound
      switch field.number {
      case 1:
        let generator = storage.bytes.varint(at: &position, end: field.value.upperBound)
        vector.generator = Int(clamping: generator ?? 0)
      case 2: vector.seed = storage.bytes.varint(at: &position, end: field.value.upperBound) ?? 0
      case 3:
        try charge(128 + 2 * field.value.count)
        vector.outputs.append(
          try unpack(storage, field.value, Schema.goldenOutput, Sepal__Golden__Output.self, output(_:)))
      default: break
      }
    }
    let expected = graph.outputs.map(\.name)
    guard vector.outputs.map(\.name) == expected else {
      throw FormatError(
        .malformed, "has a golden vector for the outputs \(vector.outputs.map(\.name)), expected \(expected)")
    }
    for (golden, output) in zip(vector.outputs, graph.outputs) {
      let type = graph.type(of: output.value)
      let isSample = golden.values.count <= golden.count && golden.values.isEmpty == (golden.count == 0)
      guard golden.count == type.count, isSample,
        golden.bounds.count == 1 || golden.bounds.count == golden.values.count
      else {
        throw FormatError(
          .malformed,
          "output '\(output.name)' is \(type), which its golden vector of \(golden.values.count) values and \(golden.bounds.count) bounds for \(golden.count) elements does not fit"
        )
      }
      guard golden.bounds.allSatisfy({ $0 >= 0 }) else {
        throw FormatError(.malformed, "output '\(output.name)' has a golden vector with a negative bound")
      }
    }
    return vector
  }

  private func output(_ message: Sepal__Golden__Output) throws(FormatError) -> GoldenVector.Output {
    GoldenVector.Output(
      name: text(message.name), count: Int(clamping: message.count),
      values: (0..<message.n_value).map { message.value[$0] },
      bounds: (0..<message.n_bound).map { message.bound[$0] })
  }
}
