// `import Sepal` is enough: the types of its API come along.
@_exported import SepalGraph
@_exported import SepalNumpy
@_exported import SepalPasses
@_exported import SepalRuntime
@_exported import SepalTensor
@_exported import SepalValidation

@_exported import enum SepalFormat.Storage
@_exported import enum SepalImages.ImagePreprocessing
@_exported import enum SepalFormat.StoragePrecision
@_exported import enum SepalFormat.StoredContents
@_exported import struct SepalONNX.ONNXExporter
