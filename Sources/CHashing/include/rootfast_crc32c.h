// CRC-32C (RFC 3720, section 12.1: polynomial 0x1edc6f41, reflected, all ones before and after).
#pragma once

#include <stddef.h>
#include <stdint.h>

// The checksum of `a || b` is crc32c(crc32c(0, a), b); that of "123456789" is 0xe3069283.
uint32_t rootfast_crc32c(uint32_t crc, const void *bytes, size_t length);

// What `crc`, the checksum of some `a`, contributes to that of `a || b`, where b has `length` bytes:
// crc32c(0, a || b) == shift(crc32c(0, a), length of b) ^ crc32c(0, b). O(log length).
uint32_t rootfast_crc32c_shift(uint32_t crc, uint64_t length);

// The two ways to the same number, for tests that compare them. The hardware one may be called only where the
// processor has the instruction.
int rootfast_crc32c_hardware_supported(void);
uint32_t rootfast_crc32c_hardware(uint32_t crc, const void *bytes, size_t length);
uint32_t rootfast_crc32c_tables(uint32_t crc, const void *bytes, size_t length);
