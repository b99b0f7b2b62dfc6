// Batches: shares the jobs out to the lanes of a kernel. A message alone goes through the scalar code, since a kernel
// takes as long for one message as for all its lanes; from two messages on, the kernel wins.

#include "blake2b_internal.h"

enum { LANES_MAX = VECTORS * ROOTFAST_LANES8 };

int rootfast_kernel_supported(rootfast_kernel kernel) {
    switch (kernel) {
    case ROOTFAST_SCALAR: return 1;
#if defined(__x86_64__)
    case ROOTFAST_LANES4: return __builtin_cpu_supports("avx2") != 0;
    case ROOTFAST_LANES8: return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#endif
    default: return 0;
    }
}

// The functions of one width of lanes.
struct lanes_code {
    void (*nodes)(const rootfast_node_job *jobs, size_t count);
    void (*compress)(struct lane *const *lanes, size_t count, size_t blocks);
};

// What a kernel brings. It takes `width` messages at a time, and has another code for up to `few`, which would leave most
// of its lanes idle. The scalar code takes one message, and brings nothing.
struct code {
    size_t width, few;
    struct lanes_code many, some;
};

static struct code code_of(rootfast_kernel kernel) {
    switch (kernel) {
#if defined(__x86_64__)
    case ROOTFAST_LANES4:
        return (struct code){.width = VECTORS * ROOTFAST_LANES4, .many = {blake2b_nodes_lanes4, blake2b_compress_lanes4}};
    case ROOTFAST_LANES8:
        return (struct code){
            VECTORS * ROOTFAST_LANES8, ROOTFAST_LANES4, {blake2b_nodes_lanes8, blake2b_compress_lanes8},
            {blake2b_nodes_lanes4vl, blake2b_compress_lanes4vl}};
#endif
    default: return (struct code){.width = 1};
    }
}

static inline struct lanes_code lanes_for(struct code code, size_t count) {
    return count <= code.few ? code.some : code.many;
}

static void hash_node(const rootfast_node_job *job) {
    uint8_t message[5 + 2 * DIGEST];
    uint32_t bit = __builtin_bswap32(job->bit);
    message[0] = 1;
    memcpy(message + 1, &bit, 4);
    memcpy(message + 5, job->left, DIGEST);
    memcpy(message + 5 + DIGEST, job->right, DIGEST);
    rootfast_blake2b256(message, sizeof message, job->digest);
}

void rootfast_hash_nodes(rootfast_kernel kernel, const rootfast_node_job *jobs, size_t count) {
    struct code code = code_of(kernel);
    while (code.width > 1 && count > 1) {
        size_t taken = count < code.width ? count : code.width;
        // A whole vector and a few are faster apart.
        if (taken > code.width / VECTORS && taken - code.width / VECTORS <= code.few) taken = code.width / VECTORS;
        lanes_for(code, taken).nodes(jobs, taken);
        jobs += taken, count -= taken;
    }
    for (; count > 0; jobs++, count--) hash_node(jobs);
}

// Sets a lane to the start of a message whose last block, zeros included, is at `tail`.
static inline void start(
    struct lane *lane, const uint8_t *message, size_t length, const uint8_t *tail, uint8_t *digest) {
    memcpy(lane->state, BLAKE2B_START, sizeof lane->state);
    lane->next = message;
    lane->total = BLOCK;
    lane->last = 0;
    lane->full = length > 0 ? (length - 1) / BLOCK : 0;
    lane->tail = tail;
    lane->length = length;
    lane->digest = digest;
}

static inline void take_message(struct lane *lane, const void *jobs, size_t index) {
    const rootfast_message_job *job = (const rootfast_message_job *)jobs + index;
    size_t before = job->length > 0 ? (job->length - 1) / BLOCK * BLOCK : 0;
    const uint8_t *tail = job->length > 0 ? job->message + before : NULL;
    if (job->length - before < BLOCK) {
        memset(lane->space, 0, BLOCK);
        if (job->length > 0) memcpy(lane->space, tail, job->length - before);
        tail = lane->space;
    }
    start(lane, job->message, job->length, tail, job->digest);
}

static inline void take_leaf(struct lane *lane, const void *jobs, size_t index) {
    const rootfast_leaf_job *job = (const rootfast_leaf_job *)jobs + index;
    if (job->key_length > KEY_MAX) __builtin_trap();
    size_t length = 5 + job->key_length + DIGEST;
    size_t before = (length - 1) / BLOCK * BLOCK;
    uint32_t prefix = __builtin_bswap32(job->key_length);
    memset(lane->space + before, 0, BLOCK);
    lane->space[0] = 0;
    memcpy(lane->space + 1, &prefix, 4);
    memcpy(lane->space + 5, job->key, job->key_length);
    memcpy(lane->space + 5 + job->key_length, job->value_digest, DIGEST);
    start(lane, lane->space, length, lane->space + before, job->digest);
}

static inline void finish_alone(struct lane *lane) {
    for (; lane->full > 0; lane->full--, lane->next += BLOCK, lane->total += BLOCK) {
        blake2b_compress(lane->state, lane->next, lane->total, 0);
    }
    blake2b_compress(lane->state, lane->tail, lane->length, UINT64_MAX);
    memcpy(lane->digest, lane->state, DIGEST);
}

// Takes every lane forward by as many blocks as all have before their last one; if one has none, by its last block and
// by one block of the others.
static inline void advance(struct code code, struct lane *const *lanes, size_t count) {
    size_t blocks = SIZE_MAX;
    for (size_t i = 0; i < count; i++) blocks = lanes[i]->full < blocks ? lanes[i]->full : blocks;
    if (blocks == 0) {
        blocks = 1;
        for (size_t i = 0; i < count; i++) {
            struct lane *lane = lanes[i];
            if (lane->full == 0) lane->next = lane->tail, lane->total = lane->length, lane->last = UINT64_MAX;
        }
    }
    lanes_for(code, count).compress(lanes, count, blocks);
    for (size_t i = 0; i < count; i++) {
        lanes[i]->next += blocks * BLOCK;
        lanes[i]->total += blocks * BLOCK;
        lanes[i]->full -= blocks;  // of no meaning for a lane that is done
    }
}

typedef void take_job(struct lane *lane, const void *jobs, size_t index);

// A lane whose message is done takes the next job at once, so that messages of any lengths keep all lanes busy.
static inline __attribute__((always_inline)) void run(
    rootfast_kernel kernel, const void *jobs, size_t count, take_job *take) {
    struct code code = code_of(kernel);
    struct lane lanes[LANES_MAX], *active[LANES_MAX];
    size_t started = 0, busy = 0;
    for (; started < count && started < code.width; started++) {
        take(&lanes[started], jobs, started);
        active[busy++] = &lanes[started];
    }
    while (busy > 1) {
        advance(code, active, busy);
        for (size_t i = 0; i < busy;) {
            if (!active[i]->last) {
                i++;
                continue;
            }
            memcpy(active[i]->digest, active[i]->state, DIGEST);
            if (started < count) {
                take(active[i++], jobs, started++);
            } else {
                active[i] = active[--busy];
            }
        }
    }
    if (busy == 0) return;
    finish_alone(active[0]);
    for (; started < count; started++) {
        take(active[0], jobs, started);
        finish_alone(active[0]);
    }
}

void rootfast_hash_leaves(rootfast_kernel kernel, const rootfast_leaf_job *jobs, size_t count) {
    run(kernel, jobs, count, take_leaf);
}

void rootfast_hash_messages(rootfast_kernel kernel, const rootfast_message_job *jobs, size_t count) {
    run(kernel, jobs, count, take_message);
}
