import Foundation
import Sepal

/// Accuracy, size and time of a classifier over tolerances of separable approximation, with and without samples, chosen
/// by multiply-adds and by predicted time.
///
///     BenchSeparable MODEL TEST.npz CALIBRATION.npz OUTPUT.json OUTPUT.svg

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count == 5 else {
  print("usage: BenchSeparable MODEL TEST.npz CALIBRATION.npz OUTPUT.json OUTPUT.svg")
  exit(64)
}
let tolerances = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7]

var original = try ModelFile(path: arguments[0]).graph
try Optimizer().run(&original)
let machine = try MachineCost.ofThisMachine()
let test = try TestSet(arguments[1], original)
let samples = try CalibrationSamples(path: arguments[2], for: original, mostSamples: 128)
let bench = try CurveBench(original: original, test: test)
let rounds = 20

var curve = Curve(
  model: URL(fileURLWithPath: arguments[0]).lastPathComponent,
  original: try bench.point(original, tolerance: 0, []))
let whole = try Stopwatch(original)
var watches: [[Stopwatch]] = []
let costs: [any CostModel] = [MACCost(), PredictedTime(machine)]
for cost in costs {
  for usesSamples in [false, true] {
    var series = Curve.Series(cost: cost.unit, usesSamples: usesSamples)
    watches.append([])
    for tolerance in tolerances {
      var graph = original
      let terms: [Int]
      if usesSamples {
        terms = try SeparableApproximation(tolerance: tolerance).run(
          &graph, samples: RuntimeActivations(samples), cost: cost
        ).map(\.terms)
      } else {
        var options = Optimizer.Options()
        (options.separation, options.cost) = (.approximate(tolerance: tolerance), cost)
        terms = SeparableAnalysis(graph, options.separation, cost: cost).layers.map {
          $0.verdict == .rewrite ? $0.choice?.ranks.largest ?? 0 : 0
        }
        try Optimizer(options).run(&graph)
      }
      series.points.append(try bench.point(graph, tolerance: tolerance, terms))
      watches[watches.count - 1].append(try Stopwatch(graph))
    }
    curve.series.append(series)
  }
}
for _ in 0..<rounds {
  for watch in [whole] + watches.joined() { try watch.run() }
}
whole.report(machine, in: &curve.original)
for (index, watches) in watches.enumerated() {
  let series = curve.series[index]
  for (place, watch) in watches.enumerated() {
    watch.report(machine, in: &curve.series[index].points[place])
    print(
      series.cost, series.usesSamples ? "samples" : "weights", curve.series[index].points[place].summary)
  }
}
let encoder = JSONEncoder()
encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
encoder.keyEncodingStrategy = .convertToSnakeCase
try (encoder.encode(curve) + Data("\n".utf8)).write(to: URL(fileURLWithPath: arguments[3]))
try curve.drawing.write(toFile: arguments[4], atomically: true, encoding: .utf8)
