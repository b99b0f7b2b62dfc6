/// The shape of the data, the same for every engine.
enum Shape {
    static let keyLength = 16
    static let valueLength = 100
    static let entryLength = keyLength + valueLength
    /// How many keys a measured commit overwrites.
    static let keysPerCommit = 4
    /// How many keys a commit of a bulk load holds.
    static let keysPerLoad = 1000
}
