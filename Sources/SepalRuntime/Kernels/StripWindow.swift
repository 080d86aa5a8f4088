import CSepalKernels

/// A window that slides over each channel by itself, and the tables of rows that its kernels read.
struct StripWindow: @unchecked Sendable {
  var strip: sepal_strip
  let image: ImageWindow

  /// Nil where the tables would be huge.
  init?(_ geometry: WindowGeometry) {
    image = ImageWindow(geometry)
    strip = sepal_strip()
    (strip.in_w, strip.out_w) = (geometry.input.width, geometry.output.width)
    (strip.kernel_h, strip.kernel_w) = geometry.kernel
    (strip.stride_w, strip.dilation_w) = (geometry.strides.w, geometry.dilations.w)
    strip.pad_left = geometry.padBegins.w
    guard geometry.kernel.h <= 4096 else { return nil }
  }

  func tableBytes(rows: Int) -> Int { rows * (image.kernel + 3) * MemoryLayout<Int>.size }

  /// The strip for a job, with its tables at the job's scratch memory.
  func strip(for job: UnsafePointer<ImageJob>) -> sepal_strip {
    var strip = strip
    let (input, output) = (job.pointee.input, job.pointee.output)
    let (kernel, count) = (image.kernel, job.pointee.end - job.pointee.begin)
    let rows = job.pointee.scratch.assumingMemoryBound(to: UnsafePointer<Float>?.self)
    let out = (job.pointee.scratch + count * kernel * MemoryLayout<Int>.size)
      .assumingMemoryBound(to: UnsafeMutablePointer<Float>?.self)
    for index in 0..<count {
      let y = job.pointee.begin + index
      out[index] = output[y]
      for tap in 0..<kernel {
        let from = y * image.stride + tap * image.dilation - image.padTop
        rows[index * kernel + tap] = from >= 0 && from < image.input.height ? UnsafePointer(input[from]) : nil
      }
    }
    strip.row_count = count
    strip.rows = UnsafePointer(rows)
    strip.in_block = input.block
    strip.out = UnsafePointer(out)
    strip.out_block = output.block
    if let residual = job.pointee.residual {
      let table = UnsafeMutableRawPointer(out + count).assumingMemoryBound(to: UnsafePointer<Float>?.self)
      for index in 0..<count { table[index] = UnsafePointer(residual[job.pointee.begin + index]) }
      strip.residual = UnsafePointer(table)
      strip.residual_block = residual.block
    }
    return strip
  }

  /// For each row of a job, the kernel rows inside the image, or inside the image with its padding. The table follows
  /// the others.
  func rowCells(for job: UnsafePointer<ImageJob>, padBottom: Int?) -> UnsafePointer<Int> {
    let count = job.pointee.end - job.pointee.begin
    let cells = (job.pointee.scratch + count * (image.kernel + 2) * MemoryLayout<Int>.size)
      .assumingMemoryBound(to: Int.self)
    for index in 0..<count {
      var inside = 0
      for tap in 0..<image.kernel {
        let y = (job.pointee.begin + index) * image.stride + tap * image.dilation - image.padTop
        if let padBottom {
          inside += y >= -image.padTop && y < image.input.height + padBottom ? 1 : 0
        } else {
          inside += y >= 0 && y < image.input.height ? 1 : 0
        }
      }
      cells[index] = inside
    }
    return UnsafePointer(cells)
  }
}

struct StripContext {
  var functions: UnsafePointer<sepal_kernels>
  var window: StripWindow
}
