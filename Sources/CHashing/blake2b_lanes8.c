// Eight lanes in AVX-512F, which rotates in one instruction.
#if defined(__x86_64__)
#define LANES 8
#define TARGET __attribute__((target("avx512f")))
#define BLAKE2B_NODES blake2b_nodes_lanes8
#define BLAKE2B_COMPRESS blake2b_compress_lanes8
#include "blake2b_lanes.h"
#endif
