import CSepalKernels

/// What one run of a kernel does, in amounts that each take time in proportion. A machine's rates say how much.
package struct KernelLoad: Sendable, Hashable {
  /// Kernels whose time depends on the same amounts.
  package enum Family: String, Sendable, CaseIterable {
    /// Pixels times a matrix.
    case product
    /// One row times a matrix: waits for the matrix.
    case row
    /// A sum over taps of whole vectors of channels, and of few channels, as of pictures and small groups.
    case convolution, thinConvolution
    /// Winograd's algorithm with tiles of 2×2 and of 4×4.
    case winograd2, winograd4
    case depthwise
    case pool
    /// From one form into another.
    case reorder
    /// Elementwise work and copies.
    case stream
    case reference

    /// What the amounts count. The first is always 1: what a call costs by itself.
    package var terms: [String] {
      switch self {
      case .product: ["call", "narrow", "wide", "stored", "near", "far"]
      case .row: ["call", "near", "far"]
      case .convolution: ["call", "narrow", "wide", "stored", "near", "far", "padded"]
      case .thinConvolution: ["call", "narrow", "wide", "stored", "row"]
      case .winograd2, .winograd4: ["call", "narrow", "wide", "transformed", "near", "far"]
      case .depthwise: ["call", "tap", "wide", "stepped", "loose", "stored", "row", "far"]
      case .pool: ["call", "tap", "stored"]
      case .reorder, .stream: ["call", "byte"]
      case .reference: ["call", "operation"]
      }
    }
  }

  package let family: Family
  /// One for each of the family's terms.
  package let amounts: [Double]

  package init(_ family: Family, _ amounts: [Double]) {
    precondition(amounts.count == family.terms.count)
    self.family = family
    self.amounts = amounts
  }

  /// The same `count` times.
  func times(_ count: Int) -> KernelLoad { KernelLoad(family, amounts.map { $0 * Double(count) }) }

  static func bytes(_ family: Family, _ bytes: Int) -> KernelLoad { KernelLoad(family, [1, Double(bytes)]) }
}

/// The amounts of `depth` products for each of some pixels by some columns, in tiles.
struct TileLoad {
  /// Multiply-adds of vectors, in panels of one vector and in wider ones. A tile takes no less time than its additions
  /// wait for each other.
  private(set) var narrow = 0.0, wide = 0.0
  /// Vectors of results, and of what is added to them.
  private(set) var stored = 0.0

  /// The fewest independent sums that keep the arithmetic busy.
  private static let independentSums = 8

  /// - Parameter runs: how often `pixels` of them come by themselves, as rows do.
  init(
    pixels: Int, runs: Int, depth: Int, columns: Int, hasResidual: Bool, _ functions: KernelFunctions
  ) {
    let starts = functions.panelStarts(columns)
    for (start, end) in zip(starts, starts.dropFirst()) {
      let width = end - start
      let rows = functions.table.pointee.tile_pixels(width * functions.vectorWidth)
      let tiles = (pixels + rows - 1) / rows
      // Pixels are divided evenly over the tiles, and some tiles are one pixel smaller.
      let (small, large) = (pixels / max(1, tiles), pixels % max(1, tiles))
      let sums =
        large * max(Self.independentSums, (small + 1) * width)
        + (tiles - large) * max(Self.independentSums, small * width)
      let products = Double(sums) * Double(depth) * Double(runs)
      if width == 1 { narrow += products } else { wide += products }
      stored += Double(pixels * width * runs) * (hasResidual ? 2 : 1)
    }
  }
}

/// Bytes of weights by where they are from run to run.
struct WeightTraffic {
  /// In the caches of the cores, and beyond them.
  let near, far: Double

  private static let nearest = 4 << 20

  /// - Parameter passes: how often a run reads them all.
  init(_ bytes: Int, passes: Int = 1) {
    let moved = Double(bytes) * Double(passes)
    (near, far) = bytes <= Self.nearest ? (moved, 0) : (0, moved)
  }
}
