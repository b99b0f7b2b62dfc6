/// The sizes that the root's definition allows.
public enum Limits {
    /// A key has 1 to this many bytes.
    public static let keyBytesMax = 1024
    /// A value has 0 to this many bytes (16 MiB).
    public static let valueBytesMax = 16 << 20
    /// The most bits a key has in its 9-bits-a-byte form, and so the longest path of a proof.
    public static let keyBitsMax = 9 * keyBytesMax + 1
}
