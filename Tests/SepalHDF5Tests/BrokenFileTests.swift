import SepalHDF5
import SepalTensor
import Testing

/// The files of `fixtures/hdf5_broken`: each lies in one place, and each is refused by what is wrong with it.
struct BrokenFileTests {
  @Test func thereAreHundreds() {
    #expect(BrokenFiles.refused.count > 240 && BrokenFiles.read.count > 10)
  }

  @Test(arguments: BrokenFiles.refused.keys.sorted())
  func isRefusedWithTheWordsForIt(name: String) throws {
    let walk = try BrokenFiles.walk(name)
    let words = try #require(BrokenFiles.refused[name])
    let error = walk.errors.first { error in words.allSatisfy { error.message.contains($0) } }
    #expect(error != nil, "\(name): \(words) is in none of \(walk.errors)")
    #expect(error?.code == .malformed || error?.code == .unsupported, "\(name): \(walk.errors)")
    #expect(walk.seconds < 1, "\(name)")
  }

  /// What looks broken and is not.
  @Test(arguments: BrokenFiles.read)
  func isRead(name: String) throws {
    let walk = try BrokenFiles.walk(name)
    #expect(walk.errors.isEmpty, "\(name): \(walk.errors)")
    #expect(walk.objects > 1 && walk.seconds < 1, "\(name)")
  }
}
