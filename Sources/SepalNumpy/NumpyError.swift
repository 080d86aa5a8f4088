import SepalZip

/// Why an `.npy` or `.npz` file was refused.
public struct NumpyError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    case missing
    case inaccessible
    case malformed
    /// Legal, but of a kind that is not read: objects, strings, structures, encrypted members.
    case unsupported
  }

  public var code: Code
  public var path: String
  /// The member of an `.npz` file.
  public var member: String
  public var message: String

  public init(_ code: Code, path: String = "", member: String = "", _ message: String) {
    self.code = code
    self.path = path
    self.member = member
    self.message = message
  }

  init(_ error: ZipError) {
    self.init(error.code == .unsupported ? .unsupported : .malformed, member: error.member, error.message)
  }

  public var description: String {
    let place = [path, member.isEmpty ? "" : "member '\(member)'"].filter { !$0.isEmpty }
    return (place + [message]).joined(separator: ": ")
  }
}
