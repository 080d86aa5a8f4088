/// How the elements of a weight belong to channels: seen as `[rows, channelsPerGroup, inner]`, where every `rowsPerGroup`
/// rows go on to the next group of channels.
struct ChannelGrid: Sendable {
  var rows = 1
  var rowsPerGroup = 1
  var channelsPerGroup: Int
  var inner: Int

  var channels: Int { rows / rowsPerGroup * channelsPerGroup }

  /// The channel of the element at row-major position `index`.
  func channel(_ index: Int) -> Int {
    index / (channelsPerGroup * inner) / rowsPerGroup * channelsPerGroup + index / inner % channelsPerGroup
  }

  /// Visits runs of consecutive elements that share a channel, in order.
  func forEachRun(_ body: (_ channel: Int, _ elements: Range<Int>) -> Void) {
    var start = 0
    for row in 0..<rows {
      let first = row / rowsPerGroup * channelsPerGroup
      for channel in first..<first + channelsPerGroup {
        body(channel, start..<start + inner)
        start += inner
      }
    }
  }
}
