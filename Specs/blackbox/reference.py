"""The root of a state, from its definition in docs/format.md: short and slow, and independent of Rootfast's code."""

import hashlib
import json

EMPTY_TREE = bytes(32)


def root(state):
    """The root of a dict from keys to values, both bytes."""
    keys = sorted(state)
    tree = _tree(keys, [_bits(key) for key in keys], state) if keys else EMPTY_TREE
    return _hash(b"\x02\x01", len(keys).to_bytes(8, "big"), tree).hex()


def check_against(vectors):
    """Compares `root` with the file of known roots; returns how many there are."""
    with open(vectors, encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    for case in cases:
        state = {bytes.fromhex(pair["key"]): bytes.fromhex(pair["value"]) for pair in case["pairs"]}
        assert root(state) == case["root"], f"the reference is wrong for the vector {case['name']}"
    return len(cases)


def _tree(keys, bits, state):
    if len(keys) == 1:
        value_hash = _hash(state[keys[0]])
        return _hash(b"\x00", len(keys[0]).to_bytes(4, "big"), keys[0], value_hash)
    # In sorted order the first bit at which any two differ is where the first and the last do.
    bit = next(i for i in range(max(len(bits[0]), len(bits[-1]))) if _at(bits[0], i) != _at(bits[-1], i))
    middle = next(i for i, text in enumerate(bits) if _at(text, bit) == "1")
    left, right = _tree(keys[:middle], bits[:middle], state), _tree(keys[middle:], bits[middle:], state)
    return _hash(b"\x01", bit.to_bytes(4, "big"), left, right)


def _bits(key):
    return "".join(f"1{byte:08b}" for byte in key) + "0"


def _at(bits, index):
    return bits[index] if index < len(bits) else "0"


def _hash(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()
