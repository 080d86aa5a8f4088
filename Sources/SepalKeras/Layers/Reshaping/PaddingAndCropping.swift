import SepalGraph

extension LayerRules {
  static func zeroPadding(rank: Int) -> Rule {
    { context throws(KerasError) in
      let layout = try context.layout(rank: rank)
      let input = try context.input(rank: rank + 2)
      let amounts = try context.spatialPairs("padding", rank: rank, default: 1)
      var (begins, ends) = ([Int](repeating: 0, count: rank + 2), [Int](repeating: 0, count: rank + 2))
      for (index, pair) in amounts.enumerated() {
        (begins[layout.firstSpatialAxis + index], ends[layout.firstSpatialAxis + index]) = pair
      }
      return [try context.add(Pad(begins: begins, ends: ends), [input])]
    }
  }

  static func cropping(rank: Int) -> Rule {
    { context throws(KerasError) in
      let layout = try context.layout(rank: rank)
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      let amounts = try context.spatialPairs("cropping", rank: rank, default: rank == 1 ? 1 : 0)
      let axes = (0..<rank).map { layout.firstSpatialAxis + $0 }
      var slice = Slice(axes: axes, starts: [], ends: [])
      for (axis, pair) in zip(axes, amounts) {
        guard pair.begin + pair.end < shape[axis] else {
          throw context.invalid(
            "cropping", "takes \(pair.begin) and \(pair.end) off the \(shape[axis]) of axis \(axis)")
        }
        slice.starts.append(pair.begin)
        slice.ends.append(shape[axis] - pair.end)
      }
      return [try context.add(slice, [input])]
    }
  }
}

extension LayerContext {
  /// Amounts before and after each spatial axis: one number for all, one for each axis, or a pair for each axis. In one
  /// dimension a pair is the only list; Keras 1 also wrote two pairs as four numbers.
  fileprivate func spatialPairs(
    _ field: String, rank: Int, default value: Int
  ) throws(KerasError) -> [(begin: Int, end: Int)] {
    var pairs: [(begin: Int, end: Int)] = []
    if let list = entry(field)?.plainValue.array {
      if rank == 1 || (version == .one && rank == 2 && list.count == 4) {
        let values = try ints(field, count: 2 * rank)
        pairs = (0..<rank).map { (values[2 * $0], values[2 * $0 + 1]) }
      } else {
        guard list.count == rank else {
          throw invalid(field, "has \(list.count) values, expected \(rank)")
        }
        for element in list {
          if let amount = element.int {
            pairs.append((amount, amount))
          } else if let pair = element.plainValue.array, pair.count == 2, let begin = pair[0].int,
            let end = pair[1].int
          {
            pairs.append((begin, end))
          } else {
            throw invalid(field, "holds \(element.kind), expected numbers or pairs of them")
          }
        }
      }
    } else {
      let amount = try int(field, default: value)
      pairs = [(begin: Int, end: Int)](repeating: (amount, amount), count: rank)
    }
    let range = 0...Int(Int32.max)
    guard pairs.allSatisfy({ range.contains($0.begin) && range.contains($0.end) }) else {
      throw invalid(field, "holds numbers out of range, expected \(range)")
    }
    return pairs
  }
}
