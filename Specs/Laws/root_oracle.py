"""Says the root of a state by the definition alone, with the reference in the folder given. Each line of input is a state,
`KEY:VALUE` in hexadecimal with commas between; the answer is its root."""
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import reference

for line in sys.stdin:
    pairs = (pair.split(":") for pair in line.strip().split(",") if pair)
    print(reference.root({bytes.fromhex(key): bytes.fromhex(value) for key, value in pairs}))
