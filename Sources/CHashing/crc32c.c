// CRC-32C three ways: by the processor's instruction, in three lanes if the input is long enough, and by tables.
//
// Inside, a checksum is the plain remainder; the all-ones before and after are put on and taken off at the edges.

#include "rootfast_crc32c.h"

#include <string.h>

#include "crc32c_tables.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded in memory order");

static inline uint64_t load_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// Eight bytes a step, one table for each (Kounavis and Berry, "A Systematic Approach to Building High Performance
// Software-based CRC Generators", 2005).
uint32_t rootfast_crc32c_tables(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *next = bytes;
    crc = ~crc;
    for (; length >= 8; next += 8, length -= 8) {
        uint64_t word = load_word(next) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++) crc ^= CRC32C_SLICES[7 - i][word >> 8 * i & 255];
    }
    for (; length > 0; next++, length--) crc = crc >> 8 ^ CRC32C_SLICES[0][(crc ^ *next) & 255];
    return ~crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>
#include <wmmintrin.h>

#define HARDWARE __attribute__((target("sse4.2,pclmul")))

int rootfast_crc32c_hardware_supported(void) {
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

// Words in a lane at most, so that the powers needed to join the lanes are in the table.
enum { LANE_WORDS_MAX = sizeof CRC32C_WORDS / sizeof *CRC32C_WORDS / 2 };
// Bytes from which three lanes are faster than one, joining them included; no fewer than the 24 of one step.
enum { LANES_BYTES_MIN = 96 };

// The product of `crc` and the power that moves it `words` words on, not yet reduced.
HARDWARE static inline __m128i move_on(uint64_t crc, size_t words) {
    return _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi32_si128((int)CRC32C_WORDS[words]), 0);
}

// The instruction takes three cycles but can start every cycle: three parts of the input run side by side, and are
// joined by moving the checksums of the first two on (Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using
// CRC32 Instruction", Intel 2011).
HARDWARE static uint64_t three_lanes(uint64_t crc, const uint8_t *bytes, size_t words) {
    uint64_t second = 0, third = 0;
    for (const uint8_t *end = bytes + 8 * words; bytes < end; bytes += 8) {
        crc = _mm_crc32_u64(crc, load_word(bytes));
        second = _mm_crc32_u64(second, load_word(bytes + 8 * words));
        third = _mm_crc32_u64(third, load_word(bytes + 16 * words));
    }
    __m128i moved = _mm_xor_si128(move_on(crc, 2 * words), move_on(second, words));
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(moved)) ^ third;
}

HARDWARE uint32_t rootfast_crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *next = bytes;
    uint64_t lane = ~crc;
    while (length >= LANES_BYTES_MIN) {
        size_t words = length / 24 < LANE_WORDS_MAX ? length / 24 : LANE_WORDS_MAX;
        lane = three_lanes(lane, next, words);
        next += 24 * words, length -= 24 * words;
    }
    for (; length >= 8; next += 8, length -= 8) lane = _mm_crc32_u64(lane, load_word(next));
    for (; length > 0; next++, length--) lane = _mm_crc32_u8((uint32_t)lane, *next);
    return ~(uint32_t)lane;
}

#elif defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

int rootfast_crc32c_hardware_supported(void) { return 1; }

uint32_t rootfast_crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *next = bytes;
    crc = ~crc;
    for (; length >= 8; next += 8, length -= 8) crc = __crc32cd(crc, load_word(next));
    for (; length > 0; next++, length--) crc = __crc32cb(crc, *next);
    return ~crc;
}

#else

int rootfast_crc32c_hardware_supported(void) { return 0; }

uint32_t rootfast_crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
    return rootfast_crc32c_tables(crc, bytes, length);
}

#endif

uint32_t rootfast_crc32c(uint32_t crc, const void *bytes, size_t length) {
    if (rootfast_crc32c_hardware_supported()) return rootfast_crc32c_hardware(crc, bytes, length);
    return rootfast_crc32c_tables(crc, bytes, length);
}

// The product of two polynomials modulo that of CRC-32C; the lowest power is in the highest bit.
static uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (; a != 0; a <<= 1) {
        product ^= b & -(a >> 31);
        b = b >> 1 ^ (0x82f63b78 & -(b & 1));
    }
    return product;
}

// The all-ones at the edges cancel out, as both checksums of the law carry them.
uint32_t rootfast_crc32c_shift(uint32_t crc, uint64_t length) {
    for (int bit = 0; length > 0; bit++, length >>= 1) {
        if (length & 1) crc = multiply(crc, CRC32C_BYTES[bit]);
    }
    return crc;
}
