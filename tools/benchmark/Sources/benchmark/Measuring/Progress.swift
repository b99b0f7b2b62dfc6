import Foundation

/// What is going on, for whoever waits; results are not written here.
enum Progress {
    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
