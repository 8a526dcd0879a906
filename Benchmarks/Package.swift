// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

/// A package of its own, so that nobody who builds Phoenix builds its benchmarks.
let package = Package(
    name: "phoenix-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "phoenix", path: "..")],
    targets: [
        .target(name: "LoadShape", swiftSettings: settings),
        .executableTarget(
            name: "micro",
            dependencies: ["LoadShape", .product(name: "Phoenix", package: "phoenix")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "load",
            dependencies: ["LoadShape", .product(name: "Phoenix", package: "phoenix")],
            swiftSettings: settings
        ),
    ]
)
