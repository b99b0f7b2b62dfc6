// Four lanes in AVX2. The target is set on the kernel alone: scalar BLAKE2b for a newer processor came out slower.
#if defined(__x86_64__)
#define LANES 4
#define TARGET __attribute__((target("avx2")))
#define BLAKE2B_NODES blake2b_nodes_lanes4
#define BLAKE2B_COMPRESS blake2b_compress_lanes4
#include "blake2b_lanes.h"
#endif
