import SepalFormat
import SepalGraph
import SepalTensor
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A scratch file that is gone after the test.
final class ScratchFile {
  let path: String

  init() {
    path = "/tmp/sepal-format-\(getpid())-\(UInt64.random(in: 0 ... .max)).sepal"
  }

  deinit { unlink(path) }

  func bytes() throws -> [UInt8] {
    let storage = try TensorStorage.mapping(path: path)
    return withExtendedLifetime(storage) { Array(storage.bytes) }
  }
}

func storage(_ bytes: [UInt8]) -> TensorStorage {
  TensorStorage(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
}

/// Weights whose exponents deflate, as those of trained networks do.
func weights(_ shape: [Int], seed: UInt64) -> Tensor {
  var state = seed
  let floats = (0..<shape.reduce(1, *)).map { _ -> Float in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let uniform = Float(state >> 40) / Float(1 << 24)
    return (uniform - 0.5) * 0.1
  }
  return Tensor(shape, floats: floats)
}

func sampleGraph() throws -> Graph {
  var graph = Graph(name: "sample")
  let x = graph.addInput("x", TensorType(.float32, [1, 3, 8, 8]))
  let w = graph.addConstant("w", weights([4, 3, 3, 3], seed: 1), origins: [Origin("conv.weight")])
  let b = graph.addConstant("b", weights([4], seed: 2))
  let scale = graph.addConstant("s", weights([1, 4, 1, 1], seed: 3))
  let conv = try graph.add(
    Conv(strides: [2, 2], padBegins: [0, 1], padEnds: [1, 0], activation: .clip(min: 0, max: 6)),
    name: "conv",
    inputs: [x, w, b], outputNames: ["c"])
  let sum = try graph.add(
    Add(activation: .hardSwish), name: "add", inputs: [conv[0], scale], outputNames: ["y"])
  graph.addOrigins([Origin("relu_out"), Origin("nhwc", permutation: [0, 2, 3, 1])], to: conv[0])
  graph.addOutput("result", sum[0])
  graph.addOutput("again", conv[0])
  graph.provenance.sourceFormat = "onnx"
  graph.provenance.producer = "test 1.0"
  graph.provenance.sourceNodeCount = 5
  graph.provenance.rewrites = [
    RewriteRecord(
      pass: "fuse-activation", before: ["conv (Conv)", "clip (Clip)"], after: ["conv (Conv)"],
      origins: ["relu_out"], exactness: .exact,
      witness: RewriteWitness(
        digest: "00ff0123456789abcdef0123456789ab",
        constants: [String(repeating: "5c", count: 16), "0123456789abcdef0123456789abcdef"])),
    RewriteRecord(pass: "p", before: [], after: [], origins: [], exactness: .approximate(0.25)),
  ]
  graph.provenance.sourceDigest = String(repeating: "0a", count: 32)
  graph.provenance.toolVersion = "1.2.3"
  graph.provenance.separation = "approx=0.05"
  graph.provenance.costUnit = "ms"
  graph.provenance.isCalibrated = true
  graph.provenance.disabledPasses = ["fold-pad-into-conv", "recognize-gelu"]
  graph.provenance.golden = [
    GoldenVector(
      generator: 1, seed: .max,
      outputs: [
        .init(name: "result", count: 64, values: [0.1, -.infinity, .nan], bounds: [1e-5, 0, 1]),
        .init(name: "again", count: 64, values: (0..<64).map { Double($0) }, bounds: [0.5]),
      ])
  ]
  return graph
}

struct SepalFileTests {
  @Test(arguments: Storage.allCases)
  func readingGivesBackWhatWasWritten(storage: Storage) throws {
    let graph = try sampleGraph()
    let file = ScratchFile()
    let size = try SepalWriter(storage: storage).write(graph, to: file.path)
    #expect(try file.bytes().count == size)
    let read = try SepalReader().read(path: file.path)
    #expect(read.description == graph.description)
    #expect("\(read.provenance)" == "\(graph.provenance)")
    for (lhs, rhs) in zip(read.nodes, graph.nodes) {
      #expect(lhs.op.isEqual(to: rhs.op))
      #expect(read.value(lhs.output).origins == graph.value(rhs.output).origins)
      for (left, right) in zip(lhs.inputs, rhs.inputs) {
        if let left = read.constant(left), let right = graph.constant(right) {
          #expect(left.isIdentical(to: right))
        }
      }
    }
  }

  @Test func runningAModelTakesNothingOfItsHistory() throws {
    let graph = try sampleGraph()
    let file = ScratchFile()
    try SepalWriter().write(graph, to: file.path)
    var parts = try FileParts(file.bytes())
    let model = parts.sections.filter { $0.type <= 2 }.count
    #expect(model == 2 && parts.sections.count == 5)
    for index in parts.sections.indices where parts.sections[index].type > 2 {
      parts.sections[index].bytes = [0xFF, 0xFF]
    }
    let broken = storage(parts.joined())
    #expect(throws: FormatError.self) { try SepalReader().read(broken) }
    let read = try SepalReader(.model).read(broken)
    #expect(read.nodes.map(\.name) == graph.nodes.map(\.name))
    #expect(read.provenance.rewrites.isEmpty && read.provenance.golden.isEmpty)
  }

  @Test(arguments: ElementType.allCases)
  func compactStorageIsLosslessForEveryElementType(element: ElementType) throws {
    for count in [0, 1, 63, 64, 65, 5000] {
      let smooth = (0..<count).map { Double($0 % 7) }
      let tensor = Tensor(element, [count], doubles: smooth)
      var graph = Graph()
      let constant = graph.addConstant("c", tensor)
      graph.addOutput("y", constant)
      let file = ScratchFile()
      try SepalWriter().write(graph, to: file.path)
      let read = try SepalReader().read(path: file.path)
      #expect(read.constant(read.outputs[0].value)?.isIdentical(to: tensor) == true, "\(element) × \(count)")
    }
  }

  @Test func compactStorageShrinksTrainedWeights() throws {
    var graph = Graph()
    graph.addOutput("y", graph.addConstant("c", weights([1000, 100], seed: 7)))
    let file = ScratchFile()
    let size = try SepalWriter().write(graph, to: file.path)
    #expect(Double(size) < 0.9 * 400_000)
  }

  @Test func halfPrecisionRoundsButNeverOverflows() throws {
    var graph = Graph()
    graph.addOutput("fits", graph.addConstant("a", Tensor([3], floats: [0.1, -65504, .infinity])))
    graph.addOutput("large", graph.addConstant("b", Tensor([2], floats: [1e6, 0.1])))
    let file = ScratchFile()
    try SepalWriter(precision: .f16).write(graph, to: file.path)
    let read = try SepalReader().read(path: file.path)
    #expect(read.constant(read.outputs[0].value)?.floats() == [0.099975586, -65504, .infinity])
    #expect(read.constant(read.outputs[1].value)?.floats() == [1e6, 0.1])
  }

  @Test func mappedConstantsAreNotCopied() throws {
    let file = ScratchFile()
    try SepalWriter(storage: .mmap).write(try sampleGraph(), to: file.path)
    let bytes = storage(try file.bytes())
    let read = try SepalReader().read(bytes)
    for value in read.values {
      guard let constant = value.constant else { continue }
      #expect(constant.storage === bytes)
      #expect(constant.byteOffset % 64 == 0)
    }
  }

  @Test func equalGraphsGiveEqualBytes() throws {
    let (first, second) = (ScratchFile(), ScratchFile())
    try SepalWriter().write(try sampleGraph(), to: first.path)
    try SepalWriter().write(try sampleGraph(), to: second.path)
    #expect(try first.bytes() == second.bytes())
  }

  @Test func strippedFilesHoldTheGraphAlone() throws {
    let file = ScratchFile()
    let graph = try sampleGraph()
    try SepalWriter(strips: true).write(graph, to: file.path)
    let read = try SepalReader().read(path: file.path)
    #expect(read.description == graph.description)
    #expect(read.provenance == Provenance())
    #expect(read.values.allSatisfy { $0.origins.isEmpty || read.inputs.contains($0.id) })
    #expect(try FileParts(file.bytes()).sections.map(\.type) == [2, 1])
    #expect(try ContentDigest(storage(file.bytes())).recorded == "")
  }

  /// Whatever a program changes and however well it sets the checksums anew.
  @Test(arguments: Storage.allCases)
  func theContentDigestCoversWeightsAndGraph(kind: Storage) throws {
    let file = ScratchFile()
    try SepalWriter(storage: kind).write(try sampleGraph(), to: file.path)
    let original = try FileParts(file.bytes())
    let intact = try ContentDigest(storage(original.joined()))
    #expect(intact.isIntact)
    #expect(intact.actual.count == 64)
    for type: UInt32 in [1, 2] {
      let section = try #require(original.sections.firstIndex { $0.type == type })
      for position in original.sections[section].bytes.indices {
        var parts = original
        parts.sections[section].bytes[position] ^= 1
        #expect(try !ContentDigest(storage(parts.joined())).isIntact)
      }
    }
  }

  @Test func lossyStorageIsWhatReadersGetBack() throws {
    var graph = Graph()
    graph.addOutput("a", graph.addConstant("a", Tensor([3], floats: [0.1, -65504, .infinity])))
    graph.addOutput("b", graph.addConstant("b", Tensor([2], floats: [1e6, 0.1])))
    #expect(SepalWriter().lossy(graph) == nil)
    let file = ScratchFile()
    let writer = SepalWriter(precision: .f16)
    try writer.write(graph, to: file.path)
    let read = try SepalReader().read(path: file.path)
    let lossy = try #require(writer.lossy(graph))
    for (left, right) in zip(read.outputs, lossy.outputs) {
      #expect(read.constant(left.value)?.floats() == lossy.constant(right.value)?.floats())
    }
  }

  @Test func aGraphWithoutElementsIsNotWritten() throws {
    let file = ScratchFile()
    var graph = try sampleGraph()
    graph.discardElements(of: graph.values.map(\.id))
    let error = #expect(throws: FormatError.self) { try SepalWriter().write(graph, to: file.path) }
    #expect(error?.message.contains("'w'") == true)
    #expect(throws: FileError.self) { _ = try TensorStorage.mapping(path: file.path) }
  }

  @Test func failedWritesLeaveTheOldFileAlone() throws {
    let file = ScratchFile()
    try SepalWriter().write(try sampleGraph(), to: file.path)
    let before = try file.bytes()
    do {
      let unfinished = try AtomicFile(path: file.path)
      try unfinished.write([1, 2, 3])
    }
    #expect(try file.bytes() == before)
  }

  @Test func errorsNameTheFile() {
    let error = #expect(throws: FormatError.self) { try SepalReader().read(path: "/nonexistent/model.sepal") }
    #expect(error?.code == .missing)
    #expect(error?.description.hasPrefix("/nonexistent/model.sepal: ") == true)
  }
}
