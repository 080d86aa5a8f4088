/// Where readers compare checksums.
package enum Checksum {
  /// Whether a part is as it was written. A fuzzer cannot mend the checksums of what it changes, so in builds
  /// for it every one matches.
  package static func matches<Value: FixedWidthInteger>(_ computed: Value, _ stored: Value) -> Bool {
    #if FUZZING
      return true
    #else
      return computed == stored
    #endif
  }
}
