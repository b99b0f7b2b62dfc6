import Foundation

/// A folder's path that is gone, with all that is in it, when this is released. It is not made.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() { path = NSTemporaryDirectory() + "rootfast-" + UUID().uuidString }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
