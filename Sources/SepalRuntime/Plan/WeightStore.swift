import CSepalKernels
import SepalTensor

/// Packed weights of a model: one 64-byte aligned block in execution order, written once, before the first run, then
/// shared by all sessions.
package final class WeightStore: @unchecked Sendable {
  /// A place in the store.
  package struct Slice: Sendable {
    fileprivate let offset: Int
    package let count: Int
    package var byteCount: Int { count * MemoryLayout<Float>.size }
  }

  package let byteCount: Int
  private let base: UnsafeMutableRawPointer
  private let zeros: Slice
  /// What is still to be packed.
  private let pending: Locked<[Builder.Job]>
  /// One when everything is packed.
  private let isPacked: UnsafeMutablePointer<UInt32>

  /// Packs everything, unless it was done before; what a `Fill` holds on to is let go of as soon as it has run.
  package func pack(_ pool: ThreadPool) {
    if sepal_word_load(isPacked) == 1 { return }
    pending.withLock { jobs in
      let fills = Fills(jobs.map(\.fill))
      let offsets = jobs.map(\.offset)
      jobs = []
      pool.forEach(0..<offsets.count) { index in
        fills.take(index)((self.base + offsets[index]).assumingMemoryBound(to: Float.self))
      }
      sepal_word_store(isPacked, 1)
    }
  }

  /// An address in the block, which is not packed yet.
  package func floats(_ slice: Slice) -> UnsafePointer<Float> {
    UnsafePointer((base + slice.offset).assumingMemoryBound(to: Float.self))
  }

  /// At least as many zeros as any builder asked for.
  package var zeroFloats: UnsafePointer<Float> { floats(zeros) }

  /// Collects what will be packed.
  package final class Builder {
    package typealias Fill = @Sendable (UnsafeMutablePointer<Float>) -> Void
    fileprivate typealias Job = (offset: Int, fill: Fill)
    private var jobs: [Job] = []
    private var byteCount = 0
    private var zeroCount = 0

    package init() {}

    /// Reserves room for `count` floats, all of which `fill` must write, later and on any thread.
    package func reserve(_ count: Int, _ fill: @escaping Fill) -> Slice {
      let slice = Slice(offset: byteCount, count: count)
      byteCount += (count * MemoryLayout<Float>.size + 63) / 64 * 64
      jobs.append((slice.offset, fill))
      return slice
    }

    /// `values` followed by zeros up to `count`.
    package func reserve(_ values: [Float], paddedTo count: Int) -> Slice {
      let count = max(count, values.count)
      return reserve(count) { destination in
        for index in 0..<count { destination[index] = index < values.count ? values[index] : 0 }
      }
    }

    package func requireZeros(_ count: Int) { zeroCount = max(zeroCount, count) }

    /// The store with everything that was reserved, to be packed before it is read.
    package func build() -> WeightStore {
      let zeros = Slice(offset: byteCount, count: zeroCount)
      let total = byteCount + (zeroCount * MemoryLayout<Float>.size + 63) / 64 * 64
      reserveZeros(zeros, total)
      let store = WeightStore(byteCount: total, zeros: zeros, jobs)
      jobs = []
      return store
    }

    private func reserveZeros(_ zeros: Slice, _ end: Int) {
      jobs.append(
        (
          zeros.offset,
          {
            UnsafeMutableRawPointer($0).initializeMemory(
              as: UInt8.self, repeating: 0, count: end - zeros.offset)
          }
        ))
    }
  }

  /// Closures that are each taken once, by any thread, which is then their last owner.
  private final class Fills: @unchecked Sendable {
    private let first: UnsafeMutablePointer<Builder.Fill>

    init(_ fills: [Builder.Fill]) {
      first = .allocate(capacity: max(1, fills.count))
      first.initialize(from: fills, count: fills.count)
    }

    func take(_ index: Int) -> Builder.Fill { (first + index).move() }

    deinit { first.deallocate() }
  }

  private init(byteCount: Int, zeros: Slice, _ jobs: [Builder.Job]) {
    self.byteCount = byteCount
    self.zeros = zeros
    pending = Locked(jobs)
    isPacked = .allocate(capacity: 1)
    isPacked.initialize(to: 0)
    base = PageMemory.allocate(byteCount: byteCount)
  }

  deinit {
    base.deallocate()
    isPacked.deallocate()
  }
}
