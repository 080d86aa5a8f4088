import CSepalSchema

/// The schema of each message that is unpacked on its own. Asked for through the initialiser of the message,
/// because that hands out the address of the one constant.
enum Schema {
  typealias Descriptor = UnsafePointer<ProtobufCMessageDescriptor>

  static var graph: Descriptor { descriptor(of: Sepal__Graph(), sepal__graph__init, \.base) }
  static var value: Descriptor { descriptor(of: Sepal__Value(), sepal__value__init, \.base) }
  static var node: Descriptor { descriptor(of: Sepal__Node(), sepal__node__init, \.base) }
  static var output: Descriptor { descriptor(of: Sepal__Output(), sepal__output__init, \.base) }
  static var origins: Descriptor { descriptor(of: Sepal__Origins(), sepal__origins__init, \.base) }
  static var originEntry: Descriptor {
    descriptor(of: Sepal__Origins__Entry(), sepal__origins__entry__init, \.base)
  }
  static var rewrites: Descriptor { descriptor(of: Sepal__Rewrites(), sepal__rewrites__init, \.base) }
  static var rewriteRecord: Descriptor {
    descriptor(of: Sepal__Rewrites__Record(), sepal__rewrites__record__init, \.base)
  }

  static var golden: Descriptor { descriptor(of: Sepal__Golden(), sepal__golden__init, \.base) }
  static var goldenVector: Descriptor {
    descriptor(of: Sepal__Golden__Vector(), sepal__golden__vector__init, \.base)
  }
  static var goldenOutput: Descriptor {
    descriptor(of: Sepal__Golden__Output(), sepal__golden__output__init, \.base)
  }

  private static func descriptor<T>(
    of message: T, _ initialize: (UnsafeMutablePointer<T>?) -> Void, _ base: KeyPath<T, ProtobufCMessage>
  ) -> Descriptor {
    var message = message
    initialize(&message)
    return message[keyPath: base].descriptor
  }
}
