/// Why a file, or an object in it, was refused.
public struct HDF5Error: Error, Sendable, Hashable {
  public enum Code: Sendable, Hashable {
    /// No such file, link or attribute.
    case missing
    /// The system would not open the file.
    case inaccessible
    /// Not HDF5, cut off, damaged, or built to mislead.
    case malformed
    /// Legal, but outside of what is read; the message names the feature.
    case unsupported
    /// Asked for as something that it is not: a dataset as a group, strings as numbers.
    case mismatch
  }

  public var code: Code
  /// The file; empty where it was read from memory.
  public var file: String
  /// The path of the object in the file, `/model_weights/conv1`; empty where the whole file is meant.
  public var object: String
  public var message: String

  public init(_ code: Code, file: String = "", object: String = "", _ message: String) {
    self.code = code
    self.file = file
    self.object = object
    self.message = message
  }

  /// The same error, placed at `path` unless it already has a place.
  func at(_ path: String) -> HDF5Error {
    object.isEmpty ? HDF5Error(code, file: file, object: path, message) : self
  }
}

extension HDF5Error: CustomStringConvertible {
  public var description: String {
    let place = [file, object.isEmpty ? "" : "'\(object)'"].filter { !$0.isEmpty }
    return (place + [message]).joined(separator: ": ")
  }
}

/// Runs `body` and gives its error the place `path`.
func placing<Result>(
  _ path: String, _ body: () throws(HDF5Error) -> Result
) throws(HDF5Error) -> Result {
  do {
    return try body()
  } catch {
    throw error.at(path)
  }
}
