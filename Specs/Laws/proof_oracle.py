"""Asks tools/verify_proof.py, in the folder given. Each line of input is a document, a key and a root in hexadecimal with
colons between; the answer is `present`, `absent` or `refused`."""
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify_proof

for line in sys.stdin:
    document, key, root = (bytes.fromhex(part) for part in line.split(":"))
    try:
        is_present = verify_proof.verify(verify_proof.Proof(document), key, root)
        print("present" if is_present else "absent")
    except verify_proof.Refused:
        print("refused")
