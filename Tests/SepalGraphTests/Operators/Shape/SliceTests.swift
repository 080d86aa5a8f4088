import SepalGraph
import SepalTensor
import Testing

@Suite struct SliceTests {
  /// What numpy's `range(extent)[start:end:step]` visits.
  static func visited(_ start: Int, _ end: Int, _ step: Int, extent: Int) -> [Int] {
    func wrapped(_ bound: Int) -> Int { bound < 0 ? bound + extent : bound }
    var result: [Int] = []
    if step > 0 {
      var position = max(wrapped(start), 0)
      while position < min(wrapped(end), extent) {
        result.append(position)
        position = position.addingReportingOverflow(step).overflow ? .max : position + step
      }
    } else {
      var position = min(wrapped(start), extent - 1)
      while position > max(wrapped(end), -1) {
        result.append(position)
        position = position.addingReportingOverflow(step).overflow ? .min : position + step
      }
    }
    return result
  }

  static let bounds = [
    Int.min, Int.min + 1, Int(Int32.min), -6, -5, -4, -1, 0, 1, 4, 5, 6, Int(Int32.max), Int.max - 1, Int.max,
  ]
  static let steps = [1, 2, 3, 4, 5, 6, Int.max, -1, -2, -3, -5, -6, Int.min + 1, Int.min]

  @Test(arguments: [0, 1, 2, 5])
  func normalisesEveryBoundAsNumpyDoes(extent: Int) throws {
    let x = Tensor.iota([extent], .int64)
    for start in Self.bounds {
      for end in Self.bounds {
        for step in Self.steps {
          let slice = try Slice.normalized(
            axes: [-1], starts: [start], ends: [end], steps: [step], shape: [extent])
          let expected = Self.visited(start, end, step, extent: extent).map { Int64($0) }
          #expect(
            try slice.run(x)[0].integers() == expected, "\(extent)[\(start):\(end):\(step)] → \(slice)")
        }
      }
    }
  }

  @Test func takesFirstAxesAndUnitStepsByDefault() throws {
    let slice = try Slice.normalized(
      axes: nil, starts: [1, -2], ends: [.max, -1], steps: nil, shape: [3, 4, 2])
    #expect(slice.axes == [0, 1])
    #expect(slice.starts == [1, 2])
    #expect(slice.ends == [3, 3])
    #expect(slice.steps == [1, 1])
  }

  @Test func ordersAxes() throws {
    let slice = try Slice.normalized(
      axes: [-1, 0], starts: [3, 1], ends: [.min, 2], steps: [-1, 1], shape: [2, 4])
    #expect(slice.axes == [0, 1])
    #expect(slice.starts == [1, 3])
    #expect(slice.ends == [2, -1])
    #expect(slice.steps == [1, -1])
    #expect(try slice.run(.iota([2, 4]))[0].floats() == [7, 6, 5, 4])
  }

  @Test func normalisationRefusesIllegalLists() {
    #expect(throws: OperatorError.self) {
      try Slice.normalized(axes: [0, -2], starts: [0, 0], ends: [1, 1], steps: nil, shape: [2, 2])
    }
    #expect(throws: OperatorError.self) {
      try Slice.normalized(axes: [2], starts: [0], ends: [1], steps: nil, shape: [2, 2])
    }
    #expect(throws: OperatorError.self) {
      try Slice.normalized(axes: [0], starts: [0, 1], ends: [1], steps: nil, shape: [2, 2])
    }
    #expect(throws: OperatorError.self) {
      try Slice.normalized(axes: [0], starts: [0], ends: [1], steps: [0], shape: [2, 2])
    }
    #expect(throws: OperatorError.self) {
      try Slice.normalized(axes: nil, starts: [0, 0, 0], ends: [1, 1, 1], steps: nil, shape: [2, 2])
    }
  }

  @Test func refusesStoredBoundsOutsideTheAxis() {
    let x = TensorType(.float32, [3])
    func slice(_ start: Int, _ end: Int, _ step: Int) -> Slice {
      Slice(axes: [0], starts: [start], ends: [end], steps: [step])
    }
    #expect(
      slice(0, 4, 1).refusal(x) == "'starts' is [0] and 'ends' is [4], which leaves axis 0 of float32[3]")
    #expect(slice(-1, 2, 1).refusal(x) != nil)
    #expect(slice(0, -1, 1).refusal(x) != nil)
    #expect(slice(3, 0, -1).refusal(x) != nil)
    #expect(slice(2, -2, -1).refusal(x) != nil)
    #expect(slice(0, 3, 0).refusal(x) == "'steps' is [0], expected no zero")
    #expect(slice(0, -1, -1).refusal(TensorType(.float32, [0])) != nil)
    #expect(slice(2, -1, .min).refusal(x) == nil)
    #expect(
      Slice(axes: [-1], starts: [0], ends: [1]).refusal(x)
        == "'axes' is [-1], expected ascending axes counted from the front")
    #expect(
      Slice(axes: [0], starts: [], ends: [1]).refusal(x) == "'starts' has 0 values, expected 1")
  }
}
