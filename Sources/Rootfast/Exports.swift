// What the public API speaks of, so that `import Rootfast` is enough.
@_exported public import struct Hashing.Digest
@_exported public import enum StateTree.Limits
@_exported public import enum StateTree.Membership
@_exported public import struct StateTree.Proof
@_exported public import enum StateTree.ProofError
@_exported public import struct StateTree.RangeProof
