import CSepalKernels

/// The steps of a session in the form in which the threads run them.
///
/// Each thread walks the whole list. A step that is shared is cut into equal ranges of its units; a serial one is the
/// first thread's. The threads meet before and after every shared step.
final class Team {
  private struct Step {
    let bound: BoundStep
    let units: Int
    let threads: Int
    let meetsAfter: Bool
  }

  private struct Script {
    var steps: UnsafeMutablePointer<Step>
    var count: Int
    var scratch: UnsafeMutableRawPointer
    var scratchBytes: Int
    var barrier: ThreadPool.Barrier
    /// Written by serial steps; read by the others after the meeting that follows.
    var failed: UnsafePointer<Bool>
  }

  private let pool: ThreadPool
  private let memory: SessionMemory
  private let script: UnsafeMutablePointer<Script>

  /// What is run between two meetings, by at most `threads` threads.
  struct Phase {
    let bound: BoundStep
    let units: Int
    let threads: Int

    init(_ phase: BoundPhase, threads: Int) {
      bound = phase.step
      units = phase.units
      self.threads = min(threads, phase.units)
    }
  }

  init(_ phases: [Phase], threads: Int, scratchBytes: Int, memory: SessionMemory) {
    let pool = ThreadPool(count: phases.contains { $0.threads > 1 } ? threads : 1)
    self.pool = pool
    self.memory = memory
    let list = UnsafeMutablePointer<Step>.allocate(capacity: max(1, phases.count))
    for (index, phase) in phases.enumerated() {
      let shared = min(phase.threads, pool.count)
      let next = index + 1 < phases.count ? min(phases[index + 1].threads, pool.count) : 1
      (list + index).initialize(
        to: Step(
          bound: phase.bound, units: phase.units, threads: shared, meetsAfter: shared > 1 || next > 1))
    }
    script = .allocate(capacity: 1)
    script.initialize(
      to: Script(
        steps: list, count: phases.count,
        scratch: PageMemory.allocate(byteCount: scratchBytes * pool.count), scratchBytes: scratchBytes,
        barrier: pool.barrier, failed: memory.failed))
  }

  deinit {
    script.pointee.scratch.deallocate()
    script.pointee.steps.deallocate()
    script.deallocate()
  }

  /// Runs every step.
  func run() throws(RuntimeError) {
    memory.weights.pack(pool)
    memory.clearFailure()
    pool.run(
      { context, thread in
        let script = context.assumingMemoryBound(to: Script.self)
        let scratch = script.pointee.scratch + thread * script.pointee.scratchBytes
        for index in 0..<script.pointee.count {
          let step = script.pointee.steps + index
          if thread < step.pointee.threads, !script.pointee.failed.pointee {
            let (units, threads) = (step.pointee.units, step.pointee.threads)
            step.pointee.bound.body(
              step.pointee.bound.context, units * thread / threads, units * (thread + 1) / threads, scratch)
          }
          if step.pointee.meetsAfter { script.pointee.barrier.wait() }
        }
      }, UnsafeMutableRawPointer(script))
    if let failure = memory.failure { throw failure }
  }

  /// Runs one step on the calling thread. The result has the same bits.
  func runAlone(_ index: Int) throws(RuntimeError) {
    memory.weights.pack(pool)
    memory.clearFailure()
    let step = script.pointee.steps + index
    step.pointee.bound.body(step.pointee.bound.context, 0, step.pointee.units, script.pointee.scratch)
    if let failure = memory.failure { throw failure }
  }
}
