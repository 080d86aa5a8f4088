extension Tensor {
  /// All elements widened to `Double` (bool as 0/1; 64-bit integers beyond 2⁵³ round).
  public func doubles() -> [Double] {
    switch element {
    case .float32: map(Float.self) { Double($0) }
    case .float64: copied()
    case .float16: map(UInt16.self) { Double(Float(halfBits: $0)) }
    case .bfloat16: map(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .int8: map(Int8.self) { Double($0) }
    case .uint8: map(UInt8.self) { Double($0) }
    case .bool: map(UInt8.self) { $0 != 0 ? 1 : 0 }
    case .int16: map(Int16.self) { Double($0) }
    case .uint16: map(UInt16.self) { Double($0) }
    case .int32: map(Int32.self) { Double($0) }
    case .uint32: map(UInt32.self) { Double($0) }
    case .int64: map(Int64.self) { Double($0) }
    case .uint64: map(UInt64.self) { Double($0) }
    }
  }

  /// All elements as `Float`; exact for float32, float16, bfloat16 and small integers.
  public func floats() -> [Float] {
    element == .float32 ? map(Float.self) { $0 } : doubles().map { Float($0) }
  }

  /// All elements of an integer or bool (0/1) tensor; nil for floating point. uint64 beyond `Int64.max` clamps.
  public func integers() -> [Int64]? {
    switch element {
    case .float32, .float64, .float16, .bfloat16: nil
    case .int8: map(Int8.self) { Int64($0) }
    case .uint8: map(UInt8.self) { Int64($0) }
    case .bool: map(UInt8.self) { $0 != 0 ? 1 : 0 }
    case .int16: map(Int16.self) { Int64($0) }
    case .uint16: map(UInt16.self) { Int64($0) }
    case .int32: map(Int32.self) { Int64($0) }
    case .uint32: map(UInt32.self) { Int64($0) }
    case .int64: map(Int64.self) { $0 }
    case .uint64: map(UInt64.self) { Int64(clamping: $0) }
    }
  }

  /// Elements of a bool tensor (any non-zero byte is true) or of a numeric tensor (non-zero is true).
  public func booleans() -> [Bool] {
    integers().map { $0.map { $0 != 0 } } ?? doubles().map { $0 != 0 }
  }

  /// Rounds `values` to `element` (to nearest even; integers truncate towards zero and saturate, NaN becomes 0).
  public init(_ element: ElementType, _ shape: [Int], doubles values: [Double]) {
    let type = TensorType(element, shape)
    precondition(values.count == type.count, "\(values.count) values for \(type)")
    switch element {
    case .float32: self.init(type, values) { Float($0) }
    case .float64: self.init(type, storage: TensorStorage(adopting: values))
    case .float16: self.init(type, values) { Float(roundedToOdd: $0).halfBits }
    case .bfloat16: self.init(type, values) { Float(roundedToOdd: $0).bfloat16Bits }
    case .int8: self.init(type, values) { Int8(saturating: $0) }
    case .uint8: self.init(type, values) { UInt8(saturating: $0) }
    case .bool: self.init(type, values) { UInt8($0 != 0 ? 1 : 0) }
    case .int16: self.init(type, values) { Int16(saturating: $0) }
    case .uint16: self.init(type, values) { UInt16(saturating: $0) }
    case .int32: self.init(type, values) { Int32(saturating: $0) }
    case .uint32: self.init(type, values) { UInt32(saturating: $0) }
    case .int64: self.init(type, values) { Int64(saturating: $0) }
    case .uint64: self.init(type, values) { UInt64(saturating: $0) }
    }
  }

  /// Converts integers without a detour over floating point; narrower types wrap.
  public init(_ element: ElementType, _ shape: [Int], integers values: [Int64]) {
    let type = TensorType(element, shape)
    precondition(values.count == type.count, "\(values.count) values for \(type)")
    switch element {
    case .int8: self.init(type, values) { Int8(truncatingIfNeeded: $0) }
    case .uint8: self.init(type, values) { UInt8(truncatingIfNeeded: $0) }
    case .bool: self.init(type, values) { UInt8($0 != 0 ? 1 : 0) }
    case .int16: self.init(type, values) { Int16(truncatingIfNeeded: $0) }
    case .uint16: self.init(type, values) { UInt16(truncatingIfNeeded: $0) }
    case .int32: self.init(type, values) { Int32(truncatingIfNeeded: $0) }
    case .uint32: self.init(type, values) { UInt32(truncatingIfNeeded: $0) }
    case .int64: self.init(type, values) { $0 }
    case .uint64: self.init(type, values) { UInt64(bitPattern: $0) }
    case .float32, .float64, .float16, .bfloat16:
      self.init(element, shape, doubles: values.map { Double($0) })
    }
  }

  /// The same values in another element type.
  public func converted(to target: ElementType) -> Tensor {
    if target == element { return self }
    if let integers = integers(), !target.isFloat { return Tensor(target, shape, integers: integers) }
    return Tensor(target, shape, doubles: doubles())
  }

  /// The elements of a float64 tensor.
  private func copied() -> [Double] {
    if let values = storage.adopted, values.count == count { return values }
    return withUnsafeBytes { bytes in
      [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        initialized = count
      }
    }
  }

  private func map<Source: BitwiseCopyable, R>(_: Source.Type, _ transform: (Source) -> R) -> [R] {
    withUnsafeBytes { bytes in
      [R](unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in 0..<count {
          let scalar = bytes.loadUnaligned(
            fromByteOffset: index * MemoryLayout<Source>.size, as: Source.self)
          (buffer.baseAddress.unsafelyUnwrapped + index).initialize(to: transform(scalar))
        }
        initialized = count
      }
    }
  }

  private init<Value, Target: BitwiseCopyable>(
    _ type: TensorType, _ values: [Value], _ transform: (Value) -> Target
  ) {
    self.init(type) { bytes in
      for (index, value) in values.enumerated() {
        bytes.storeBytes(
          of: transform(value), toByteOffset: index * MemoryLayout<Target>.size, as: Target.self)
      }
    }
  }
}

extension FixedWidthInteger {
  fileprivate init(saturating value: Double) {
    if value.isNaN {
      self = 0
    } else if value >= Double(Self.max) {
      self = .max
    } else if value <= Double(Self.min) {
      self = .min
    } else {
      self = Self(value)
    }
  }
}

extension Float {
  /// `value` with any lost bits remembered in the last one, so that rounding the result to a narrower type gives what
  /// rounding `value` itself would: two roundings to nearest may not.
  fileprivate init(roundedToOdd value: Double) {
    let nearest = Float(value)
    guard nearest.isFinite, Double(nearest) != value else {
      self = nearest
      return
    }
    let isTooLarge = Double(nearest).magnitude > value.magnitude
    self = Float(bitPattern: (isTooLarge ? nearest.bitPattern - 1 : nearest.bitPattern) | 1)
  }

  /// Widens IEEE binary16 bits; exact.
  public init(halfBits bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let mantissa = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
      // Subnormal: mantissa · 2⁻²⁴, exact in binary32.
      let magnitude = Float(mantissa) * 0x1p-24
      self = Float(bitPattern: sign | magnitude.bitPattern)
    case 31:
      self = Float(bitPattern: sign | 0x7F80_0000 | mantissa << 13)
    default:
      self = Float(bitPattern: sign | (exponent + 112) << 23 | mantissa << 13)
    }
  }

  /// IEEE binary16 bits, rounded to nearest even; overflow becomes infinity.
  public var halfBits: UInt16 {
    let bits = bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude >= 0x7F80_0000 {
      return sign | 0x7C00 | (magnitude > 0x7F80_0000 ? 0x200 : 0)
    }
    if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
      // Subnormal half: adding 0.5 aligns the mantissa so that hardware rounding does the work.
      let aligned = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: aligned.bitPattern - Float(0.5).bitPattern)
    }
    let rounded = magnitude + 0xFFF + (magnitude >> 13 & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded >> 13) - (112 << 10))
  }

  /// bfloat16 bits, rounded to nearest even.
  public var bfloat16Bits: UInt16 {
    if isNaN { return UInt16(truncatingIfNeeded: bitPattern >> 16) | 0x40 }
    let rounded = UInt64(bitPattern) + 0x7FFF + UInt64(bitPattern >> 16 & 1)
    return UInt16(truncatingIfNeeded: rounded >> 16)
  }
}
