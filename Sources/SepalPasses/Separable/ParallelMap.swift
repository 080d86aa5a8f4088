import Dispatch

/// Whether work that is given to all processors stays on the thread that gives it, for tests.
package enum SerialWork {
  @TaskLocal package static var isOn = false
}

/// `transform` of 0..<count, on all processors. Results do not depend on how many there are.
func parallelMap<Result: Sendable>(
  _ count: Int, _ transform: @Sendable (Int) -> Result
) -> [Result] {
  if count < 2 || SerialWork.isOn { return (0..<count).map(transform) }
  let results = UnsafeMutableBufferPointer<Result>.allocate(capacity: count)
  defer { results.deallocate() }
  // Each iteration initialises an element of its own.
  nonisolated(unsafe) let places = results
  DispatchQueue.concurrentPerform(iterations: count) { index in
    places.initializeElement(at: index, to: transform(index))
  }
  defer { results.deinitialize() }
  return Array(results)
}
