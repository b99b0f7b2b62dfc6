// What the C part of the hashing offers: BLAKE2b-256, alone and many at once, and CRC-32C.
#pragma once

#include "rootfast_blake2b.h"
#include "rootfast_crc32c.h"
