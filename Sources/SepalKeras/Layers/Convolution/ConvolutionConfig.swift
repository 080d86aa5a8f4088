import SepalGraph
import SepalTensor

/// What the layers with a sliding kernel share, in the spelling of every version.
extension LayerContext {
  func kernelSize(rank: Int) throws(KerasError) -> [Int] {
    let older = [["filter_length"], ["nb_row", "nb_col"], ["kernel_dim1", "kernel_dim2", "kernel_dim3"]][
      rank - 1]
    guard entry("kernel_size") == nil, entry(older[0]) != nil else {
      return try sizes("kernel_size", count: rank)
    }
    var kernel: [Int] = []
    for field in older { kernel.append(try size(field)) }
    return kernel
  }

  func filters() throws(KerasError) -> Int { try size(spelling("filters", "nb_filter")) }

  func strides(rank: Int) throws(KerasError) -> [Int] {
    try sizes(spelling("strides", "subsample", "subsample_length"), count: rank, default: 1)
  }

  func dilations(rank: Int) throws(KerasError) -> [Int] {
    try sizes(spelling("dilation_rate", "atrous_rate"), count: rank, default: 1)
  }

  func hasBias() throws(KerasError) -> Bool { try bool(spelling("use_bias", "bias"), default: true) }

  func biasSpec(_ count: Int) -> VariableSpec { VariableSpec("bias", "b", shape: [count]) }

  /// The number of groups, which must be one for a layer that has none.
  func requireUngrouped() throws(KerasError) {
    guard try size("groups", default: 1) == 1 else {
      throw unsupported("groups", "is \(try size("groups")), expected 1")
    }
  }

  /// The product, or an error about the entry that makes it too large.
  func product(_ a: Int, _ b: Int, _ field: String) throws(KerasError) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    guard !overflow, value <= Int(Int32.max) else { throw invalid(field, "is too large") }
    return value
  }
}

/// How a convolution's kernel is stored.
struct StoredKernel {
  /// [spatial…, in, out], except in files of Keras 1.
  var spec: VariableSpec
  /// The same elements with as many axes as [spatial…, in, out], by the shape that they were found in.
  private var axes: [[Int]: (shape: [Int], permutation: [Int])]

  /// - Parameters:
  ///   - spatial: the extents of the kernel.
  ///   - layout: of the activations, which decided the order of a kernel in Keras 1.
  init(spatial: [Int], inputs: Int, outputs: Int, layout: Layout, version: KerasVersion) {
    let rank = spatial.count
    let current = (shape: spatial + [inputs, outputs], permutation: [rank + 1, rank] + Array(0..<rank))
    let reversed = (shape: [outputs, inputs] + spatial, permutation: Array(0..<rank + 2))
    spec = VariableSpec("kernel", "W", shape: current.shape)
    if version == .one, rank == 1 {
      // A convolution over a plane of width one; Keras 1.2 changed the order.
      spec.shape = [spatial[0], 1, inputs, outputs]
      let older = [outputs, inputs, spatial[0], 1]
      axes = [older: reversed]
      axes[spec.shape] = current
      spec.alternative = older
    } else if version == .one, layout == .channelsFirst {
      spec.shape = reversed.shape
      axes = [reversed.shape: reversed]
    } else {
      axes = [current.shape: current]
    }
  }

  /// [out, in, spatial…].
  func weight(_ stored: Tensor, _ context: LayerContext) throws(KerasError) -> ValueID {
    guard let (shape, permutation) = axes[stored.shape] else {
      throw KerasError(.invalid, "is \(stored.shape), expected \(spec.shape)", field: spec.names[0])
    }
    return try context.parameter("kernel", stored.reshaped(shape), permutation: permutation)
  }
}

extension LayerContext {
  /// Refuses kernels that another backend stored turned round, and says where a file leaves open whether they are.
  func checkKernelOrientation(_ spatial: [Int]) throws(KerasError) {
    guard spatial.contains(where: { $0 > 1 }) else { return }
    guard weightsBackend != "theano" else {
      throw KerasError(
        .unsupported, "has a kernel of the Theano backend, which convolves with kernels turned by 180°")
    }
    if version == .one, weightsBackend == nil {
      noteFirst(
        "Keras 1",
        "kernels are taken as the TensorFlow backend stores them, from '\(name)' on: Keras 1 does not record "
          + "its backend, and Theano's are turned by 180°")
    }
  }
}
