import SepalGraph

/// A convolution or transposed convolution, `[…][…][taps]` being its weights.
protocol PaddedConvolution: ActivatedOperator {
  var padBegins: [Int] { get set }
  var padEnds: [Int] { get set }
  var dilations: [Int] { get }
  var groups: Int { get }
  var layout: Layout { get }
}

extension Conv: PaddedConvolution {}
extension ConvTranspose: PaddedConvolution {}
