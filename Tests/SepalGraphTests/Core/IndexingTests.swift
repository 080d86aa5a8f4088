import SepalGraph
import SepalTensor
import Testing

@Suite struct IndexingTests {
  @Test(arguments: [
    ([2, 3], [3], [2, 3]), ([2, 1], [1, 3], [2, 3]), ([], [4], [4]), ([1], [0], [0]),
    ([0, 3], [1, 3], [0, 3]),
    ([5, 1, 2], [4, 1], [5, 4, 2]),
  ])
  func shapesBroadcast(left: [Int], right: [Int], expected: [Int]) {
    #expect(broadcastShape(left, right) == expected)
    #expect(broadcastShape(right, left) == expected)
  }

  @Test(arguments: [([2], [3]), ([0], [2]), ([2, 2], [2, 3])])
  func shapesThatDoNotBroadcast(left: [Int], right: [Int]) {
    #expect(broadcastShape(left, right) == nil)
  }

  @Test func offsetsFollowTheStrides() {
    var visited: [[Int]] = []
    forEachOffset([2, 3], strides: [rowMajorStrides([2, 3]), broadcastStrides([3], to: [2, 3])]) {
      flat, offsets in
      visited.append([flat] + offsets)
    }
    #expect(visited == [[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 0], [4, 4, 1], [5, 5, 2]])
  }

  @Test func aScalarHasOneOffsetAndAnEmptyShapeNone() {
    var visits = 0
    forEachOffset([], strides: [[]]) { _, _ in visits += 1 }
    #expect(visits == 1)
    forEachOffset([2, 0], strides: [[0, 1]]) { _, _ in visits += 1 }
    #expect(visits == 1)
  }

  @Test func axesCountFromEitherEnd() throws {
    #expect(try normalizedAxis(-1, rank: 3) == 2)
    #expect(try normalizedAxis(2, rank: 3) == 2)
    for axis in [3, -4, Int.min, Int.max] {
      #expect(throws: OperatorError("'axis' is \(axis), expected −3…2")) {
        _ = try normalizedAxis(axis, rank: 3)
      }
    }
    #expect(try normalizedAxes([2, -3], rank: 3) == [0, 2])
    #expect(throws: OperatorError.self) { _ = try normalizedAxes([0, -3], rank: 3) }
  }

  @Test func productsSaturate() {
    #expect(saturatingProduct([2, 3]) == 6)
    #expect(saturatingProduct([Int.max, 2, 5]) == .max)
    #expect(saturatingProduct([Int.max, 2, 0]) == 0)
    #expect(saturatingProduct([]) == 1)
  }

  @Test func layoutPermutationsAreInverse() {
    for rank in 3...5 {
      let (last, first) = (Layout.toChannelsLast(rank: rank), Layout.toChannelsFirst(rank: rank))
      #expect(last.map { first[$0] } == Array(0..<rank))
    }
    #expect(Layout.channelsFirst.shape(batch: 1, channels: 2, spatial: [3, 4]) == [1, 2, 3, 4])
    #expect(Layout.channelsLast.shape(batch: 1, channels: 2, spatial: [3, 4]) == [1, 3, 4, 2])
  }
}
