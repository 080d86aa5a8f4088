import ArgumentParser
import Sepal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct SepalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sepal",
    abstract: "Converts pretrained MobileNets into one small file, shows that nothing changed, and runs it.",
    version: SepalVersion.current,
    subcommands: [Convert.self, Inspect.self, Run.self, Validate.self, Bench.self, Separable.self, Diff.self])
}

@main
enum Main {
  /// Exit codes: 0 ok, 1 the answer is "no", 64 usage, 65 bad model or data, 66 no such file, 70 internal,
  /// 74 a file that cannot be read or written.
  static func main() {
    // A reader that has seen enough, such as `head`, ends the program quietly.
    signal(SIGPIPE, SIG_DFL)
    do {
      var command = try SepalCommand.parseAsRoot()
      try command.run()
    } catch let error as SepalError {
      FileHandle.error.write("error: \(error)\n")
      exit(error.exitCode)
    } catch {
      SepalCommand.exit(withError: error)
    }
  }
}

extension SepalError {
  var exitCode: Int32 {
    switch code {
    case .usage: EX_USAGE
    case .badData: EX_DATAERR
    case .missingFile: EX_NOINPUT
    case .inaccessible: EX_IOERR
    case .internalError: EX_SOFTWARE
    }
  }
}
