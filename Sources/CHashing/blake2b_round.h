// A round of BLAKE2b (RFC 7693, section 3.2) over `word`: a 64-bit word, or a vector of them with one message a lane.
// The file that includes this defines `word`, and INLINE with the target that the vectors need.

#define UNROLL _Pragma("clang loop unroll(full)")

INLINE word rotate_right(word x, const int n) { return x >> n | x << (64 - n); }

// Half a round: the function G on the four columns (turn 0) or the four diagonals (turn 1), step by step, so that the
// four do not wait for each other. The message word is added first: only `b` is late.
INLINE void half_round(word v[16], const word m[16], const uint8_t sigma[8], const int turn) {
#define A v[i]
#define B v[4 + (i + turn) % 4]
#define C v[8 + (i + 2 * turn) % 4]
#define D v[12 + (i + 3 * turn) % 4]
    UNROLL for (int i = 0; i < 4; i++) A = A + m[sigma[2 * i]] + B;
    UNROLL for (int i = 0; i < 4; i++) D = rotate_right(D ^ A, 32);
    UNROLL for (int i = 0; i < 4; i++) C = C + D;
    UNROLL for (int i = 0; i < 4; i++) B = rotate_right(B ^ C, 24);
    UNROLL for (int i = 0; i < 4; i++) A = A + m[sigma[2 * i + 1]] + B;
    UNROLL for (int i = 0; i < 4; i++) D = rotate_right(D ^ A, 16);
    UNROLL for (int i = 0; i < 4; i++) C = C + D;
    UNROLL for (int i = 0; i < 4; i++) B = rotate_right(B ^ C, 63);
#undef A
#undef B
#undef C
#undef D
}

// The state before the rounds: the chained value, the IV, the counter and the flag of the last block.
INLINE void open_block(word v[16], const word h[8], word total, word last) {
    UNROLL for (int i = 0; i < 8; i++) v[i] = h[i];
    UNROLL for (int i = 0; i < 8; i++) v[8 + i] = (word){0} + BLAKE2B_IV[i];
    v[12] ^= total;
    v[14] ^= last;
}

INLINE void close_block(word h[8], const word v[16]) {
    UNROLL for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[8 + i];
}
