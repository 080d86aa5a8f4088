import Sepal
import Testing

/// The trained stack of dense convolutions with its test set.
struct DenseNetworkTests {
  @Test(arguments: [1, 2])
  func digitsAreClassifiedAsRecorded(threads: Int) throws {
    var graph = try ModelFile(path: Fixtures.path("dense_cnn/dense_cnn.onnx")).graph
    try Optimizer().run(&graph)
    let test = try DigitImages("test")
    let labels = try #require(test.labels)
    let expected = try #require(test.logits)
    let session = try Model(graph, options: ModelOptions(threads: threads)).makeSession()
    var correct = 0
    for index in test.indices {
      let logits = try #require(try session.run(inputs: ["image": test[index]])["logits"]).doubles()
      let recorded = expected[index * 10..<index * 10 + 10]
      let scale = recorded.map(\.magnitude).max() ?? 0
      #expect(zip(logits, recorded).allSatisfy { ($0 - $1).magnitude <= 1e-4 * scale }, "image \(index)")
      if logits.indices.max(by: { logits[$0] < logits[$1] }) == Int(labels[index]) { correct += 1 }
    }
    #expect(Double(correct) / Double(labels.count) >= 0.97)
  }

  /// Every image of a set that nothing is tuned on must be unknown to the other.
  @Test func calibrationImagesAreNotTestImages() throws {
    let (test, calibration) = (try DigitImages("test"), try DigitImages("calibration"))
    let known = Set(test.indices.map { test[$0].floats() })
    #expect(known.count == test.indices.count)
    #expect(calibration.indices.count == 256)
    #expect(calibration.indices.allSatisfy { !known.contains(calibration[$0].floats()) })
  }
}

/// Images of `fixtures/dense_cnn`, one by one as the network takes them.
struct DigitImages {
  let indices: Range<Int>
  /// Of the test set alone: digits, and ten recorded logits for each.
  let labels: [Int64]?
  let logits: [Double]?
  private let pixels: [Float]

  init(_ name: String) throws {
    let arrays = try NumpyFile.read(path: Fixtures.path("dense_cnn/\(name).npz"))
    let images = try #require(arrays["image"])
    try #require(images.shape.dropFirst() == [1, 32, 32])
    pixels = images.converted(to: .float32).floats()
    indices = 0..<images.shape[0]
    labels = arrays["labels"]?.integers()
    logits = arrays["logits"]?.doubles()
  }

  subscript(index: Int) -> Tensor {
    Tensor([1, 1, 32, 32], floats: Array(pixels[index * 1024..<index * 1024 + 1024]))
  }
}
