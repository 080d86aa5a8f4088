import SepalKeras
import Testing

/// Files and configurations that contradict themselves or mean harm: each is refused by an error with the words that
/// say what is wrong.
struct BrokenModelTests {
  static let models = RecordedModel.all(in: "keras_broken")

  @Test func thereAreModels() { #expect(Self.models.count > 150) }

  @Test(.timeLimit(.minutes(1)), arguments: models)
  func brokenModelsAreRefusedInWords(model: RecordedModel) throws {
    do throws(KerasError) {
      let imported = try model.load(from: "keras_broken", shapes: [:])
      #expect(model.expect != .refuse, "was read: \(imported.graph)")
    } catch {
      #expect(model.expect != .match, "\(error)")
      for word in model.words ?? [] {
        #expect(error.description.lowercased().contains(word.lowercased()), "\(error)")
      }
    }
  }
}
