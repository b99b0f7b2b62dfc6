/// The finaliser of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): a bijection
/// that looks random.
@inline(__always)
func mixed(_ number: UInt64) -> UInt64 {
    var bits = number &+ 0x9e37_79b9_7f4a_7c15
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
}

/// The low four bits of each byte as a letter from `a` to `p`.
@inline(__always)
func letters(_ bits: UInt64) -> UInt64 { (bits & 0x0f0f_0f0f_0f0f_0f0f) &+ 0x6161_6161_6161_6161 }
