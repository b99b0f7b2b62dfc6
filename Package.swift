// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "rootfast",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "Rootfast", targets: ["Rootfast"]),
        .library(name: "RootfastCodable", targets: ["RootfastCodable"]),
        .executable(name: "rootfast", targets: ["rootfast-tool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // C that Swift cannot do as well: many-lane BLAKE2b and CRC-32C by hardware.
        .target(name: "CHashing"),
        // What Swift has no words for: prefetching.
        .target(name: "CMemory"),
        // The oracle for BLAKE2b: Debian's libb2.
        .systemLibrary(name: "Clibb2", pkgConfig: "libb2", providers: [.apt(["libb2-dev"]), .brew(["libb2"])]),

        // The state file: Debian's libsqlite3.
        .systemLibrary(
            name: "Csqlite3", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),

        .target(name: "Hashing", dependencies: ["CHashing"]),
        .target(name: "SQLite", dependencies: ["Csqlite3"]),
        .target(name: "Threading"),
        .target(name: "StrictJSON"),
        .target(name: "StateTree", dependencies: ["Hashing", "CHashing", "CMemory", "Threading"]),
        .target(name: "CommitLog", dependencies: ["Hashing", "StrictJSON", "Threading"]),
        .target(
            name: "Rootfast",
            dependencies: ["StateTree", "CommitLog", "SQLite", "StrictJSON", "Hashing", "Threading"]),
        // Values of `Codable` types; apart, because it needs Foundation.
        .target(name: "RootfastCodable", dependencies: ["Rootfast"]),

        .executableTarget(
            name: "rootfast-tool",
            dependencies: [
                "Rootfast", "StrictJSON", "CommitLog", "Hashing", "Threading",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "tools/rootfast"
        ),

        .target(name: "SeededRandom", path: "Specs/Random"),
        // The simulated disk and the driver of the real tool that tests and specs stand on.
        .target(
            name: "SpecSupport",
            dependencies: [
                "Rootfast", "CommitLog", "StrictJSON", "Hashing", "Threading", "SeededRandom", "Csqlite3",
            ],
            path: "Specs/Support"),

        // The README's example, as it stands there.
        .executableTarget(name: "readme-example", dependencies: ["Rootfast"], path: "Tests/ReadmeExample"),
        .testTarget(name: "ReadmeTests", dependencies: ["readme-example"]),
        .testTarget(name: "HashingTests", dependencies: ["SeededRandom", "Hashing", "CHashing", "Clibb2"]),
        .testTarget(name: "StrictJSONTests", dependencies: ["SeededRandom", "StrictJSON"]),
        .testTarget(
            name: "StateTreeTests", dependencies: ["SeededRandom", "StateTree", "Hashing", "Threading"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "RootfastTests",
            dependencies: [
                "SeededRandom", "Rootfast", "SpecSupport", "CommitLog", "StateTree", "SQLite", "StrictJSON", "Hashing",
                "FuzzSubjects",
            ]),
        .testTarget(name: "SpecSupportTests", dependencies: ["SpecSupport", "SeededRandom"]),
        .testTarget(name: "RootfastCodableTests", dependencies: ["RootfastCodable", "Rootfast", "SpecSupport"]),
        // What is fuzzed: one function a subject, for the fuzzer and for the replay of what it kept.
        .target(
            name: "FuzzSubjects",
            dependencies: [
                "Rootfast", "StateTree", "CommitLog", "SQLite", "StrictJSON", "Hashing", "SpecSupport",
            ],
            path: "Specs/Fuzz/Subjects"),
        // What the crash specs kill.
        .executableTarget(
            name: "crash-subject", dependencies: ["Rootfast", "CommitLog", "SeededRandom"], path: "Specs/Subject"),
        .testTarget(
            name: "Laws",
            dependencies: [
                "SeededRandom", "Rootfast", "StateTree", "CommitLog", "SQLite", "StrictJSON", "Hashing", "SpecSupport",
                "FuzzSubjects", "rootfast-tool", "crash-subject",
            ],
            path: "Specs/Laws",
            exclude: ["Crashes/power_loss.py", "canonical_line.py", "proof_oracle.py", "root_oracle.py"]),
        .testTarget(name: "ToolTests", dependencies: ["rootfast-tool", "Rootfast"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "CommitLogTests", dependencies: ["SpecSupport", "SeededRandom", "CommitLog", "StrictJSON", "Hashing"]),
    ]
)

// Links with `-sanitize=fuzzer` only: for `tools/fuzz`, and in nobody else's way.
if Context.environment["ROOTFAST_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(name: "fuzz", dependencies: ["FuzzSubjects"], path: "Specs/Fuzz/Driver"))
}

// One place for the settings of every Swift target.
for target in package.targets where target.type != .system && !["CHashing", "CMemory"].contains(target.name) {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
