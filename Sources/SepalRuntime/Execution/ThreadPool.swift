import CSepalKernels

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A fixed team of threads, the caller being the first. Between runs the others spin briefly, then yield, then sleep.
///
/// One run at a time. `@unchecked Sendable`: threads meet through the words of `Shared`, which are accessed
/// atomically, and through the job, which is written before the epoch that announces it.
package final class ThreadPool: @unchecked Sendable {
  package typealias Job = @convention(c) (_ context: UnsafeMutableRawPointer, _ thread: Int) -> Void

  package let count: Int
  private let shared: UnsafeMutablePointer<Shared>
  private var threads: [UInt] = []

  /// A team of `count` threads, or of fewer where the system refuses to start more.
  package init(count: Int) {
    shared = .allocate(capacity: 1)
    shared.initialize(to: Shared())
    pthread_mutex_init(&shared.pointee.mutex, nil)
    pthread_cond_init(&shared.pointee.wake, nil)
    for index in 1..<max(count, 1) {
      guard let thread = Self.start(Member(shared: shared, index: index)) else { break }
      threads.append(thread)
    }
    self.count = threads.count + 1
    shared.pointee.count = UInt32(self.count)
  }

  deinit {
    shared.pointee.stops = true
    announce()
    for thread in threads { sepal_thread_join(thread) }
    pthread_cond_destroy(&shared.pointee.wake)
    pthread_mutex_destroy(&shared.pointee.mutex)
    shared.deallocate()
  }

  /// Runs `job` on every thread of the team, and returns when all have finished. Allocates nothing.
  package func run(_ job: Job, _ context: UnsafeMutableRawPointer) {
    if count > 1 {
      shared.pointee.job = job
      shared.pointee.context = context
      sepal_word_store(&shared.pointee.running, UInt32(count - 1))
      announce()
    }
    job(context, 0)
    while true {
      let running = sepal_word_load(&shared.pointee.running)
      if running == 0 { break }
      _ = sepal_word_wait(&shared.pointee.running, running, Self.spins, Self.yields)
    }
  }

  /// Calls `body` once for each index, spread over the team in the order of arrival.
  package func forEach(_ range: Range<Int>, _ body: @escaping @Sendable (Int) -> Void) {
    final class Loop {
      var next: UInt32 = 0
      let range: Range<Int>
      let body: @Sendable (Int) -> Void
      init(_ range: Range<Int>, _ body: @escaping @Sendable (Int) -> Void) {
        self.range = range
        self.body = body
      }
    }
    let loop = Loop(range, body)
    withExtendedLifetime(loop) {
      run(
        { context, _ in
          let loop = Unmanaged<Loop>.fromOpaque(context).takeUnretainedValue()
          while true {
            let index = loop.range.lowerBound + Int(sepal_word_add(&loop.next, 1)) - 1
            guard index < loop.range.upperBound else { return }
            loop.body(index)
          }
        }, Unmanaged.passUnretained(loop).toOpaque())
    }
  }

  /// Where the threads of a running job wait for each other.
  package var barrier: Barrier { Barrier(shared: shared) }

  package struct Barrier {
    fileprivate let shared: UnsafeMutablePointer<Shared>

    package func wait() {
      let count = shared.pointee.count
      if count == 1 { return }
      let generation = sepal_word_load(&shared.pointee.generation)
      if sepal_word_add(&shared.pointee.arrived, 1) == count {
        sepal_word_store(&shared.pointee.arrived, 0)
        _ = sepal_word_add(&shared.pointee.generation, 1)
      } else {
        while !sepal_word_wait(&shared.pointee.generation, generation, spins, yields) {}
      }
    }
  }

  private static let spins: UInt32 = 2000
  private static let yields: UInt32 = 200

  fileprivate struct Shared {
    var epoch: UInt32 = 0
    var running: UInt32 = 0
    var sleeping: UInt32 = 0
    var arrived: UInt32 = 0
    var generation: UInt32 = 0
    var count: UInt32 = 1
    var stops = false
    var job: Job?
    var context: UnsafeMutableRawPointer?
    var mutex = pthread_mutex_t()
    var wake = pthread_cond_t()
  }

  /// A sleeper counts itself before it looks at the epoch for the last time, and the announcer raises the epoch before
  /// it looks for sleepers: one of them sees the other.
  private func announce() {
    _ = sepal_word_add(&shared.pointee.epoch, 1)
    if sepal_word_load(&shared.pointee.sleeping) > 0 {
      pthread_mutex_lock(&shared.pointee.mutex)
      pthread_cond_broadcast(&shared.pointee.wake)
      pthread_mutex_unlock(&shared.pointee.mutex)
    }
  }

  private final class Member: @unchecked Sendable {
    let shared: UnsafeMutablePointer<Shared>
    let index: Int
    init(shared: UnsafeMutablePointer<Shared>, index: Int) {
      self.shared = shared
      self.index = index
    }

    func work() {
      var seen: UInt32 = 0
      while true {
        if !sepal_word_wait(&shared.pointee.epoch, seen, spins, yields) {
          pthread_mutex_lock(&shared.pointee.mutex)
          _ = sepal_word_add(&shared.pointee.sleeping, 1)
          while sepal_word_load(&shared.pointee.epoch) == seen {
            pthread_cond_wait(&shared.pointee.wake, &shared.pointee.mutex)
          }
          _ = sepal_word_add(&shared.pointee.sleeping, .max)
          pthread_mutex_unlock(&shared.pointee.mutex)
        }
        seen &+= 1
        if shared.pointee.stops { return }
        if let job = shared.pointee.job, let context = shared.pointee.context { job(context, index) }
        _ = sepal_word_add(&shared.pointee.running, .max)
      }
    }
  }

  private static func start(_ member: Member) -> UInt? {
    let argument = Unmanaged.passRetained(member).toOpaque()
    var thread: UInt = 0
    let started = sepal_thread_start(
      &thread, { Unmanaged<Member>.fromOpaque($0).takeRetainedValue().work() }, argument)
    if started { return thread }
    Unmanaged<Member>.fromOpaque(argument).release()
    return nil
  }
}
