import SepalHDF5
import SepalTensor

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads all that a file holds, whatever part of it is refused.
struct Walk {
  private(set) var errors: [HDF5Error] = []
  private(set) var objects = 0
  /// What reading everything took of this thread.
  private(set) var seconds = 0.0

  /// - Parameters:
  ///   - range: the part of the bytes that is the file.
  ///   - largest: elements of more bytes than this are left out.
  ///   - most: after this many objects there is an end.
  init(_ storage: TensorStorage, range: Range<Int>? = nil, largest: Int = .max, most: Int = 500) {
    let start = Self.threadTime()
    if let file = attempt({ () throws(HDF5Error) in try HDF5File(storage, range: range) }) {
      visit(.group(file.root), largest, most)
    }
    seconds = Self.threadTime() - start
  }

  private mutating func visit(_ root: HDF5Object, _ largest: Int, _ most: Int) {
    var pending = [root]
    var visited: Set<Int> = []
    while let object = pending.popLast(), visited.count < most {
      switch object {
      case .group(let group):
        guard visited.insert(group.address).inserted else { continue }
        readAttributes(attempt(group.attributeNames) ?? [], group.attribute, largest)
        for name in attempt(group.linkNames) ?? [] {
          let child = attempt { () throws(HDF5Error) in try group.object(name) }
          if case let child?? = child { pending.append(child) }
        }
      case .dataset(let dataset):
        guard visited.insert(dataset.address).inserted else { continue }
        readAttributes(attempt(dataset.attributeNames) ?? [], dataset.attribute, largest)
        read(dataset.datatype, dataset.shape, dataset.tensor, dataset.strings, largest)
      }
    }
    objects = visited.count
  }

  private mutating func readAttributes(
    _ names: [String], _ attribute: (String) throws(HDF5Error) -> HDF5Attribute?, _ largest: Int
  ) {
    for name in names {
      let found = attempt { () throws(HDF5Error) in try attribute(name) }
      guard case let found?? = found else { continue }
      read(found.datatype, found.shape, found.tensor, found.strings, largest)
    }
  }

  private mutating func read(
    _ datatype: HDF5Datatype, _ shape: [Int], _ tensor: () throws(HDF5Error) -> Tensor,
    _ strings: () throws(HDF5Error) -> [String], _ largest: Int
  ) {
    // The product may overflow where nothing is read at all.
    let bytes = shape.reduce(8.0) { $0 * Double($1) }
    guard bytes <= Double(largest) else { return }
    if datatype.element == nil { attempt(strings) } else { attempt(tensor) }
  }

  @discardableResult
  private mutating func attempt<Result>(_ body: () throws(HDF5Error) -> Result) -> Result? {
    do {
      return try body()
    } catch {
      errors.append(error)
      return nil
    }
  }

  private static func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
