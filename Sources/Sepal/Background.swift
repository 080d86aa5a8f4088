import Dispatch

/// One computation on another thread, begun at once.
final class Background<Value: Sendable>: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  // Written once before `done` is signalled, read after it.
  private var computed: Value?

  init(_ compute: @escaping @Sendable () -> Value) {
    DispatchQueue.global().async { [self] in
      computed = compute()
      done.signal()
    }
  }

  /// Waits for the value.
  var value: Value {
    done.wait()
    defer { done.signal() }
    guard let computed else { preconditionFailure("signalled without a value") }
    return computed
  }
}
