import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

@Suite struct ReplanningSessionTests {
  /// A convolution, a mean, a flattening and a dense layer.
  private func network() throws -> GraphMaker {
    var m = GraphMaker()
    let x = m.input([1, 9, 7, 5])
    let conv = try m.add(
      Conv(padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast, activation: .relu),
      [x, m.weight([11, 5, 3, 3]), m.constant([11])])
    let mean = try m.add(GlobalAveragePool(layout: .channelsLast), [conv])
    let flat = try m.add(Reshape(shape: [1, 11]), [mean])
    m.output(try m.add(MatMul(), [flat, m.constant([11, 6])]))
    return m
  }

  @Test("a batch gives the bits of its images one by one, and comes back to a plan that was kept")
  func batches() throws {
    var m = try network()
    let session = ReplanningSession(m.graph, capacity: 2)
    let single = try Model(m.graph).makeSession()
    for batch in [3, 1, 4, 3, 2] {
      let images = m.tensor([batch, 9, 7, 5])
      let together = try #require(try session.run(inputs: ["x": images])["y"])
      #expect(together.shape == [batch, 6])
      for index in 0..<batch {
        let image = Tensor([1, 9, 7, 5], floats: Array(images.floats()[index * 315..<(index + 1) * 315]))
        let alone = try #require(try single.run(inputs: ["x": image])["y"])
        // A single row of a dense layer is summed in four parts.
        let (worst, scale) = try #require(
          distance(alone, Tensor([1, 6], floats: Array(together.floats()[index * 6..<(index + 1) * 6]))))
        #expect(worst <= 1e-6 * scale, "image \(index) of \(batch)")
      }
    }
    let kept = try session.session(for: ["x": [2, 9, 7, 5]])
    #expect(try session.session(for: ["x": [2, 9, 7, 5]]) === kept)
  }

  @Test("other extents, unknown names and batches that do not lead are refused")
  func refusals() throws {
    let m = try network()
    let session = ReplanningSession(m.graph)
    for shape in [[1, 9, 8, 5], [1, 9, 7], [0, 9, 7, 5], [1 << 60, 9, 7, 5]] {
      let error = #expect(throws: RuntimeError.self) { try session.session(for: ["x": shape]) }
      #expect(error?.code == .inputMismatch && error?.node == "x")
    }
    #expect(throws: RuntimeError.self) { try session.session(for: ["z": [1, 9, 7, 5]]) }

    var merged = GraphMaker()
    let x = merged.input([1, 4, 3])
    merged.output(try merged.add(Reshape(shape: [4, 3]), [x]))
    let error = #expect(throws: RuntimeError.self) {
      try ReplanningSession(merged.graph).session(for: ["x": [2, 4, 3]])
    }
    #expect(error?.node == "n1")
  }
}
