import Foundation

/// Folders for stores.
enum Folder {
    static func make(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    static func copy(_ path: String, to copy: String) throws {
        remove(copy)
        try FileManager.default.copyItem(atPath: path, toPath: copy)
    }
}
