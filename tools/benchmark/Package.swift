// swift-tools-version: 6.2
import PackageDescription

// The benchmark of Rootfast beside other embedded stores: a package of its own, so that users of Rootfast need none of
// what it is compared with. Run it by tools/bench.
let package = Package(
    name: "rootfast-benchmark",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "rootfast", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        // The C interfaces of SQLite, LMDB, RocksDB and LevelDB, from the system.
        .systemLibrary(
            name: "CPeers",
            providers: [
                .apt(["libsqlite3-dev", "liblmdb-dev", "librocksdb-dev", "libleveldb-dev"]),
                .brew(["sqlite", "lmdb", "rocksdb", "leveldb"]),
            ]),
        .executableTarget(
            name: "benchmark",
            dependencies: [
                "CPeers",
                .product(name: "Rootfast", package: "rootfast"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ]
)

// One place for the settings of every Swift target.
for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
