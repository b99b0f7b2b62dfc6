// What Swift has no words for: asking the processor for memory ahead of use.
#pragma once

// Asks for the cache line that holds `address`. A hint: any address is allowed, and nothing is read.
static inline void rootfast_prefetch(const void *address) { __builtin_prefetch(address); }
