/// What a 3×3 convolution costs in nanoseconds as a sum over taps, and by tiles of either size. Rough, but it only has
/// to rank. It knows nothing of threads, whose number must not change the result.
struct WinogradCost {
  private let geometry: WindowGeometry
  /// Channels, padded to whole vectors.
  private let inputs, outputs: Int

  /// Multiply-adds in a nanosecond.
  private static let macs = 47.0
  /// Nanoseconds to transform one channel of a tile at one point.
  private static let transform = 0.18
  /// Nanoseconds to fetch a byte of weights: of few, which stay in the last cache from run to run, and of many. One
  /// thread hides most of that behind arithmetic, but several share the memory, and weights take up room as well.
  private static let (near, far) = (1.0 / 40, 1.0 / 16)
  private static let fewBytes = 4 << 20
  /// The share of the direct kernel's cost that makes more weights and working memory worth while.
  private static let worthwhile = 0.9

  init(_ geometry: WindowGeometry, vector: Int) {
    self.geometry = geometry
    inputs = geometry.input.blocks(vector) * vector
    outputs = geometry.output.blocks(vector) * vector
  }

  /// The size of tiles to compute it by, if by tiles.
  var cheapestTile: Int? {
    let tile = cost(tile: 2) < cost(tile: 4) ? 2 : 4
    return cost(tile: tile) < Self.worthwhile * direct ? tile : nil
  }

  private func products(places: Int, matrices: Int) -> Double {
    let weights = matrices * inputs * outputs
    let bytes = weights * MemoryLayout<Float>.size
    let fetch = bytes <= Self.fewBytes ? Self.near : Self.far
    return Double(weights) * Double(places) / Self.macs + Double(bytes) * fetch
  }

  private var direct: Double {
    products(places: geometry.output.batch * geometry.output.pixels, matrices: 9)
  }

  private func cost(tile: Int) -> Double {
    let (tiles, matrices) = (geometry.tiles(tile), (tile + 2) * (tile + 2))
    return products(places: tiles, matrices: matrices)
      + Double(tiles * matrices * (inputs + outputs)) * Self.transform
  }
}

extension WindowGeometry {
  /// Tiles of all images.
  func tiles(_ tile: Int) -> Int {
    output.batch * ((output.height + tile - 1) / tile) * ((output.width + tile - 1) / tile)
  }
}
