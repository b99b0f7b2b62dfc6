// A kernel: many messages hashed at once, each in its own lane of vector registers. The file that includes this defines
// LANES (4 or 8), TARGET (the instructions), and the names BLAKE2B_NODES and BLAKE2B_COMPRESS.

#include "blake2b_internal.h"

#define INLINE static inline __attribute__((always_inline)) TARGET

// Word by word, one message a lane.
typedef uint64_t word __attribute__((vector_size(8 * LANES)));
// Four words of one message.
typedef uint64_t quad __attribute__((vector_size(32)));

#include "blake2b_round.h"

#if LANES == 8
#define EVEN_WORDS 0, 8, 2, 10, 4, 12, 6, 14
#define ODD_WORDS 1, 9, 3, 11, 5, 13, 7, 15
#define EVEN_PAIRS 0, 1, 8, 9, 4, 5, 12, 13
#define ODD_PAIRS 2, 3, 10, 11, 6, 7, 14, 15
#else
#define EVEN_WORDS 0, 4, 2, 6
#define ODD_WORDS 1, 5, 3, 7
#define EVEN_PAIRS 0, 1, 4, 5
#define ODD_PAIRS 2, 3, 6, 7
#endif

// Row i holds four words of message i, and with eight lanes, behind them, of message i + 4. Turns the rows into four
// words of every message, and back.
INLINE void transpose(word rows[4]) {
    word a = __builtin_shufflevector(rows[0], rows[1], EVEN_WORDS);
    word b = __builtin_shufflevector(rows[0], rows[1], ODD_WORDS);
    word c = __builtin_shufflevector(rows[2], rows[3], EVEN_WORDS);
    word d = __builtin_shufflevector(rows[2], rows[3], ODD_WORDS);
    rows[0] = __builtin_shufflevector(a, c, EVEN_PAIRS);
    rows[1] = __builtin_shufflevector(b, d, EVEN_PAIRS);
    rows[2] = __builtin_shufflevector(a, c, ODD_PAIRS);
    rows[3] = __builtin_shufflevector(b, d, ODD_PAIRS);
}

INLINE quad load_quad(const uint8_t *bytes) {
    quad words;
    memcpy(&words, bytes, sizeof words);
    return words;
}

// Reads four words of every message, from 32 bytes each.
INLINE void load(word words[4], const uint8_t *const bytes[LANES]) {
    UNROLL for (int i = 0; i < 4; i++) {
#if LANES == 8
        words[i] = __builtin_shufflevector(load_quad(bytes[i]), load_quad(bytes[i + 4]), 0, 1, 2, 3, 4, 5, 6, 7);
#else
        words[i] = load_quad(bytes[i]);
#endif
    }
    transpose(words);
}

// Writes four words of every message, to 32 bytes each.
INLINE void store(const word words[4], uint8_t *const bytes[LANES]) {
    word rows[4] = {words[0], words[1], words[2], words[3]};
    transpose(rows);
    UNROLL for (int i = 0; i < 4; i++) {
        quad low = __builtin_shufflevector(rows[i], rows[i], 0, 1, 2, 3);
        memcpy(bytes[i], &low, sizeof low);
#if LANES == 8
        quad high = __builtin_shufflevector(rows[i], rows[i], 4, 5, 6, 7);
        memcpy(bytes[i + 4], &high, sizeof high);
#endif
    }
}

// One block of every message in 1 or 2 vectors. The rounds stay a loop: its code is small, and unrolled the compiler
// would put one vector's rounds behind the other's.
INLINE void compress(word h[][8], word m[][16], const word total[], const word last[], const size_t vectors) {
    word v[VECTORS][16];
    UNROLL for (size_t k = 0; k < vectors; k++) open_block(v[k], h[k], total[k], last[k]);
#pragma clang loop unroll(disable)
    for (int round = 0; round < 12; round++) {
        UNROLL for (size_t k = 0; k < vectors; k++) half_round(v[k], m[k], BLAKE2B_SIGMA[round], 0);
        UNROLL for (size_t k = 0; k < vectors; k++) half_round(v[k], m[k], BLAKE2B_SIGMA[round] + 8, 1);
    }
    UNROLL for (size_t k = 0; k < vectors; k++) close_block(h[k], v[k]);
}

// The words of the 69 bytes 0x01 || u32be(bit) || left || right, which are five bytes off the words of the digests.
INLINE void load_nodes(word m[16], const rootfast_node_job *const jobs[LANES]) {
    const uint8_t *left[LANES], *right[LANES];
    word children[8], head;
    UNROLL for (int i = 0; i < LANES; i++) {
        left[i] = jobs[i]->left;
        right[i] = jobs[i]->right;
        head[i] = (uint64_t)__builtin_bswap32(jobs[i]->bit) << 8 | 1;
    }
    load(children, left);
    load(children + 4, right);
    m[0] = head | children[0] << 40;
    UNROLL for (int i = 1; i < 8; i++) m[i] = children[i - 1] >> 24 | children[i] << 40;
    m[8] = children[7] >> 24;
    UNROLL for (int i = 9; i < 16; i++) m[i] = (word){0};
}

// Idle lanes repeat the first job, and write its digest again.
INLINE void hash_nodes(const rootfast_node_job *jobs, size_t count, const size_t vectors) {
    const rootfast_node_job *lanes[VECTORS][LANES];
    word h[VECTORS][8], m[VECTORS][16], total[VECTORS], last[VECTORS];
    UNROLL for (size_t k = 0; k < vectors; k++) {
        UNROLL for (size_t i = 0; i < LANES; i++) lanes[k][i] = &jobs[k * LANES + i < count ? k * LANES + i : 0];
        load_nodes(m[k], lanes[k]);
        UNROLL for (int i = 0; i < 8; i++) h[k][i] = (word){0} + BLAKE2B_START[i];
        total[k] = (word){0} + (5 + 2 * DIGEST);
        last[k] = ~(word){0};
    }
    compress(h, m, total, last, vectors);
    UNROLL for (size_t k = 0; k < vectors; k++) {
        uint8_t *digests[LANES];
        UNROLL for (int i = 0; i < LANES; i++) digests[i] = lanes[k][i]->digest;
        store(h[k], digests);
    }
}

TARGET void BLAKE2B_NODES(const rootfast_node_job *jobs, size_t count) {
    if (count > LANES) {
        hash_nodes(jobs, count, 2);
    } else {
        hash_nodes(jobs, count, 1);
    }
}

// Both halves of the states of one vector's lanes, or the four quarters of their blocks.
INLINE void load_quads(word *words, const uint8_t *const bytes[LANES], const int quads) {
    UNROLL for (int q = 0; q < quads; q++) {
        const uint8_t *parts[LANES];
        UNROLL for (int i = 0; i < LANES; i++) parts[i] = bytes[i] + 32 * q;
        load(words + 4 * q, parts);
    }
}

INLINE void compress_lanes(struct lane *const *lanes, size_t count, size_t blocks, const size_t vectors) {
    uint8_t *states[VECTORS][LANES], *second_halves[VECTORS][LANES];
    const uint8_t *next[VECTORS][LANES];
    word h[VECTORS][8], m[VECTORS][16], total[VECTORS], last[VECTORS];
    UNROLL for (size_t k = 0; k < vectors; k++) {
        UNROLL for (size_t i = 0; i < LANES; i++) {
            struct lane *lane = lanes[k * LANES + i < count ? k * LANES + i : 0];
            states[k][i] = (uint8_t *)lane->state;
            second_halves[k][i] = (uint8_t *)(lane->state + 4);
            next[k][i] = lane->next;
            total[k][i] = lane->total;
            last[k][i] = lane->last;
        }
        load_quads(h[k], (const uint8_t *const *)states[k], 2);
    }
    for (; blocks > 0; blocks--) {
        UNROLL for (size_t k = 0; k < vectors; k++) load_quads(m[k], next[k], 4);
        compress(h, m, total, last, vectors);
        UNROLL for (size_t k = 0; k < vectors; k++) {
            total[k] += BLOCK;
            UNROLL for (int i = 0; i < LANES; i++) next[k][i] += BLOCK;
        }
    }
    UNROLL for (size_t k = 0; k < vectors; k++) {
        store(h[k], states[k]);
        store(h[k] + 4, second_halves[k]);
    }
}

TARGET void BLAKE2B_COMPRESS(struct lane *const *lanes, size_t count, size_t blocks) {
    if (count > LANES) {
        compress_lanes(lanes, count, blocks, 2);
    } else {
        compress_lanes(lanes, count, blocks, 1);
    }
}
