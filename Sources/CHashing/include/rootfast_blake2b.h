// BLAKE2b (RFC 7693) with a 32-byte digest and no key: one message, a stream, or a batch of messages in vector lanes.
//
// Nothing here allocates, locks or keeps state between calls; every function is safe to call from any thread.
// No pointer needs any alignment.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The digest of one message, by the scalar code. `message` may be null if `length` is 0. About 90 ns a 128-byte block.
void rootfast_blake2b256(const void *message, size_t length, uint8_t digest[32]);

// A message that comes in pieces. It owns nothing: copy it to fork the stream, drop it to abandon it.
typedef struct {
    uint64_t state[8];
    // Bytes compressed so far; those that wait in `pending` are not counted.
    uint64_t compressed;
    uint8_t pending[128];
    uint32_t pending_length;
} rootfast_blake2b_stream;

void rootfast_blake2b_init(rootfast_blake2b_stream *stream);
void rootfast_blake2b_update(rootfast_blake2b_stream *stream, const void *bytes, size_t length);
// Leaves the stream as it was, so that a digest can be taken on the way.
void rootfast_blake2b_final(const rootfast_blake2b_stream *stream, uint8_t digest[32]);

// Which code hashes a batch. The number is the count of messages hashed at once.
typedef enum {
    ROOTFAST_SCALAR = 1,
    ROOTFAST_LANES4 = 4,  // AVX2
    ROOTFAST_LANES8 = 8,  // AVX-512F and VL
} rootfast_kernel;

// 1 if this processor, and the operating system on it, can run the kernel, else 0.
int rootfast_kernel_supported(rootfast_kernel kernel);

// An inner node: digest = H(0x01 || u32be(bit) || left (32 bytes) || right (32 bytes)).
typedef struct {
    const uint8_t *left, *right;
    uint8_t *digest;
    uint32_t bit;
} rootfast_node_job;

// A leaf: digest = H(0x00 || u32be(key_length) || key || value_digest (32 bytes)); key_length is
// 1...1024; a longer key ends the process.
typedef struct {
    const uint8_t *key;
    uint32_t key_length;
    const uint8_t *value_digest;
    uint8_t *digest;
} rootfast_leaf_job;

// Any message: digest = H(message). `message` may be null if `length` is 0.
typedef struct {
    const uint8_t *message;
    size_t length;
    uint8_t *digest;
} rootfast_message_job;

// Batches. The kernel must be supported. The jobs of one call are independent and are done in any order: a digest may
// overwrite an input of its own job, but must not touch an input or a digest of another.
void rootfast_hash_nodes(rootfast_kernel kernel, const rootfast_node_job *jobs, size_t count);
void rootfast_hash_leaves(rootfast_kernel kernel, const rootfast_leaf_job *jobs, size_t count);
void rootfast_hash_messages(rootfast_kernel kernel, const rootfast_message_job *jobs, size_t count);
