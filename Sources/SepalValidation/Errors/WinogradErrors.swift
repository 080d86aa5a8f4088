import SepalGraph
import SepalTensor

/// Bounds the error of a 3×3 convolution by Winograd's algorithm, y = Aᵀ[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]·A summed over channels,
/// as the runtime computes it.
///
/// Every intermediate is a sum of products along paths through the three transforms, and each coefficient is exact and
/// belongs to one path. So the error is at most γₙ·|A|ᵀ[(|G|·|g|·|G|ᵀ) ⊙ (|B|ᵀ·|d|·|B|)]·|A|, n being the most roundings
/// along a path: at most 8 each in the two transforms of the data and back, one of the weights, one a channel, and those of
/// bias and residual.
struct WinogradErrors {
  /// For one line: the patch at the points, the kernel at the points, and the tile from the points.
  let patch: [[Double]]
  let kernel: [[Double]]
  let tile: [[Double]]
  let side: Int

  /// The points of `CSepalKernels/bodies/winograd.h`.
  init(tile side: Int) {
    let (a, b) = (0.625, 1.5)
    let points: [Double] = side == 2 ? [0, 1, -1] : [0, a, -a, b, -b]
    self.side = side
    kernel =
      points.map { point in
        let distances = points.filter { $0 != point }.reduce(1.0) { $0 * (point - $1) }
        return [1 / distances, point / distances, point * point / distances]
      } + [[0, 0, 1]]
    if side == 2 {
      patch = [[-1, 0, 1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]]
    } else {
      let (p, s) = (a * a * b * b, -a * a - b * b)
      patch = [
        [p, 0, s, 0, 1, 0], [0, -a * b * b, -b * b, a, 1, 0], [0, a * b * b, -b * b, -a, 1, 0],
        [0, -b * a * a, -a * a, b, 1, 0], [0, b * a * a, -a * a, -b, 1, 0], [0, p, 0, s, 0, 1],
      ]
    }
    tile = (0..<side).map { power in
      let powers = points.map { point in (0..<power).reduce(1.0) { product, _ in product * point } }
      return powers + [power == side - 1 ? 1 : 0]
    }
  }

  func errors(of op: Conv, _ site: ErrorSite) throws(OperatorError) -> [Double] {
    let x = site.inputs[0].value
    let output = site.outputs[0]
    guard op.layout == .channelsLast, x.shape.count == 4, site.isExact else {
      throw OperatorError("is not a convolution by Winograd's algorithm")
    }
    let shape = output.shape
    let (batch, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    let inputs = x.shape[3]
    let roundings = 16 + 1 + inputs + 2 + 3
    let gamma = site.rounding.gamma(roundings)
    let least = Double(roundings * (side + 2) * (side + 2)) * 16 * site.rounding.underflow
    let (across, down) = ((width + side - 1) / side, (height + side - 1) / side)
    let values = x.doubles().map(\.magnitude)
    let weights = kernels(site.inputs[1].value.doubles().map(\.magnitude), count: channels * inputs)
    var sums = [Double](repeating: 0, count: output.count)
    for n in 0..<batch {
      let image = Array(values[n * values.count / batch..<(n + 1) * values.count / batch])
      let patches = Patches(
        image: image, height: x.shape[1], width: x.shape[2], channels: inputs, across: across, down: down,
        top: op.padBegins[0], left: op.padBegins[1], side: side)
      for row in 0..<side + 2 {
        for column in 0..<side + 2 {
          let data = patches.values(patch[row].map(\.magnitude), patch[column].map(\.magnitude))
          var products = [Double](repeating: 0, count: channels * across * down)
          ChannelProduct(
            rows: channels, depth: inputs, columns: across * down, xRow: across * down, cRow: across * down
          ).accumulate(&products, weights[row * (side + 2) + column], data)
          scatter(products, row, column, across, (height, width, channels), at: n * height * width, &sums)
        }
      }
    }
    let bias = site.inputs.optional(2)?.value.doubles()
    let residual = site.inputs.optional(3)?.value.doubles()
    for index in sums.indices {
      let added = (bias?[index % channels].magnitude ?? 0) + (residual?[index].magnitude ?? 0)
      sums[index] = gamma * (sums[index] + added) + least
    }
    return sums
  }

  /// |G|·|g|·|G|ᵀ for each pair of channels: a matrix at each point.
  private func kernels(_ weights: [Double], count: Int) -> [[Double]] {
    kernel.flatMap { row in
      kernel.map { column in
        (0..<count).map { index in
          var sum = 0.0
          for y in 0..<3 {
            for x in 0..<3 { sum += (row[y] * column[x]).magnitude * weights[index * 9 + y * 3 + x] }
          }
          return sum
        }
      }
    }
  }

  /// Adds the products at one point to the outputs that they reach.
  private func scatter(
    _ products: [Double], _ row: Int, _ column: Int, _ across: Int,
    _ size: (height: Int, width: Int, channels: Int), at base: Int, _ sums: inout [Double]
  ) {
    for y in 0..<size.height {
      for x in 0..<size.width {
        let factor = (tile[y % side][row] * tile[x % side][column]).magnitude
        guard factor > 0 else { continue }
        let position = y / side * across + x / side
        let target = (base + y * size.width + x) * size.channels
        let tiles = products.count / size.channels
        for c in 0..<size.channels { sums[target + c] += factor * products[c * tiles + position] }
      }
    }
  }
}

/// The patches of one channels-last image, tile by tile.
private struct Patches {
  let image: [Double]
  let height, width, channels, across, down, top, left, side: Int

  /// For each channel and tile the patch at one point: `rows` and `columns` are the coefficients along either axis.
  func values(_ rows: [Double], _ columns: [Double]) -> [Double] {
    let tiles = across * down
    var result = [Double](repeating: 0, count: channels * tiles)
    for tile in 0..<tiles {
      for (j, row) in rows.enumerated() where row > 0 {
        let y = tile / across * side + j - top
        guard y >= 0, y < height else { continue }
        for (i, column) in columns.enumerated() where column > 0 {
          let x = tile % across * side + i - left
          guard x >= 0, x < width else { continue }
          let source = (y * width + x) * channels
          for c in 0..<channels { result[c * tiles + tile] += row * column * image[source + c] }
        }
      }
    }
    return result
  }
}
