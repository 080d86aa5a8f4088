import Foundation
import SepalGraph
import SepalKeras
import Testing

/// Numbers that no layer means: every entry of every layer of the recorded models, replaced one at a time. What comes of
/// it is a graph or an error, never a trap.
struct HostileNumbersTests {
  /// A layer's class and one of its entries, in a model that has it.
  struct Entry: Sendable, CustomTestStringConvertible {
    var model: RecordedModel
    var layer: Int
    var className: String
    var field: String
    var testDescription: String { "\(model.name): \(className).\(field)" }
  }

  private static var numbers: [Any] {
    [
      -1, 0, 1 << 31, 1 << 62, Int.min, 1e300, "many", [Any](), [Int.max, 1 << 40, Int.min],
      [[1 << 62, Int.max], [Int.min, 1 << 62]], ["class_name": "Unknown"],
    ]
  }

  static let entries: [Entry] = {
    var entries: [Entry] = []
    var seen: Set<String> = []
    let supported = Set(KerasImporter.supportedLayers)
    for model in LayerFixtureTests.models {
      guard let json = try? model.architecture() else { continue }
      for (index, layer) in layers(of: json).enumerated() {
        let config = layer["config"] as? [String: Any] ?? [:]
        let className = layer["class_name"] as? String ?? ""
        guard supported.contains(className) else { continue }
        for field in config.keys.sorted() where matters(field) {
          guard seen.insert("\(className).\(field)").inserted else { continue }
          entries.append(Entry(model: model, layer: index, className: className, field: field))
        }
      }
    }
    return entries
  }()

  /// How weights were trained is none of an importer's business.
  private static func matters(_ field: String) -> Bool {
    let training = ["_initializer", "_regularizer", "_constraint", "name", "trainable", "dtype", "seed"]
    return !training.contains(where: field.hasSuffix)
  }

  @Test func manyEntriesAreReplaced() { #expect(Self.entries.count > 300) }

  @Test(arguments: entries)
  func noNumberTraps(entry: Entry) throws {
    let shapes = try entry.model.arrays(in: "keras_layers").inputs.mapValues(\.shape)
    let json = try entry.model.architecture()
    try entry.model.withWeights { weights in
      for number in Self.numbers {
        let changed = Self.replacing(entry, of: json, by: number)
        if let error = try ModelBuilder.error(changed, weights: weights, shapes: shapes) {
          #expect(!error.message.isEmpty)
        }
      }
    }
  }

  private static func layers(of json: [String: Any]) -> [[String: Any]] {
    if let list = json["config"] as? [[String: Any]] { return list }
    return (json["config"] as? [String: Any])?["layers"] as? [[String: Any]] ?? []
  }

  private static func replacing(_ entry: Entry, of json: [String: Any], by number: Any) -> [String: Any] {
    var json = json
    var layers = layers(of: json)
    var config = layers[entry.layer]["config"] as? [String: Any] ?? [:]
    config[entry.field] = number
    layers[entry.layer]["config"] = config
    if var model = json["config"] as? [String: Any] {
      model["layers"] = layers
      json["config"] = model
    } else {
      json["config"] = layers
    }
    return json
  }
}
