public import CHashing

/// The code that hashes a batch: how many messages it runs at once, in the lanes of vector registers.
///
/// Every kernel gives the same digests; they differ in speed alone. There is no current kernel: whoever hashes holds
/// the one that it chose.
@frozen
public enum HashKernel: Int32, Sendable, CaseIterable {
    /// Plain C, one message after the other; runs anywhere.
    case scalar = 1
    /// Lanes of four, in AVX2.
    case lanes4 = 4
    /// Lanes of eight, in AVX-512F and VL.
    case lanes8 = 8

    /// Whether this processor, and the operating system on it, can run the kernel. To hash with another is a bug of the
    /// caller, and undefined.
    public var isSupported: Bool { rootfast_kernel_supported(code) != 0 }

    @inlinable
    var code: rootfast_kernel { rootfast_kernel(rawValue: UInt32(truncatingIfNeeded: rawValue)) }
}
