import CSepalKernels
import SepalTensor

/// Everything that one session's steps point at. Addresses are stable for its life.
package final class SessionMemory {
  package let weights: WeightStore
  let arena: UnsafeMutableRawPointer
  private(set) var failure: RuntimeError?
  /// Whether there is a failure, for threads that may not touch references.
  let failed: UnsafeMutablePointer<Bool>
  private var blocks: [UnsafeMutableRawPointer] = []
  private var objects: [AnyObject] = []

  init(arenaBytes: Int, weights: WeightStore) {
    self.weights = weights
    arena = PageMemory.allocate(byteCount: arenaBytes)
    failed = .allocate(capacity: 1)
    failed.initialize(to: false)
  }

  deinit {
    for block in blocks { block.deallocate() }
    failed.deallocate()
    arena.deallocate()
  }

  /// The first failure of a run is the one that is reported.
  func fail(_ error: RuntimeError) {
    failure = failure ?? error
    failed.pointee = true
  }

  func clearFailure() {
    failure = nil
    failed.pointee = false
  }

  /// Trivial values only: they are never destroyed.
  func keep<T>(_ value: T) -> UnsafeRawPointer { UnsafeRawPointer(keep([value])) }

  func keep<T>(_ values: [T]) -> UnsafePointer<T> {
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, values.count * MemoryLayout<T>.stride), alignment: 64)
    blocks.append(block)
    let typed = block.bindMemory(to: T.self, capacity: values.count)
    for (index, value) in values.enumerated() { (typed + index).initialize(to: value) }
    return UnsafePointer(typed)
  }

  func keep(object: AnyObject) -> UnsafeRawPointer {
    objects.append(object)
    return UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
  }

  /// The bytes of a constant of the model, where they are if they are aligned for their type, otherwise in a copy.
  func address(of constant: Tensor) -> UnsafeRawPointer {
    constant.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress, Int(bitPattern: base) % constant.element.size == 0 {
        return base
      }
      return UnsafeRawPointer(keep(Array(bytes)))
    }
  }
}
