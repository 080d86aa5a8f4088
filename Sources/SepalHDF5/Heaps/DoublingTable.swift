/// How a fractal heap's address space is divided: rows of `width` blocks, the first two rows of the starting size,
/// every further row of twice the size of the one before.
struct DoublingTable {
  let width: Int
  let startingSize: Int
  /// Bits of an offset in the heap.
  let indexBits: Int
  let maximumDirectBits: Int
  /// Rows of direct blocks; below them, entries are indirect blocks.
  let directRows: Int
  let maximumRows: Int

  struct Entry {
    let row: Int
    let column: Int
    /// From the start of the indirect block that holds the entry.
    let offset: Int
    let size: Int
  }

  init(_ cursor: inout Cursor) throws(HDF5Error) {
    width = Int(try cursor.u16())
    startingSize = try cursor.length()
    let maximumDirect = try cursor.length()
    indexBits = Int(try cursor.u16())
    try cursor.skip(2)
    guard Self.isPowerOfTwo(width), Self.isPowerOfTwo(startingSize), Self.isPowerOfTwo(maximumDirect),
      startingSize <= maximumDirect, indexBits <= 62
    else { throw cursor.malformed("of impossible sizes") }
    maximumDirectBits = maximumDirect.trailingZeroBitCount
    let firstRowBits = startingSize.trailingZeroBitCount + width.trailingZeroBitCount
    guard maximumDirectBits <= 32, firstRowBits <= indexBits else {
      throw cursor.malformed("of impossible sizes")
    }
    directRows = maximumDirectBits - startingSize.trailingZeroBitCount + 2
    maximumRows = indexBits - firstRowBits + 1
  }

  private static func isPowerOfTwo(_ value: Int) -> Bool { value > 0 && value & (value - 1) == 0 }

  /// The entry of an indirect block that covers `offset`, counted from the block's start.
  func entry(of offset: Int) -> Entry? {
    guard offset >= 0, offset < 1 << indexBits else { return nil }
    let firstRow = startingSize * width
    let row = offset < firstRow ? 0 : Self.log2(offset / firstRow) + 1
    let size = row == 0 ? startingSize : startingSize << (row - 1)
    let rowOffset = row == 0 ? 0 : firstRow << (row - 1)
    let column = (offset - rowOffset) / size
    return Entry(row: row, column: column, offset: rowOffset + column * size, size: size)
  }

  /// The rows of an indirect block that covers `size` bytes.
  func rows(ofSize size: Int) -> Int { max(1, Self.log2(size) - Self.log2(startingSize * width) + 1) }

  private static func log2(_ value: Int) -> Int { Int.bitWidth - 1 - value.leadingZeroBitCount }
}
