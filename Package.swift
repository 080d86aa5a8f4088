// swift-tools-version: 6.1
import PackageDescription

// Data flows one way: importers → graph → passes → graph → file → plan → session.
// A target may import only what is listed here; the build is checked with
// `--explicit-target-dependency-import-check error`.
let package = Package(
  name: "sepal",
  platforms: [.macOS(.v13)],
  products: [
    .library(name: "Sepal", targets: ["Sepal"]),
    .executable(name: "sepal", targets: ["SepalCLI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // System libraries.
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c",
      providers: [.apt(["libprotobuf-c-dev"]), .brew(["protobuf-c"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"])]),

    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg",
      providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),

    // Generated from schemas/*.proto by `make generate`. The only two users of protobuf-c.
    .target(name: "CONNXSchema", dependencies: ["CProtobufC"]),
    .target(name: "CSepalSchema", dependencies: ["CProtobufC"]),

    // Micro-kernels.
    .target(
      name: "CSepalKernels",
      // The kernels of other machines, emulated on this one: `make check-isa` tests them.
      cSettings: Context.environment["SEPAL_EMULATE"] == nil ? [] : [.define("SEPAL_EMULATE")]),

    // Bounded reading of protobuf bytes, whatever the schema.
    .target(name: "SepalWire", dependencies: ["CProtobufC"]),

    // Element types, shapes, tensors.
    .target(name: "SepalTensor"),

    // Deflate, checksums and zip archives. The only user of zlib.
    .target(name: "SepalZip", dependencies: ["SepalTensor", "CSepalKernels", "CZlib"]),

    // SHA-256. The only user of libcrypto; Apple's systems bring their own.
    .target(
      name: "SepalDigest",
      dependencies: ["SepalTensor", .target(name: "CCrypto", condition: .when(platforms: [.linux]))]),

    // numpy's files: the inputs and outputs that people exchange.
    .target(name: "SepalNumpy", dependencies: ["SepalTensor", "SepalZip"]),

    // Pictures as inputs of networks. The only user of libjpeg-turbo and libpng.
    .target(name: "SepalImages", dependencies: ["SepalTensor", "CTurboJPEG", "CPNG"]),

    // Bounded reading of HDF5, whatever it holds.
    .target(name: "SepalHDF5", dependencies: ["SepalTensor", "SepalZip"], exclude: ["README.md"]),

    // The intermediate representation: values, nodes, one file per operator.
    .target(name: "SepalGraph", dependencies: ["SepalTensor"]),

    // Importers: source format → graph.
    .target(
      name: "SepalONNX",
      dependencies: ["SepalGraph", "SepalTensor", "SepalWire", "CONNXSchema", "CProtobufC"]),
    .target(
      name: "SepalKeras", dependencies: ["SepalGraph", "SepalTensor", "SepalHDF5", "SepalZip"]),

    // Graph → graph: one file per pass.
    .target(name: "SepalPasses", dependencies: ["SepalGraph", "SepalTensor"]),

    // Graph ↔ native file.
    .target(
      name: "SepalFormat",
      dependencies: [
        "SepalGraph", "SepalTensor", "SepalWire", "SepalZip", "SepalDigest", "CSepalSchema", "CProtobufC",
      ]),

    // Graph → plan → session. Micro-kernels in C, policy in Swift.
    .target(
      name: "SepalRuntime", dependencies: ["SepalGraph", "SepalTensor", "CSepalKernels"],
      exclude: ["README.md"]),

    // Reference against runtime, value by value.
    .target(
      name: "SepalValidation",
      dependencies: ["SepalGraph", "SepalTensor", "SepalDigest", "SepalPasses", "SepalRuntime"],
      exclude: ["README.md"]),

    // What people import.
    .target(
      name: "Sepal",
      dependencies: [
        "SepalTensor", "SepalZip", "SepalDigest", "SepalNumpy", "SepalImages", "SepalHDF5", "SepalGraph",
        "SepalONNX", "SepalKeras", "SepalPasses", "SepalFormat", "SepalRuntime", "SepalValidation",
      ]),

    // What people type.
    .executableTarget(
      name: "SepalCLI",
      dependencies: [
        "Sepal", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Counts allocations of the program that links it: the tests.
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),

    // Passes that are wrong, and a network that shows it.
    .target(
      name: "PlantedFaults", dependencies: ["SepalGraph", "SepalPasses", "SepalTensor"],
      path: "Tests/PlantedFaults"),

    .testTarget(name: "SepalTensorTests", dependencies: ["SepalTensor"]),
    .testTarget(name: "SepalDigestTests", dependencies: ["SepalDigest", "SepalTensor"]),
    .testTarget(name: "SepalZipTests", dependencies: ["SepalZip", "SepalTensor", "CZlib"]),
    .testTarget(name: "SepalHDF5Tests", dependencies: ["SepalHDF5", "SepalTensor", "SepalZip"]),
    .testTarget(name: "SepalNumpyTests", dependencies: ["SepalNumpy", "SepalTensor"]),
    .testTarget(
      name: "SepalImagesTests", dependencies: ["SepalImages", "SepalTensor", "SepalNumpy", "SepalGraph"]),
    .testTarget(name: "SepalGraphTests", dependencies: ["SepalGraph", "SepalTensor"]),
    .testTarget(
      name: "SepalONNXTests", dependencies: ["SepalONNX", "SepalGraph", "SepalTensor", "SepalNumpy"]),
    .testTarget(
      name: "SepalKerasTests",
      dependencies: [
        "SepalKeras", "SepalONNX", "SepalHDF5", "SepalZip", "SepalGraph", "SepalTensor", "SepalNumpy",
        "SepalPasses", "SepalRuntime", "SepalValidation",
      ]),
    .testTarget(
      name: "SepalPassesTests",
      dependencies: ["SepalPasses", "SepalGraph", "SepalTensor", "SepalONNX", "SepalNumpy"]),
    .testTarget(
      name: "SepalFormatTests", dependencies: ["SepalFormat", "SepalGraph", "SepalTensor", "SepalZip"]),
    .testTarget(
      name: "SepalRuntimeTests",
      dependencies: [
        "SepalRuntime", "SepalValidation", "SepalGraph", "SepalTensor", "CSepalKernels", "AllocationCounter",
      ]),
    .testTarget(
      name: "SepalValidationTests",
      dependencies: [
        "SepalValidation", "SepalGraph", "SepalTensor", "SepalPasses", "SepalRuntime", "PlantedFaults",
      ]),
    .testTarget(
      name: "SepalTests",
      dependencies: ["Sepal", "SepalFormat", "SepalONNX", "SepalKeras", "SepalPasses", "PlantedFaults"]),
    .testTarget(name: "SepalCLITests", dependencies: ["SepalCLI", "Sepal"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)

// One fuzz target per format. Only `make fuzz` asks for them: not every toolchain brings libFuzzer.
if Context.environment["SEPAL_FUZZ"] != nil {
  let readers: [(name: String, dependencies: [Target.Dependency])] = [
    ("Convert", ["SepalONNX", "SepalGraph", "SepalPasses", "SepalRuntime"]),
    ("Export", ["SepalONNX", "SepalGraph", "SepalPasses"]),
    ("HDF5", ["SepalHDF5"]),
    ("Images", ["SepalImages"]),
    ("Keras", ["SepalKeras", "SepalGraph"]),
    ("KerasConfig", ["SepalKeras", "SepalGraph"]),
    ("ONNX", ["SepalONNX", "SepalGraph"]),
    ("Sepal", ["SepalFormat", "SepalGraph"]),
    ("Zip", ["SepalZip", "SepalNumpy"]),
  ]
  package.targets += readers.map { reader in
    .executableTarget(
      name: "Fuzz\(reader.name)", dependencies: reader.dependencies + ["SepalTensor"],
      path: "Tests/Fuzz/\(reader.name)")
  }
}

// Times the kernels by themselves, and networks over tolerances. Only `make bench-kernels` and `make separable-curve`
// ask for them.
if Context.environment["SEPAL_BENCH"] != nil {
  package.targets += [
    .executableTarget(
      name: "BenchKernels", dependencies: ["CSepalKernels"], path: "Tests/Bench/Kernels"),
    .executableTarget(
      name: "BenchSeparable", dependencies: ["Sepal", "SepalFormat"], path: "Tests/Bench/Separable"),
  ]
}
