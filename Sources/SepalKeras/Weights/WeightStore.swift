import SepalHDF5
import SepalTensor

/// A variable that a layer has, by the names under which Keras versions store it, the current one first.
struct VariableSpec {
  var names: [String]
  /// As Keras has it: kernels are [spatial…, in, out].
  var shape: [Int]
  /// Another shape that older files have.
  var alternative: [Int]?

  init(_ names: String..., shape: [Int]) {
    self.names = names
    self.shape = shape
  }
}

/// Where a layer is: what its weights are filed under.
struct LayerLocation: Hashable {
  /// Names from the outermost model's layer inwards: `["mobilenet", "conv1"]`.
  var names: [String] = []
  /// Groups of Keras 3's weight files: `["layers", "functional", "layers", "conv2d"]`.
  var groups: [String] = []

  /// For people, origins and errors.
  var path: String { names.joined(separator: "/") }

  /// A part of a layer that holds weights of its own, such as a recurrent layer's cell.
  ///
  /// - Parameters:
  ///   - attribute: the Python attribute that holds it, which names its group.
  ///   - name: its own name.
  func part(_ attribute: String, name: String) -> LayerLocation {
    LayerLocation(names: names + [name], groups: groups + [attribute])
  }

  func inside(_ container: [String], name: String) -> LayerLocation {
    LayerLocation(names: names + [name], groups: groups + container)
  }
}

/// The variables of a model's layers, wherever they are stored.
protocol WeightStore: AnyObject {
  /// The backend of Keras that wrote the weights, where the file says.
  var backend: String? { get }

  /// The variables of one layer, in the order asked for. Shapes are not checked.
  ///
  /// - Throws: when the layer stores more, fewer or other variables than these.
  func variables(_ specs: [VariableSpec], at location: LayerLocation) throws(KerasError) -> [HDF5Dataset]

  /// Whether anything is stored for the layer that no one has asked for, by path.
  func unread() throws(KerasError) -> [String]
}

/// The store of a model without weights: every variable is missing.
final class NoWeights: WeightStore {
  let backend: String? = nil

  func variables(_ specs: [VariableSpec], at location: LayerLocation) throws(KerasError) -> [HDF5Dataset] {
    guard let first = specs.first else { return [] }
    throw KerasError(
      .invalid,
      "needs '\(first.names[0])' \(first.shape), but there are no weights: give them with --weights",
      layer: location.path)
  }

  func unread() -> [String] { [] }
}

/// Runs `body`, whose refusals become errors about the weights of `layer`.
func reading<Value>(
  layer: String? = nil, _ body: () throws(HDF5Error) -> Value
) throws(KerasError) -> Value {
  do throws(HDF5Error) {
    return try body()
  } catch {
    throw KerasError(error, layer: layer)
  }
}

extension KerasError {
  init(_ error: HDF5Error, layer: String? = nil) {
    let code: Code =
      switch error.code {
      case .missing where error.object.isEmpty: .missingFile
      case .missing, .mismatch: .invalid
      case .inaccessible: .unreadable
      case .unsupported: .unsupported
      case .malformed: .malformed
      }
    self.init(code, error.description, layer: layer)
  }
}
