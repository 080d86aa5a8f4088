import CSepalKernels
import SepalGraph
import SepalTensor

/// Operators that only move elements, of any type: a list of boxes copied between strided views. Threads share each box.
struct MoveKernel: Kernel {
  static let operators = [
    Transpose.schema.name, Concat.schema.name, Split.schema.name, Slice.schema.name, Expand.schema.name,
    Pad.schema.name, Reshape.schema.name, Identity.schema.name, Gather.schema.name,
  ]

  /// One copy: element offsets into an operand and an output, and strides for each extent.
  struct Box: Sendable {
    var input = 0
    var output = 0
    var inputOffset = 0
    var outputOffset = 0
    var extents: [Int]
    var inputStrides: [Int]
    var outputStrides: [Int]

    var count: Int { extents.reduce(1, *) }

    /// Whether elements come in runs that are worth a call.
    var hasRuns: Bool { inputStrides.last == 1 && outputStrides.last == 1 && (extents.last ?? 0) >= 8 }
  }

  private let boxes: [Box]
  private let elementSize: Int
  /// The byte pattern of one element that the output is filled with first.
  private let fill: Tensor?
  private let outputCount: Int
  let outputForm: Form
  let summary: String
  let work: Int
  /// What is filled first is one piece.
  var units: Int { fill == nil ? Self.shares : 1 }
  private static let shares = 16
  /// Extents of a thread's share of a box.
  var scratchBytes: Int { (boxes.map(\.extents.count).max() ?? 0) * MemoryLayout<Int>.size }
  /// Indices are in the boxes.
  let packedOperands: [Int]
  let loads: [KernelLoad]
  func inputForm(_ index: Int) -> Form { outputForm }

  init?(_ site: Site) {
    guard let output = site.outputs.first else { return nil }
    let blocked = Self.blockedBoxes(site)
    guard let boxes = blocked ?? Self.boxes(site) else { return nil }
    outputForm = blocked == nil ? .plain : .blocked
    self.boxes = boxes.filter { !$0.extents.contains(0) }.map { Self.ordered(Self.merged($0)) }
    elementSize = output.element.size
    outputCount = output.count
    if let pad = site.op(Pad.self) {
      fill = Tensor(output.element, [], doubles: [pad.value])
    } else {
      fill = nil
    }
    packedOperands = site.node.op is Gather ? [1] : []
    // Element by element takes as long as between forms.
    let moved = self.boxes.reduce(0) { $0 + $1.count }
    let alone = self.boxes.reduce(0) { $0 + ($1.hasRuns ? 0 : $1.count) }
    loads = [(KernelLoad.Family.reorder, alone), (.stream, moved - alone)].filter { $0.1 > 0 }
      .map { [elementSize] in .bytes($0.0, 2 * $0.1 * elementSize) }
    work = site.outputs.reduce(0) { $0 + $1.count }
    summary = "move \(site.node.op.name.lowercased()), \(self.boxes.count) boxes"
  }

  private static func boxes(_ site: Site) -> [Box]? {
    let input = site.inputs[0]
    let (from, to) = (rowMajorStrides(input.shape), rowMajorStrides(site.outputs[0].shape))
    if let op = site.op(Transpose.self) {
      return [
        Box(extents: site.outputs[0].shape, inputStrides: op.permutation.map { from[$0] }, outputStrides: to)
      ]
    }
    if site.node.op is Reshape || site.node.op is Identity {
      return [Box(extents: [input.count], inputStrides: [1], outputStrides: [1])]
    }
    if let op = site.op(Expand.self) {
      return [
        Box(
          extents: op.shape, inputStrides: broadcastStrides(input.shape, to: op.shape), outputStrides: to)
      ]
    }
    if let op = site.op(Concat.self) {
      return joined(
        site.inputs.present.map(\.shape), site.outputs[0].shape,
        axis: op.axis < 0 ? op.axis + input.rank : op.axis)
    }
    if let op = site.op(Split.self) {
      return parted(
        input.shape, site.outputs.map(\.shape), axis: op.axis < 0 ? op.axis + input.rank : op.axis)
    }
    if let op = site.op(Slice.self) { return slice(op, site.outputs[0].shape, from, to) }
    if let op = site.op(Pad.self) { return pad(op, input.shape, from, to) }
    if let op = site.op(Gather.self) { return gathered(op, site) }
    return nil
  }

  private static func joined(_ parts: [[Int]], _ whole: [Int], axis: Int) -> [Box] {
    let to = rowMajorStrides(whole)
    var position = 0
    return parts.enumerated().map { index, part in
      defer { position += part[axis] }
      return Box(
        input: index, outputOffset: position * to[axis], extents: part, inputStrides: rowMajorStrides(part),
        outputStrides: to)
    }
  }

  private static func parted(_ whole: [Int], _ parts: [[Int]], axis: Int) -> [Box] {
    let from = rowMajorStrides(whole)
    var position = 0
    return parts.enumerated().map { index, part in
      defer { position += part[axis] }
      return Box(
        output: index, inputOffset: position * from[axis], extents: part, inputStrides: from,
        outputStrides: rowMajorStrides(part))
    }
  }

  /// Images that are blocked already, joined or parted between whole blocks of channels.
  private static func blockedBoxes(_ site: Site) -> [Box]? {
    if let op = site.op(Gather.self) { return site.form(0) == .blocked ? gatheredChannels(op, site) : nil }
    guard (0..<site.inputs.count).contains(where: { site.form($0) == .blocked }), site.isFloat32 else {
      return nil
    }
    let vector = site.functions.vectorWidth
    func shape(_ image: ImageShape) -> [Int] { [image.batch, image.blocks(vector), image.pixels * vector] }
    func isChannels(_ axis: Int) -> Bool { axis == -1 || axis == site.outputs[0].rank - 1 }
    let inputs = site.inputs.present.compactMap { ImageShape($0) }
    let outputs = site.outputs.compactMap { ImageShape($0) }
    guard inputs.count == site.inputs.present.count, outputs.count == site.outputs.count,
      !site.constants.contains(where: { $0 != nil }),
      (inputs.count > 1 ? inputs : outputs).dropLast().allSatisfy({ $0.channels % vector == 0 })
    else { return nil }
    if let op = site.op(Concat.self), isChannels(op.axis) {
      return joined(inputs.map(shape), shape(outputs[0]), axis: 1)
    }
    if let op = site.op(Split.self), isChannels(op.axis) {
      return parted(shape(inputs[0]), outputs.map(shape), axis: 1)
    }
    return nil
  }

  private static func slice(_ op: Slice, _ shape: [Int], _ from: [Int], _ to: [Int]) -> [Box] {
    var box = Box(extents: shape, inputStrides: from, outputStrides: to)
    for (index, axis) in op.axes.enumerated() {
      box.inputOffset += op.starts[index] * from[axis]
      box.inputStrides[axis] = from[axis] * op.steps[index]
    }
    return [box]
  }

  private static func pad(_ op: Pad, _ shape: [Int], _ from: [Int], _ to: [Int]) -> [Box]? {
    guard op.mode == .constant else { return nil }
    var box = Box(extents: shape, inputStrides: from, outputStrides: to)
    for axis in shape.indices {
      box.inputOffset += max(0, -op.begins[axis]) * from[axis]
      box.outputOffset += max(0, op.begins[axis]) * to[axis]
      box.extents[axis] += min(0, op.begins[axis]) + min(0, op.ends[axis])
      if box.extents[axis] < 0 { return nil }
    }
    return [box]
  }

  /// Without axes of extent 1, and with neighbours joined that are one run on both sides.
  private static func merged(_ box: Box) -> Box {
    var result = box
    (result.extents, result.inputStrides, result.outputStrides) = ([], [], [])
    for axis in box.extents.indices where box.extents[axis] != 1 {
      let (extent, from, to) = (box.extents[axis], box.inputStrides[axis], box.outputStrides[axis])
      let last = result.extents.count - 1
      if last >= 0, result.inputStrides[last] == from * extent, result.outputStrides[last] == to * extent {
        result.extents[last] *= extent
        result.inputStrides[last] = from
        result.outputStrides[last] = to
      } else {
        result.extents.append(extent)
        result.inputStrides.append(from)
        result.outputStrides.append(to)
      }
    }
    return result
  }

  /// With the longest axis that is a run on either side innermost, where the loop is.
  private static func ordered(_ box: Box) -> Box {
    let runs = box.extents.indices.filter { box.inputStrides[$0] == 1 || box.outputStrides[$0] == 1 }
    guard let longest = runs.max(by: { box.extents[$0] < box.extents[$1] }) else { return box }
    var result = box
    for list in [\Box.extents, \.inputStrides, \.outputStrides] {
      result[keyPath: list].append(result[keyPath: list].remove(at: longest))
    }
    return result
  }

  private struct Context {
    struct Copy {
      var source: UnsafeRawPointer
      var target: UnsafeMutableRawPointer
      var rank: Int
      /// The axis whose positions the threads share.
      var shared: Int
      var extents: UnsafePointer<Int>
      var targetStrides: UnsafePointer<Int>
      var sourceStrides: UnsafePointer<Int>
    }
    var copies: UnsafePointer<Copy>
    var count: Int
    var elementSize: Int
    var shares: Int
    var fillTarget: UnsafeMutableRawPointer
    var fill: UnsafeRawPointer?
    var fillCount: UnsafePointer<Int>
    var fillStrides: UnsafePointer<Int>

    /// Copies the shares [begin, end) of a box; `extents` has room for those of a part of it.
    func run(_ copy: Copy, _ begin: Int, _ end: Int, _ extents: UnsafeMutablePointer<Int>) {
      guard copy.rank > 0 else {
        if begin == 0 { run(copy, copy.source, copy.target, copy.extents) }
        return
      }
      extents.update(from: copy.extents, count: copy.rank)
      let whole = extents[copy.shared]
      let (first, last) = (whole * begin / shares, whole * end / shares)
      extents[copy.shared] = last - first
      guard first < last else { return }
      run(
        copy, copy.source + first * copy.sourceStrides[copy.shared] * elementSize,
        copy.target + first * copy.targetStrides[copy.shared] * elementSize, extents)
    }

    private func run(
      _ copy: Copy, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer,
      _ extents: UnsafePointer<Int>
    ) {
      sepal_copy_box(
        target, source, copy.rank, extents, copy.targetStrides, copy.sourceStrides, elementSize)
    }
  }

  func bind(_ memory: Operands) -> BoundStep {
    let copies = boxes.map { box in
      Context.Copy(
        source: UnsafeRawPointer(memory.input(box.input) + box.inputOffset * elementSize),
        target: memory.outputs[box.output] + box.outputOffset * elementSize, rank: box.extents.count,
        shared: box.extents.indices.max { box.extents[$0] < box.extents[$1] } ?? 0,
        extents: memory.session.keep(box.extents), targetStrides: memory.session.keep(box.outputStrides),
        sourceStrides: memory.session.keep(box.inputStrides))
    }
    let context = Context(
      copies: memory.session.keep(copies), count: copies.count, elementSize: elementSize, shares: units,
      fillTarget: memory.outputs[0], fill: fill.map { memory.session.address(of: $0) },
      fillCount: memory.session.keep([outputCount]), fillStrides: memory.session.keep([1, 0]))
    return BoundStep(
      body: { context, begin, end, scratch in
        let c = context.assumingMemoryBound(to: Context.self).pointee
        if let fill = c.fill {
          sepal_copy_box(c.fillTarget, fill, 1, c.fillCount, c.fillStrides, c.fillStrides + 1, c.elementSize)
        }
        for index in 0..<c.count {
          c.run(c.copies[index], begin, end, scratch.assumingMemoryBound(to: Int.self))
        }
      }, context: memory.context(context))
  }
}
