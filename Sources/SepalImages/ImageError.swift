/// Why an image could not be read or does not fit where it is wanted.
public struct ImageError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    case missingFile
    case unreadable
    /// No JPEG or PNG, or a broken one.
    case malformed
    /// Larger than what is read.
    case limit
    /// No image belongs there.
    case unsuitable
  }

  public var code: Code
  public var message: String
  public var path = ""

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
