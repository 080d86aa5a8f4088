/// Why a compressed stream or an archive was refused.
package struct ZipError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: Sendable, Hashable {
    case malformed
    /// Legal, but of a kind that is not read: encrypted members, other compression methods, several disks.
    case unsupported
    /// Inflates to more than is allowed.
    case limit
  }

  package var code: Code
  /// The member of an archive; empty where the whole of it is meant.
  package var member: String
  package var message: String

  package init(_ code: Code, member: String = "", _ message: String) {
    self.code = code
    self.member = member
    self.message = message
  }

  package var description: String { member.isEmpty ? message : "member '\(member)': \(message)" }
}
