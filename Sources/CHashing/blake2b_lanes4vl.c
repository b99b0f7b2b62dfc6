// Four lanes in AVX-512VL, which rotates in one instruction: beside eight lanes, for the few that would not fill them.
#if defined(__x86_64__)
#define LANES 4
#define TARGET __attribute__((target("avx512f,avx512vl")))
#define BLAKE2B_NODES blake2b_nodes_lanes4vl
#define BLAKE2B_COMPRESS blake2b_compress_lanes4vl
#include "blake2b_lanes.h"
#endif
