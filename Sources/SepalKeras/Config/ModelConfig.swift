/// A model as its configuration describes it, in one form for every Keras version, Functional and Sequential alike.
package struct ModelConfig: Sendable {
  package var name: String
  /// `Functional`, `Sequential` (or `Model`, as Keras before 2.4 called the former).
  package var className: String
  package var layers: [LayerConfig]
  /// The model's inputs in the order in which it takes them.
  package var inputs: [TensorReference]
  /// Keys of the inputs, where the model takes a dictionary.
  package var inputKeys: [String]?
  package var outputs: [TensorReference]
}

extension ModelConfig {
  /// Every order of axes, as Keras 1 called it, that layers of the model and of models in it state.
  var statedOrderings: Set<String> {
    layers.reduce(into: []) { orderings, layer in
      if let submodel = layer.submodel {
        orderings.formUnion(submodel.statedOrderings)
      } else if let ordering = layer.config["dim_ordering"]?.string {
        orderings.insert(ordering)
      }
    }
  }
}

/// One layer, operation or submodel with all its calls.
package struct LayerConfig: Sendable {
  package var name: String
  package var className: String
  /// The Python module that the class is from; empty in formats that do not say.
  package var module: String
  package var config: JSONObject
  /// Shapes that the layer was built for; nil where the file does not say or they are open.
  package var buildShape: JSON?
  package var calls: [Call] = []
  /// Set for a model that is used like a layer.
  package var submodel: ModelConfig?
  /// Whether it is an operation of Keras 3, which is written like a layer and may have a layer's name.
  package var isOperation = false
}

/// One application of a layer.
package struct Call: Sendable {
  package var positional: [Argument] = []
  package var keywords: [(name: String, value: Argument)] = []
}

package enum Argument: Sendable {
  case tensor(TensorReference)
  case value(JSON)
  case list([Argument])
  case dictionary([(name: String, value: Argument)])
}

/// Output `output` of call `call` of the layer at index `layer` of the same model.
package struct TensorReference: Sendable, Hashable {
  package var layer: Int
  package var call: Int
  package var output: Int
}

extension Argument {
  /// Every tensor in it, depth first; dictionaries in the order of their sorted keys, as Keras flattens them.
  var tensors: [TensorReference] {
    switch self {
    case .tensor(let reference): [reference]
    case .value: []
    case .list(let elements): elements.flatMap(\.tensors)
    case .dictionary(let members): members.sorted { $0.name < $1.name }.flatMap(\.value.tensors)
    }
  }
}
