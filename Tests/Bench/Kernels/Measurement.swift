import CSepalKernels
import Foundation

/// What one call of a kernel takes.
struct Measurement {
  let seconds: Double

  /// The shortest of the calls that fit in a few hundredths of a second, ten at least.
  init(_ body: () -> Void) {
    let clock = ContinuousClock()
    let (start, patience) = (clock.now, Duration.milliseconds(40))
    var best = Duration.seconds(3600)
    var calls = 0
    while calls < 10 || start.duration(to: clock.now) < patience {
      let begin = clock.now
      body()
      best = min(best, begin.duration(to: clock.now))
      calls += 1
    }
    seconds = best / .seconds(1)
  }
}

/// Prints one line a kernel: time, arithmetic and its share of the peak, and traffic if each operand is moved once.
struct Report {
  let peak: Double

  init(_ kernels: sepal_kernels) {
    var done = 0.0
    let measurement = Measurement { done = kernels.multiply_adds(2e7) }
    peak = done / measurement.seconds
    print(
      "\(String(cString: kernels.name)): peak of multiply-adds \(Self.number(peak / 1e9, 1)) GFLOP/s a core")
  }

  func heading(_ family: String) { print("\n\(Self.padded(family, 34))      µs  GFLOP/s   peak    GB/s") }

  func line(_ name: String, operations: Int, bytes: Int, _ body: () -> Void) {
    let seconds = Measurement(body).seconds
    let rate = Double(operations) / seconds
    print(
      Self.padded(name, 34), Self.number(seconds * 1e6, 1, width: 7), Self.number(rate / 1e9, 1, width: 8),
      Self.number(100 * rate / peak, 0, width: 5) + "%",
      Self.number(Double(bytes) / seconds / 1e9, 1, width: 7))
  }

  private static func number(_ value: Double, _ digits: Int, width: Int = 0) -> String {
    let text = String(format: "%.\(digits)f", value)
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}

/// Floats on cache lines of their own, filled with small numbers.
final class Floats {
  let count: Int
  let base: UnsafeMutablePointer<Float>
  var constant: UnsafePointer<Float> { UnsafePointer(base) }
  var byteCount: Int { count * MemoryLayout<Float>.size }

  init(_ count: Int, zero: Bool = false) {
    self.count = count
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(1, count) * 4, alignment: 64)
    base = bytes.bindMemory(to: Float.self, capacity: max(1, count))
    for index in 0..<count { base[index] = zero ? 0 : Float(index * 37 % 101 - 50) / 100 }
  }

  deinit { base.deallocate() }
}
