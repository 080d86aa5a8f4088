import SepalGraph
import SepalTensor

/// One of the two kernels that a kernel is the product of, `[outputs][inputs of a group][taps]`, rounded to float32.
struct KernelFactor: Sendable {
  var outputs, inputsPerGroup, groups: Int
  var kernel: [Int]
  /// Empty where only the shape matters.
  var values: [Double] = []

  var taps: Int { kernel.reduce(1, *) }
  var inputs: Int { inputsPerGroup * groups }
  var count: Int { outputs * inputsPerGroup * taps }

  func holding(_ values: [Double]) -> KernelFactor {
    precondition(values.count == count)
    var result = self
    result.values = values.map { Double(Float($0)) }
    return result
  }

  /// As the weight of a convolution, or of a transposed one.
  func tensor(isTransposed: Bool) -> Tensor {
    let perGroup = outputs / groups
    let shape = (isTransposed ? [inputs, perGroup] : [outputs, inputsPerGroup]) + kernel
    guard !values.isEmpty else { return Tensor(TensorType(.float32, shape)) { _ in } }
    let values =
      isTransposed
      ? SeparableLayer.exchanged(values, groups: groups, first: perGroup, second: inputsPerGroup) : values
    return Tensor(.float32, shape, doubles: values)
  }
}

/// Two kernels, one applied after the other; of several terms the results are added up.
struct KernelProduct: Sendable {
  var first, second: KernelFactor
  /// The layer's inputs that the first one reads, any of them several times or never; nil for all of them in order.
  var channels: [Int]?

  /// Adds the kernel that both together are to `weight`, that of `layer`. Along each spatial axis one of the factors has
  /// one tap.
  func add(to weight: inout [Double], of layer: SeparableLayer) {
    let (kernel, groups, taps) = (layer.kernel, layer.groups, layer.taps)
    let places = Self.places(first.kernel, second.kernel, in: kernel)
    let (firstTaps, secondTaps) = (first.taps, second.taps)
    let middlePerOutputGroup = first.outputs / second.groups
    let firstPerGroup = first.outputs / first.groups
    let inputsPerGroup = layer.inputsPerGroup
    let outputsPerSecondGroup = second.outputs / second.groups
    weight.withUnsafeMutableBufferPointer { weight in
      for output in 0..<second.outputs {
        let firstMiddle = output / outputsPerSecondGroup * middlePerOutputGroup
        let firstInput = output / (second.outputs / groups) * inputsPerGroup
        for own in 0..<second.inputsPerGroup {
          let middle = firstMiddle + own
          let source = middle / firstPerGroup * first.inputsPerGroup
          for input in 0..<first.inputsPerGroup {
            let channel = channels?[source + input] ?? source + input
            let target = (output * inputsPerGroup + channel - firstInput) * taps
            for b in 0..<secondTaps {
              let factor = second.values[(output * second.inputsPerGroup + own) * secondTaps + b]
              for a in 0..<firstTaps {
                weight[target + places[b * firstTaps + a]] +=
                  factor * first.values[(middle * first.inputsPerGroup + input) * firstTaps + a]
              }
            }
          }
        }
      }
    }
  }

  /// For each pair of taps the tap of the product.
  private static func places(_ first: [Int], _ second: [Int], in kernel: [Int]) -> [Int] {
    func index(_ position: Int, _ extents: [Int]) -> [Int] {
      var (rest, result) = (position, [Int](repeating: 0, count: extents.count))
      for axis in extents.indices.reversed() {
        result[axis] = rest % extents[axis]
        rest /= extents[axis]
      }
      return result
    }
    var places: [Int] = []
    for b in 0..<second.reduce(1, *) {
      for a in 0..<first.reduce(1, *) {
        let sum = zip(index(a, first), index(b, second)).map(+)
        places.append(zip(sum, kernel).reduce(0) { $0 * $1.1 + $1.0 })
      }
    }
    return places
  }
}
