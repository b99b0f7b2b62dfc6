/// One change of a parsed PREPARE. The bytes lie in the parsed line or in the `ParsedFlush`:
/// they are valid while the line's memory is, and until `removeAll()`.
package struct ParsedChange {
    package var key: UnsafeRawBufferPointer
    /// `nil`: the key is deleted.
    package var value: UnsafeRawBufferPointer?

    /// A copy that outlives the line.
    package var copy: Change {
        Change(key: Array(key), value: value.map { Array($0) })
    }
}
