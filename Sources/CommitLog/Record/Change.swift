/// One change of a transaction: a key and its new value, or `nil` where the key is deleted.
package struct Change: Hashable, Sendable {
    package var key: [UInt8]
    package var value: [UInt8]?

    package init(key: [UInt8], value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}
