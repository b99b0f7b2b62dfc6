// What Swift has no words for: asking the processor for memory ahead of use, and words in raw memory that several
// threads touch at once.
#pragma once

#include <stdint.h>

// Asks for the cache line that holds `address`. A hint: any address is allowed, and nothing is read.
static inline void rootfast_prefetch(const void *address) { __builtin_prefetch(address); }

// What was written before the store of a word is seen by whoever loads it.
static inline int64_t rootfast_load_acquire(const int64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void rootfast_store_release(int64_t *word, int64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

// In one order with every other call of these three, for all threads.
static inline int64_t rootfast_load(const int64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
static inline void rootfast_add(int64_t *word, int64_t change) { __atomic_fetch_add(word, change, __ATOMIC_SEQ_CST); }
// Stores `wanted` if the word is `expected`; 1 if it was.
static inline int rootfast_exchange(int64_t *word, int64_t expected, int64_t wanted) {
    return __atomic_compare_exchange_n(word, &expected, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// A number below 16 that threads, having stacks of their own, seldom share.
static inline unsigned rootfast_thread_stripe(void) {
    uint64_t stack = (uint64_t)(uintptr_t)__builtin_frame_address(0) >> 20;
    return (unsigned)((stack * 0x9e3779b97f4a7c15u) >> 60);
}
