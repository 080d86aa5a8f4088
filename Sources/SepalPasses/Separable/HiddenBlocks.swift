import SepalGraph

/// Blocks of channels that a convolution does not mix, all of equal size.
struct HiddenBlocks {
  /// Channels block by block.
  let inputs, outputs: [Int]
  let count: Int

  var ordersInputs: Bool { inputs != Array(inputs.indices) }
  var ordersOutputs: Bool { outputs != Array(outputs.indices) }

  /// Those of channels as they are, and finer ones for which channels have to change places; finest first. Linear in the
  /// weights.
  static func candidates(_ layer: SeparableLayer) -> [HiddenBlocks] {
    let components = ChannelComponents(layer)
    guard components.count > 1 else { return [] }
    let ordered = components.countInOrder(above: layer.groups).map {
      HiddenBlocks(inputs: Array(0..<layer.inputs), outputs: Array(0..<layer.outputs), count: $0)
    }
    guard let finest = HiddenBlocks(reordering: components, layer),
      finest.count > ordered?.count ?? layer.groups
    else { return ordered.map { [$0] } ?? [] }
    return [finest] + (ordered.map { [$0] } ?? [])
  }

  private init(inputs: [Int], outputs: [Int], count: Int) {
    (self.inputs, self.outputs, self.count) = (inputs, outputs, count)
  }

  /// Blocks as large as the largest component, in the order of their first inputs: each has one component, and
  /// channels without weights where that is smaller. Nil where they do not come out even.
  private init?(reordering components: ChannelComponents, _ layer: SeparableLayer) {
    var blocks = components.members.filter { !$0.inputs.isEmpty && !$0.outputs.isEmpty }
    let width = blocks.reduce(1) { max($0, $1.inputs.count) }
    let height = blocks.reduce(1) { max($0, $1.outputs.count) }
    let count = layer.inputs / width
    guard layer.inputs == count * width, layer.outputs == count * height, blocks.count <= count else {
      return nil
    }
    blocks += [([Int], [Int])](repeating: ([], []), count: count - blocks.count)
    var spareInputs = components.members.filter(\.outputs.isEmpty).flatMap(\.inputs)[...]
    var spareOutputs = components.members.filter(\.inputs.isEmpty).flatMap(\.outputs)[...]
    for index in blocks.indices {
      let (moreInputs, moreOutputs) = (
        width - blocks[index].inputs.count, height - blocks[index].outputs.count
      )
      blocks[index].inputs = (blocks[index].inputs + spareInputs.prefix(moreInputs)).sorted()
      blocks[index].outputs = (blocks[index].outputs + spareOutputs.prefix(moreOutputs)).sorted()
      (spareInputs, spareOutputs) = (spareInputs.dropFirst(moreInputs), spareOutputs.dropFirst(moreOutputs))
    }
    blocks.sort { $0.inputs[0] < $1.inputs[0] }
    self.init(inputs: blocks.flatMap(\.inputs), outputs: blocks.flatMap(\.outputs), count: count)
  }

  /// `[outputs][inputs of a block][taps]`.
  func weight(_ layer: SeparableLayer) -> [Double] {
    let (width, height) = (inputs.count / count, outputs.count / count)
    var result: [Double] = []
    result.reserveCapacity(outputs.count * width * layer.taps)
    for (place, output) in outputs.enumerated() {
      let first = output / layer.outputsPerGroup * layer.inputsPerGroup
      let block = place / height
      for input in inputs[block * width..<(block + 1) * width] {
        guard (first..<first + layer.inputsPerGroup).contains(input) else {
          result += [Double](repeating: 0, count: layer.taps)
          continue
        }
        let start = (output * layer.inputsPerGroup + input - first) * layer.taps
        for weight in layer.weight[start..<start + layer.taps] { result.append(Double(weight)) }
      }
    }
    return result
  }
}

/// The connected components of a convolution's channels, where a weight that is not zero connects its input and its
/// output.
private struct ChannelComponents {
  /// Ascending, in the order of their first channels, inputs before outputs; channels without weights are alone.
  let members: [(inputs: [Int], outputs: [Int])]
  private let inputs, outputs: Int

  var count: Int { members.count }

  init(_ layer: SeparableLayer) {
    (inputs, outputs) = (layer.inputs, layer.outputs)
    var sets = DisjointSets(count: layer.inputs + layer.outputs)
    var source = 0
    for output in 0..<layer.outputs {
      let first = output / layer.outputsPerGroup * layer.inputsPerGroup
      let ownSource = source
      source += layer.inputsPerGroup * layer.taps
      for own in 0..<layer.inputsPerGroup {
        let start = ownSource + own * layer.taps
        guard layer.weight[start..<start + layer.taps].contains(where: { $0 != 0 }) else { continue }
        sets.join(first + own, layer.inputs + output)
        // Where all of its group is connected already, as by the first output of a dense layer, nothing more can be.
        if sets.size(of: first + own) > layer.inputsPerGroup + output % layer.outputsPerGroup { break }
      }
    }
    var places: [Int: Int] = [:]
    var members: [(inputs: [Int], outputs: [Int])] = []
    for channel in 0..<layer.inputs + layer.outputs {
      let root = sets.root(channel)
      let place = places[root] ?? members.count
      if place == members.count {
        places[root] = place
        members.append(([], []))
      }
      if channel < layer.inputs {
        members[place].inputs.append(channel)
      } else {
        members[place].outputs.append(channel - layer.inputs)
      }
    }
    self.members = members
  }

  /// The most blocks of consecutive channels that no component crosses; nil where they are not more than `least`.
  func countInOrder(above least: Int) -> Int? {
    // By the greatest common divisor, for a count divides inputs and outputs.
    var (most, rest) = (inputs, outputs)
    while rest > 0 { (most, rest) = (rest, most % rest) }
    return (1...most).lazy.filter { most.isMultiple(of: $0) }.map { most / $0 }.prefix { $0 > least }.first {
      count in
      let (width, height) = (inputs / count, outputs / count)
      return members.allSatisfy { member in
        // Members ascend.
        let ends =
          [member.inputs.first, member.inputs.last].compactMap { $0.map { $0 / width } }
          + [member.outputs.first, member.outputs.last].compactMap { $0.map { $0 / height } }
        return ends.allSatisfy { $0 == ends[0] }
      }
    }
  }
}

/// Union–find with path halving, by size.
private struct DisjointSets {
  private var parents: [Int]
  private var sizes: [Int]

  init(count: Int) {
    parents = Array(0..<count)
    sizes = Array(repeating: 1, count: count)
  }

  mutating func root(_ element: Int) -> Int {
    var element = element
    while parents[element] != element {
      parents[element] = parents[parents[element]]
      element = parents[element]
    }
    return element
  }

  mutating func size(of element: Int) -> Int { sizes[root(element)] }

  mutating func join(_ first: Int, _ second: Int) {
    var (a, b) = (root(first), root(second))
    guard a != b else { return }
    if sizes[a] < sizes[b] { swap(&a, &b) }
    parents[b] = a
    sizes[a] += sizes[b]
  }
}
