// Times every kernel family by itself, at the shapes of MobileNets and ResNets, on one thread and with operands as warm
// as the caches hold them. Arguments choose families and instruction sets: `BenchKernels depthwise avx2`.
import CSepalKernels

/// One family: its name, and what to run.
typealias Family = (name: String, run: (Products, Strips) -> Void)

let families: [Family] = [
  (
    "pointwise",
    { products, _ in
      // MobileNet V2, then V1.
      for (size, k, n) in [
        (112, 32, 16), (112, 16, 96), (56, 96, 24), (56, 24, 144), (56, 144, 24), (28, 144, 32),
        (28, 32, 192), (28, 192, 32), (14, 192, 64), (14, 64, 384), (14, 384, 64), (14, 384, 96),
        (14, 96, 576), (14, 576, 96), (7, 576, 160), (7, 160, 960), (7, 960, 160), (7, 960, 320),
        (7, 320, 1280), (112, 32, 64), (56, 64, 128), (56, 128, 128), (28, 128, 256), (28, 256, 256),
        (14, 256, 512), (14, 512, 512), (7, 512, 1024), (7, 1024, 1024),
      ] {
        products.pointwise(size, k, n)
      }
    }
  ),
  (
    "depthwise",
    { _, strips in
      for (kernel, stride, size, channels) in [
        (3, 1, 112, 32), (3, 2, 112, 96), (3, 1, 56, 144), (3, 2, 56, 144), (3, 1, 28, 192), (3, 2, 28, 192),
        (3, 1, 14, 384), (3, 1, 14, 576), (3, 2, 14, 576), (3, 1, 7, 960), (5, 1, 28, 120), (5, 2, 28, 240),
        (5, 1, 14, 480), (5, 2, 14, 576), (5, 1, 7, 960), (7, 1, 14, 384), (7, 1, 7, 768), (3, 1, 17, 64),
      ] {
        strips.run(.depthwise, size, channels, kernel: kernel, stride: stride)
      }
    }
  ),
  (
    "first",
    { products, _ in
      for (kernel, n) in [(3, 16), (3, 32), (7, 64)] {
        products.convolution(224, 3, n, kernel: kernel, stride: 2)
      }
    }
  ),
  (
    "convolution",
    { products, _ in
      for (size, channels) in [(56, 64), (28, 128), (14, 256), (7, 512)] {
        products.convolution(size, channels, channels, kernel: 3, stride: 1)
      }
      products.convolution(56, 64, 128, kernel: 3, stride: 2)
      products.convolution(28, 128, 256, kernel: 3, stride: 2)
    }
  ),
  (
    "winograd",
    { products, _ in
      for (size, channels) in [(56, 64), (28, 128), (14, 256), (7, 512)] {
        for tile in [2, 4] { products.winograd(size, channels, channels, tile: tile) }
      }
    }
  ),
  (
    "dense",
    { products, _ in
      for (k, n) in [(576, 1024), (1024, 1000), (1280, 1000), (2048, 1000), (960, 240)] {
        products.dense(k, n)
      }
    }
  ),
  (
    "max-pool",
    { _, strips in
      strips.run(.maxPool, 112, 64, kernel: 3, stride: 2)
      strips.run(.maxPool, 56, 64, kernel: 2, stride: 2)
    }
  ),
  (
    "average-pool",
    { _, strips in
      strips.run(.averagePool, 28, 128, kernel: 2, stride: 2)
      strips.run(.averagePool, 28, 192, kernel: 3, stride: 1)
    }
  ),
  (
    "global-average",
    { _, strips in
      for (size, channels) in [(7, 1280), (14, 480), (56, 72)] { strips.globalAverage(size, channels) }
    }
  ),
]

let chosen = Set(CommandLine.arguments.dropFirst())
let tables = [SEPAL_ISA_AVX512, SEPAL_ISA_AVX2, SEPAL_ISA_NEON, SEPAL_ISA_PORTABLE]
  .compactMap { sepal_kernels_for($0)?.pointee }
let named = tables.filter { chosen.contains(String(cString: $0.name)) }
let wanted = families.filter { chosen.contains($0.name) }
for kernels in named.isEmpty ? Array(tables.prefix(1)) : named {
  let report = Report(kernels)
  for family in wanted.isEmpty ? families : wanted {
    report.heading(family.name)
    family.run(Products(kernels: kernels, report: report), Strips(kernels: kernels, report: report))
  }
}
