/// The version of this library and of the command-line tool, as `sepal --version` prints it and files record it.
public enum SepalVersion {
  public static let current = "0.1.0"
}
