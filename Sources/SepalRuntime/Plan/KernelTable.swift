import SepalGraph

/// Every kernel, in the order in which they are asked: the first that takes a node computes it. A node that nobody
/// takes runs on its operator's reference.
package let kernelTable: [any Kernel.Type] = [
  AliasKernel.self,
  PointwiseKernel.self,
  MatrixKernel.self,
  DepthwiseKernel.self,
  WinogradKernel.self,
  ConvolutionKernel.self,
  SqueezeExciteKernel.self,
  PoolKernel.self,
  GlobalAverageKernel.self,
  ActivationKernel.self,
  BinaryKernel.self,
  ScaleShiftKernel.self,
  SoftmaxKernel.self,
  MoveKernel.self,
]

private let kernelsByOperator: [String: [any Kernel.Type]] = {
  var result: [String: [any Kernel.Type]] = [:]
  for kernel in kernelTable {
    for name in kernel.operators { result[name, default: []].append(kernel) }
  }
  return result
}()

func chooseKernel(for site: Site) -> any Kernel {
  for candidate in kernelsByOperator[site.node.op.name] ?? [] {
    if let kernel = candidate.init(site) { return kernel }
  }
  return ReferenceKernel(site)
}
