import SepalImages
import SepalTensor

/// Pictures to pixels, and to the input of a network, or a refusal.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let image = try? Image(decoding: UnsafeRawBufferPointer(start: start, count: count)),
    // What a few bytes can claim takes its time to be resized.
    image.width * image.height < 1 << 20
  else { return 0 }
  precondition(image.pixels.count == 3 * image.width * image.height)
  for recipe in ImagePreprocessing.allCases {
    let tensor = try? recipe.tensor(of: image, as: TensorType(.float32, [1, 3, 7, 5]))
    precondition(tensor?.count == 105)
  }
  return 0
}
