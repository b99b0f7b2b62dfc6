// Scalar BLAKE2b-256: one message, or a stream. The fallback everywhere, and the fastest for a message alone.

#include "blake2b_internal.h"

#define INLINE static inline __attribute__((always_inline))
typedef uint64_t word;

#include "blake2b_round.h"

void blake2b_compress(uint64_t state[8], const uint8_t block[BLOCK], uint64_t total, uint64_t last) {
    word m[16], v[16];
    memcpy(m, block, BLOCK);
    open_block(v, state, total, last);
    UNROLL for (int round = 0; round < 12; round++) {
        half_round(v, m, BLAKE2B_SIGMA[round], 0);
        half_round(v, m, BLAKE2B_SIGMA[round] + 8, 1);
    }
    close_block(state, v);
}

// Compresses the 0...128 bytes that end a message.
static void finish(uint64_t state[8], const uint8_t *tail, size_t length, uint64_t total, uint8_t digest[32]) {
    uint8_t block[BLOCK] = {0};
    if (length > 0) memcpy(block, tail, length);
    blake2b_compress(state, block, total, UINT64_MAX);
    memcpy(digest, state, DIGEST);
}

void rootfast_blake2b256(const void *message, size_t length, uint8_t digest[32]) {
    const uint8_t *bytes = message;
    size_t done = 0;
    uint64_t state[8];
    memcpy(state, BLAKE2B_START, sizeof state);
    // The last block is kept back even if it is full: it alone carries the flag.
    for (; length - done > BLOCK; done += BLOCK) blake2b_compress(state, bytes + done, done + BLOCK, 0);
    finish(state, length > 0 ? bytes + done : NULL, length - done, length, digest);
}

void rootfast_blake2b_init(rootfast_blake2b_stream *stream) {
    memset(stream, 0, sizeof *stream);
    memcpy(stream->state, BLAKE2B_START, sizeof stream->state);
}

void rootfast_blake2b_update(rootfast_blake2b_stream *stream, const void *bytes, size_t length) {
    const uint8_t *next = bytes;
    if (length == 0) return;
    size_t room = BLOCK - stream->pending_length;
    // Whatever comes last stays pending, since only `final` knows that no more follows.
    if (length > room) {
        if (stream->pending_length > 0) {
            memcpy(stream->pending + stream->pending_length, next, room);
            blake2b_compress(stream->state, stream->pending, stream->compressed += BLOCK, 0);
            next += room, length -= room, stream->pending_length = 0;
        }
        for (; length > BLOCK; next += BLOCK, length -= BLOCK) {
            blake2b_compress(stream->state, next, stream->compressed += BLOCK, 0);
        }
    }
    memcpy(stream->pending + stream->pending_length, next, length);
    stream->pending_length += (uint32_t)length;
}

void rootfast_blake2b_final(const rootfast_blake2b_stream *stream, uint8_t digest[32]) {
    uint64_t state[8];
    memcpy(state, stream->state, sizeof state);
    finish(state, stream->pending, stream->pending_length, stream->compressed + stream->pending_length, digest);
}
