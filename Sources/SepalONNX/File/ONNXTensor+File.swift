import CONNXSchema
import SepalTensor
import SepalWire

extension ONNXTensor {
  /// Reads a file that holds one tensor, as the data sets that come with models do.
  package init(contentsOf path: String) throws(ONNXError) {
    do throws(ONNXError) {
      let storage: TensorStorage
      do throws(FileError) {
        storage = try TensorStorage.mapping(path: path)
      } catch {
        throw ONNXError(error.code == .missing ? .missingFile : .unreadable, error.message)
      }
      var reader = ONNXReader(storage, folder: nil)
      self = try reader.initializer(0..<storage.bytes.count)
    } catch {
      var error = error
      error.file = path
      throw error
    }
  }
}
