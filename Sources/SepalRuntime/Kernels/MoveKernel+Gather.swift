import SepalGraph
import SepalTensor

extension MoveKernel {
  /// More boxes than this take longer to walk over than to evaluate the operator as it is written.
  private static let mostIndices = 4096

  /// The positions along the axis, from the front; nil unless they are a constant list.
  private static func positions(_ op: Gather, _ site: Site) -> (axis: Int, indices: [Int])? {
    let shape = site.inputs[0].shape
    let axis = op.axis < 0 ? op.axis + shape.count : op.axis
    guard let tensor = site.constant(1), tensor.shape.count == 1, tensor.count <= mostIndices,
      let values = tensor.integers(), values.allSatisfy({ $0 >= -shape[axis] && $0 < shape[axis] })
    else { return nil }
    return (axis, values.map { Int($0) + ($0 < 0 ? shape[axis] : 0) })
  }

  /// One box for each stretch of positions that follow each other.
  static func gathered(_ op: Gather, _ site: Site) -> [Box]? {
    guard let (axis, indices) = positions(op, site) else { return nil }
    let (shape, to) = (site.inputs[0].shape, rowMajorStrides(site.outputs[0].shape))
    let from = rowMajorStrides(shape)
    var boxes: [Box] = []
    var first = 0
    for end in indices.indices.map({ $0 + 1 })
    where end == indices.count || indices[end] != indices[end - 1] + 1 {
      var extents = shape
      extents[axis] = end - first
      boxes.append(
        Box(
          inputOffset: indices[first] * from[axis], outputOffset: first * to[axis], extents: extents,
          inputStrides: from, outputStrides: to))
      first = end
    }
    return boxes
  }

  /// Channels of blocked images, lane by lane; lanes behind the last channel repeat it.
  static func gatheredChannels(_ op: Gather, _ site: Site) -> [Box]? {
    guard let input = ImageShape(site.inputs[0]), let output = ImageShape(site.outputs[0]),
      let (axis, indices) = positions(op, site), axis == site.inputs[0].rank - 1, let last = indices.last
    else { return nil }
    let vector = site.functions.vectorWidth
    func offset(_ channel: Int, _ image: ImageShape) -> Int {
      channel / vector * image.pixels * vector + channel % vector
    }
    return (0..<output.blocks(vector) * vector).map { place in
      Box(
        inputOffset: offset(place < indices.count ? indices[place] : last, input),
        outputOffset: offset(place, output), extents: [input.batch, input.pixels],
        inputStrides: [input.blocks(vector) * input.pixels * vector, vector],
        outputStrides: [output.blocks(vector) * output.pixels * vector, vector])
    }
  }
}
