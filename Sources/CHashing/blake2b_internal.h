// What the scalar code, the kernels and the batches share.
#pragma once

#include "rootfast_blake2b.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded and stored in memory order");

enum { BLOCK = 128, DIGEST = 32 };

// RFC 7693, section 2.6.
#define BLAKE2B_IV0 0x6a09e667f3bcc908
#define BLAKE2B_IV1 0xbb67ae8584caa73b
#define BLAKE2B_IV2 0x3c6ef372fe94f82b
#define BLAKE2B_IV3 0xa54ff53a5f1d36f1
#define BLAKE2B_IV4 0x510e527fade682d1
#define BLAKE2B_IV5 0x9b05688c2b3e6c1f
#define BLAKE2B_IV6 0x1f83d9abfb41bd6b
#define BLAKE2B_IV7 0x5be0cd19137e2179

static const uint64_t BLAKE2B_IV[8] = {
    BLAKE2B_IV0, BLAKE2B_IV1, BLAKE2B_IV2, BLAKE2B_IV3, BLAKE2B_IV4, BLAKE2B_IV5, BLAKE2B_IV6, BLAKE2B_IV7,
};

// The state before the first block: the IV, with the parameters "fan-out 1, depth 1, no key, 32-byte digest".
static const uint64_t BLAKE2B_START[8] = {
    BLAKE2B_IV0 ^ 0x01010000 ^ DIGEST,
    BLAKE2B_IV1, BLAKE2B_IV2, BLAKE2B_IV3, BLAKE2B_IV4, BLAKE2B_IV5, BLAKE2B_IV6, BLAKE2B_IV7,
};

// RFC 7693, section 2.7; rounds 10 and 11 repeat rounds 0 and 1.
static const uint8_t BLAKE2B_SIGMA[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
};

// Compresses one block into `state`. `total` counts the message's bytes up to and with this block; `last` is all ones
// for the last block, else 0. Messages stay under 2^64 bytes, so the counter's upper word is always 0.
void blake2b_compress(uint64_t state[8], const uint8_t block[BLOCK], uint64_t total, uint64_t last);

// The longest key, and room for the longest leaf in whole blocks.
enum { KEY_MAX = 1024, LEAF_SPACE = (5 + KEY_MAX + DIGEST + BLOCK - 1) / BLOCK * BLOCK };

// A message on its way through a kernel.
struct lane {
    uint64_t state[8];
    const uint8_t *next;  // the next block
    uint64_t total;       // the message's bytes up to and with the next block
    uint64_t last;        // all ones if the next block is the last, else 0
    size_t full;          // blocks before the last one that are still to come
    const uint8_t *tail;  // the last block, zeros included
    uint64_t length;      // bytes of the whole message
    uint8_t *digest;
    uint8_t space[LEAF_SPACE];  // holds what is not whole blocks of the caller's memory
};

// The kernels; each runs two vectors of lanes side by side, since the processor waits for the results of one alone.
enum { VECTORS = 2 };

// Nodes of one batch, 1...VECTORS * lanes.
void blake2b_nodes_lanes4(const rootfast_node_job *jobs, size_t count);
void blake2b_nodes_lanes8(const rootfast_node_job *jobs, size_t count);
void blake2b_nodes_lanes4vl(const rootfast_node_job *jobs, size_t count);

// Compresses the next `blocks` blocks of each of 1...VECTORS * lanes messages. Changes nothing but their states.
void blake2b_compress_lanes4(struct lane *const *lanes, size_t count, size_t blocks);
void blake2b_compress_lanes8(struct lane *const *lanes, size_t count, size_t blocks);
void blake2b_compress_lanes4vl(struct lane *const *lanes, size_t count, size_t blocks);
