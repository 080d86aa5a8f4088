import SepalFormat
import SepalImages
import SepalKeras
import SepalONNX

/// Why a model could not be read, converted, written or run.
public struct SepalError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// What was asked for makes no sense: an unknown name, a shape that does not fit.
    case usage
    /// The model or the data is broken or not supported.
    case badData
    /// No such file.
    case missingFile
    /// A file exists and cannot be read or written.
    case inaccessible
    /// A defect of this program.
    case internalError
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}

extension SepalError {
  init(_ error: ImageError) {
    let code: Code =
      switch error.code {
      case .missingFile: .missingFile
      case .unreadable: .inaccessible
      default: .badData
      }
    self.init(code, error.description)
  }

  init(_ error: ONNXError) {
    let code: Code =
      switch error.code {
      case .missingFile: .missingFile
      case .unreadable: .inaccessible
      default: .badData
      }
    self.init(code, error.description)
  }

  init(_ error: KerasError) {
    let code: Code =
      switch error.code {
      case .missingFile: .missingFile
      case .unreadable: .inaccessible
      default: .badData
      }
    self.init(code, error.description)
  }

  init(_ error: FormatError) {
    let code: Code =
      switch error.code {
      case .missing: .missingFile
      case .inaccessible: .inaccessible
      default: .badData
      }
    self.init(code, error.description)
  }

  init(_ error: NumpyError) {
    let code: Code =
      switch error.code {
      case .missing: .missingFile
      case .inaccessible: .inaccessible
      default: .badData
      }
    self.init(code, error.description)
  }

  init(_ error: RuntimeError, path: String) {
    let code: Code =
      switch error.code {
      case .missingInput, .unknownName, .inputMismatch, .unavailableInstructionSet: .usage
      default: .badData
      }
    self.init(code, "\(path): \(error)")
  }
}
