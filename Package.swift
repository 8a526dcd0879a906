// swift-tools-version: 6.2
import PackageDescription

/// The same rules for every target: Swift 6, imports that say what they expose, warnings that stop the build.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
    // Dependencies may deprecate between versions; that is news, not a reason to refuse a build.
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// The floors, each with what it stands on; an import of anything else does not compile.
let package = Package(
    name: "phoenix",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "phoenix", targets: ["phoenix"]),
        .library(
            name: "Phoenix",
            targets: ["PhoenixModel", "PhoenixGraph", "PhoenixWire", "PhoenixRuntime", "PhoenixNodes"]
        ),
        .library(name: "PhoenixCommand", targets: ["PhoenixCommand"]),
        .library(name: "PhoenixTestKit", targets: ["PhoenixTestKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // 0
        .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // The C library's resolver, which needs no package.
        .systemLibrary(name: "CResolver"),
        .target(name: "PhoenixModel", swiftSettings: settings),
        // 1
        .target(
            name: "PhoenixGraph",
            dependencies: ["PhoenixModel", .product(name: "Yams", package: "Yams")],
            swiftSettings: settings
        ),
        .target(
            name: "PhoenixWire",
            dependencies: [
                "PhoenixModel", "CNGHTTP2", "CZlib",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        // 2
        .target(
            name: "PhoenixRuntime",
            dependencies: [
                "PhoenixModel", "PhoenixGraph",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        // 3
        .target(
            name: "PhoenixNodes",
            dependencies: [
                "PhoenixModel", "PhoenixGraph", "PhoenixWire", "PhoenixRuntime", "CResolver",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Controllers/API/Generated/README.md"],
            // A link to contracts/openapi/control.yaml: the document that the control API serves.
            resources: [.embedInCode("Resources/control.yaml")],
            swiftSettings: settings
        ),
        .target(
            name: "PhoenixTestKit",
            dependencies: [
                "PhoenixModel", "PhoenixGraph", "PhoenixRuntime",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        // 4
        .target(
            name: "PhoenixCommand",
            dependencies: [
                "PhoenixModel", "PhoenixGraph", "PhoenixRuntime", "PhoenixNodes", "PhoenixTestKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            // A link to graphs/demo.yaml: the demonstration that `phoenix run` runs without a file.
            resources: [.embedInCode("Resources/demo.yaml")],
            swiftSettings: settings
        ),
        // 5
        .executableTarget(
            name: "phoenix",
            dependencies: ["PhoenixCommand", "PhoenixNodes"],
            swiftSettings: settings
        ),
        // Tests, one target for each of the above, at the same relative paths
        .testTarget(name: "PhoenixModelTests", dependencies: ["PhoenixModel"], swiftSettings: settings),
        .testTarget(
            name: "PhoenixGraphTests",
            dependencies: ["PhoenixGraph", "PhoenixModel"],
            exclude: ["Fixtures"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PhoenixWireTests",
            dependencies: [
                "PhoenixWire", "PhoenixModel", "CNGHTTP2", "CZlib",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Judge/Generated/README.md"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PhoenixRuntimeTests",
            dependencies: ["PhoenixRuntime", "PhoenixGraph", "PhoenixModel", "PhoenixTestKit"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PhoenixNodesTests",
            dependencies: [
                "PhoenixNodes", "PhoenixWire", "PhoenixRuntime", "PhoenixGraph", "PhoenixModel",
                "PhoenixTestKit",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Controllers/API/Transcripts"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PhoenixCommandTests",
            dependencies: [
                "PhoenixCommand", "PhoenixNodes", "PhoenixRuntime", "PhoenixGraph", "PhoenixModel", "phoenix",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RepositoryTests",
            dependencies: [
                "PhoenixCommand", "PhoenixNodes", "PhoenixRuntime", "PhoenixGraph", "PhoenixTestKit",
            ],
            swiftSettings: settings
        ),
    ]
)
