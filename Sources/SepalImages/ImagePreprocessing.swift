import SepalTensor

/// How a picture becomes the input of a network. Networks do not say which one they were trained with.
public enum ImagePreprocessing: String, Sendable, CaseIterable {
  /// The shorter side to 256/224 of the input, its centre, from 0…1 less the mean of ImageNet over its deviation.
  case torchvision
  /// Squashed to the input's size, from −1 to 1.
  case tf
  /// Squashed to the input's size, from 0 to 1.
  case unit
  /// Squashed to the input's size, from 0 to 255.
  case raw

  public var summary: String {
    switch self {
    case .torchvision:
      "shorter side to 256/224 of the input, centre, ImageNet mean and deviation: torchvision's models"
    case .tf: "squashed, −1…1: MobileNet and MobileNetV2 of Keras"
    case .unit: "squashed, 0…1"
    case .raw: "squashed, 0…255: MobileNetV3 and EfficientNet of Keras"
    }
  }

  /// The tensor of `type` that this makes of an image.
  ///
  /// - Parameter type: `[1, C, H, W]` or `[1, H, W, C]` of 3 channels or 1 (grey, by the weights of BT.601), float32 or, for
  ///   `raw`, uint8.
  public func tensor(of image: Image, as type: TensorType) throws(ImageError) -> Tensor {
    let target = try Target(type)
    guard type.element == .float32 || (type.element == .uint8 && self == .raw) else {
      throw ImageError(
        .unsuitable,
        "an image by '\(rawValue)' is no \(type): expected float32\(self == .raw ? " or uint8" : "")")
    }
    guard self != .torchvision || target.channels == 3 else {
      throw ImageError(.unsuitable, "an image by '\(rawValue)' has 3 channels, expected \(type)")
    }
    let fitted = fitted(image, target)
    let count = target.width * target.height
    var values = [Double](repeating: 0, count: type.count)
    for channel in 0..<target.channels {
      let normalized = normalization(channel)
      for pixel in 0..<count {
        let level = fitted.level(pixel, channel, of: target.channels)
        values[target.isChannelsLast ? pixel * target.channels + channel : channel * count + pixel] =
          normalized[Int(level)]
      }
    }
    return Tensor(type.element, type.shape, doubles: values)
  }

  private func fitted(_ image: Image, _ target: Target) -> Image {
    guard self == .torchvision else {
      return image.resized(
        width: target.width, height: target.height,
        window: Window(left: 0, top: 0, width: target.width, height: target.height))
    }
    let short = min(target.width, target.height) * 256 / 224
    // Truncated, as torchvision does.
    let long = short * max(image.width, image.height) / min(image.width, image.height)
    let (width, height) = image.width <= image.height ? (short, long) : (long, short)
    let window = Window(
      left: Self.margin(width, target.width), top: Self.margin(height, target.height), width: target.width,
      height: target.height)
    return image.resized(width: width, height: height, window: window)
  }

  /// Where the centre of a line begins, rounded as torchvision does it; negative where it is longer than the line.
  private static func margin(_ count: Int, _ center: Int) -> Int {
    center > count ? -((center - count) / 2) : Int((Double(count - center) / 2).rounded(.toNearestOrEven))
  }

  /// What becomes of each of the 256 levels of a channel.
  private func normalization(_ channel: Int) -> [Double] {
    (0...255).map { level in
      switch self {
      case .torchvision:
        let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        return (Double(level) / 255 - mean[channel]) / deviation[channel]
      case .tf: return Double(level) / 127.5 - 1
      case .unit: return Double(level) / 255
      case .raw: return Double(level)
      }
    }
  }
}

extension Image {
  fileprivate func level(_ pixel: Int, _ channel: Int, of channels: Int) -> UInt8 {
    guard channels == 1 else { return pixels[3 * pixel + channel] }
    let (red, green, blue) = (Int(pixels[3 * pixel]), Int(pixels[3 * pixel + 1]), Int(pixels[3 * pixel + 2]))
    return UInt8((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
  }
}

/// Where the pixels of an input are.
private struct Target {
  let width, height, channels: Int
  let isChannelsLast: Bool

  init(_ type: TensorType) throws(ImageError) {
    let shape = type.shape
    guard shape.count == 4, shape[0] == 1 else {
      throw ImageError(.unsuitable, "an image is no \(type): expected one of [1, C, H, W] or [1, H, W, C]")
    }
    let (isFirst, isLast) = ([1, 3].contains(shape[1]), [1, 3].contains(shape[3]))
    guard isFirst != isLast, shape.allSatisfy({ $0 > 0 }) else {
      throw ImageError(.unsuitable, "the channels of \(type) are not to be told from its pixels")
    }
    isChannelsLast = isLast
    channels = isLast ? shape[3] : shape[1]
    (height, width) = isLast ? (shape[1], shape[2]) : (shape[2], shape[3])
  }
}
