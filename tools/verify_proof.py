#!/usr/bin/env python3
"""Checks what `rootfast prove` prints against a root that you trust. Needs nothing but Python 3.

    verify_proof.py PROOF --root HEX [--key KEY]          PROOF is a file, or - for standard input

Written from the definition of the root (version 1), not from Rootfast's code, so that an auditor needs neither.
H is BLAKE2b with a 32-byte digest, u32 and u64 are big-endian:

    leaf(k, v)    = H(00 | u32(len k) | k | H(v))
    node(b, L, R) = H(01 | u32(b) | L | R)           b: the first bit at which the keys below differ; L has 0 there
    root          = H(02 | 01 | u64(count) | tree)   tree: 32 zero bytes for no keys

A key's bits are each byte as a 1 and its eight bits, high bit first; then one 0. A bit past the end counts as 0.

A proof is the leaf that a look-up of the key reaches and the siblings on the way, root first. It is refused unless
(1) the bits rise strictly; (2) each is at most 9 * len(leaf key); (3) each is the same in the asked key and the
leaf's key; (4) the hashes lead to the root given here; (5) a value, if there is one, has the hash that the leaf says.
What the proof says of its own root and sequence is not believed, only its spelling is checked.

Exit codes: 0 the proof holds (present or absent, as it says); 1 the file cannot be read; 2 refused; 64 usage.
"""

import base64
import binascii
import hashlib
import re
import sys

KEY_BYTES_MAX = 1024
PATH_MAX = 9 * KEY_BYTES_MAX + 1
DOCUMENT_BYTES_MAX = 100 << 20
DEPTH_MAX = 64
VALUE_DEPTH_MAX = 32


class Refused(Exception):
    """The proof proves nothing."""


class Usage(Exception):
    """The arguments are not right."""


# --- JSON, strictly, with the place of every value: a value's own text is what was hashed. ---

SPACE = re.compile(r"[ \t\n\r]*")
PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
HEX4 = re.compile(r"[0-9a-fA-F]{4}")
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Node:
    """A JSON value: what kind, what it holds, and where it stands in the text."""

    def __init__(self, kind, content, start, end):
        self.kind, self.content, self.start, self.end = kind, content, start, end


class Parser:
    def __init__(self, text):
        self.text = text

    def document(self):
        node = self.value(self.space(0), 0)
        if self.space(node.end) != len(self.text):
            raise Refused("there is something behind the proof")
        return node

    def space(self, at):
        return SPACE.match(self.text, at).end()

    def value(self, at, depth):
        first = self.text[at : at + 1]
        if first == '"':
            content, end = self.string(at)
            return Node("string", content, at, end)
        if first == "{":
            return self.container(at, depth + 1, "object")
        if first == "[":
            return self.container(at, depth + 1, "array")
        for word, kind in (("true", "bool"), ("false", "bool"), ("null", "null")):
            if self.text.startswith(word, at):
                return Node(kind, None, at, at + len(word))
        number = NUMBER.match(self.text, at)
        if not number:
            raise Refused(f"it is not JSON at character {at}")
        return Node("number", number.group(), at, number.end())

    def container(self, start, depth, kind):
        if depth > DEPTH_MAX:
            raise Refused("it is nested too deep")
        items = {} if kind == "object" else []
        closing = "}" if kind == "object" else "]"
        at = self.space(start + 1)
        if self.text[at : at + 1] == closing:
            return Node(kind, items, start, at + 1)
        while True:
            at = self.member(at, depth, items) if kind == "object" else self.item(at, depth, items)
            at = self.space(at)
            mark = self.text[at : at + 1]
            if mark == closing:
                return Node(kind, items, start, at + 1)
            if mark != ",":
                raise Refused(f"it is not JSON at character {at}")
            at = self.space(at + 1)

    def item(self, at, depth, items):
        node = self.value(at, depth)
        items.append(node)
        return node.end

    def member(self, at, depth, items):
        if self.text[at : at + 1] != '"':
            raise Refused(f"it is not JSON at character {at}")
        name, at = self.string(at)
        at = self.space(at)
        if self.text[at : at + 1] != ":":
            raise Refused(f"it is not JSON at character {at}")
        if name in items:
            raise Refused("an object has a key twice")
        items[name] = self.value(self.space(at + 1), depth)
        return items[name].end

    def string(self, start):
        parts, at = [], start + 1
        while True:
            plain = PLAIN.match(self.text, at)
            parts.append(plain.group())
            at = plain.end()
            mark = self.text[at : at + 1]
            if mark == '"':
                return "".join(parts), at + 1
            if mark != "\\":
                raise Refused("a string does not end, or holds a control character")
            character, at = self.escape(at)
            parts.append(character)

    def escape(self, at):
        mark = self.text[at + 1 : at + 2]
        if mark in ESCAPES and mark:
            return ESCAPES[mark], at + 2
        unit = self.unit(at)
        if not 0xD800 <= unit <= 0xDFFF:
            return chr(unit), at + 6
        low = self.unit(at + 6) if unit < 0xDC00 else 0
        if not 0xDC00 <= low <= 0xDFFF:
            raise Refused("a string holds half of a surrogate pair")
        return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), at + 12

    def unit(self, at):
        digits = HEX4.match(self.text, at + 2)
        if self.text[at : at + 2] != "\\u" or not digits:
            raise Refused("a string holds an unknown escape")
        return int(digits.group(), 16)


# --- Keys and values as the log spells them. ---


def unbase64(text):
    """The bytes of canonical base64; None for anything else."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode() == text else None


def key_bytes(spelled):
    """The bytes of a key: the text as it is, or behind a $ base64."""
    key = unbase64(spelled[1:]) if spelled.startswith("$") else spelled.encode()
    if key is None:
        raise Refused("a key is not base64 behind $")
    return key


def value_bytes(text, node):
    """The bytes of a value: of a string its text, of {"$base64":…} its bytes, else its text less white space."""
    if node.kind == "null":
        raise Refused("its value is null")
    if node.kind == "string":
        return node.content.encode()
    if depth_of(node) > VALUE_DEPTH_MAX:
        raise Refused("its value is nested too deep")
    if node.kind == "object" and list(node.content) == ["$base64"]:
        inner = node.content["$base64"]
        data = unbase64(inner.content) if inner.kind == "string" else None
        if data is None:
            raise Refused("a value is not base64")
        return data
    return without_space(text[node.start : node.end]).encode()


def depth_of(node):
    if node.kind == "object":
        return 1 + max(map(depth_of, node.content.values()), default=0)
    if node.kind == "array":
        return 1 + max(map(depth_of, node.content), default=0)
    return 0


def without_space(text):
    """A valid JSON text less the white space outside strings."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|[ \t\n\r]+', lambda match: match.group(1) or "", text)


# --- The document. ---


def need(node, kind, what):
    if node.kind != kind:
        raise Refused(f"{what} is not a JSON {kind}")
    return node.content


def members(node, required, optional, what):
    """The members of an object, none missing and none besides."""
    found = need(node, "object", what)
    for name in found:
        if name not in required and name not in optional:
            raise Refused(f"{what} has a member that it does not have")
    for name in required:
        if name not in found:
            raise Refused(f"{what} has no {name}")
    return found


def unsigned(node, what, end):
    digits = need(node, "number", what)
    if not digits.isdigit() or len(digits) > 20 or int(digits) >= end:
        raise Refused(f"{what} is not a whole number in its range")
    return int(digits)


def digest(node, what):
    text = need(node, "string", what)
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise Refused(f"{what} is not 64 lower-case hexadecimal digits")
    return bytes.fromhex(text)


class Proof:
    def __init__(self, data):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("it is not UTF-8") from None
        found = members(
            Parser(text).document(),
            ("schema", "kind", "count", "leaf", "path"), ("key", "root", "sequence", "value"), "the proof")
        if unsigned(found["schema"], "schema", 1 << 64) != 1:
            raise Refused("its schema is not 1")
        if need(found["kind"], "string", "kind") != "proof":
            raise Refused('its kind is not "proof"')
        self.count = unsigned(found["count"], "count", 1 << 63)
        self.leaf = None if found["leaf"].kind == "null" else self.read_leaf(found["leaf"])
        self.path = self.read_path(found["path"])
        self.key = key_bytes(need(found["key"], "string", "key")) if "key" in found else None
        self.value = value_bytes(text, found["value"]) if "value" in found else None
        if "root" in found:
            digest(found["root"], "root")
        if "sequence" in found:
            unsigned(found["sequence"], "sequence", 1 << 64)

    @staticmethod
    def read_leaf(node):
        found = members(node, ("key", "value_hash"), (), "the leaf")
        return key_bytes(need(found["key"], "string", "key")), digest(found["value_hash"], "value_hash")

    @staticmethod
    def read_path(node):
        steps = need(node, "array", "path")
        if len(steps) > PATH_MAX:
            raise Refused("its path is longer than any key")
        path = []
        for step in steps:
            found = members(step, ("bit", "sibling"), (), "a step of the path")
            path.append((unsigned(found["bit"], "bit", PATH_MAX), digest(found["sibling"], "sibling")))
        return path


# --- The proof itself. ---


def hash_of(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def bit(key, index):
    byte, position = divmod(index, 9)
    if byte >= len(key):
        return 0
    return 1 if position == 0 else key[byte] >> (8 - position) & 1


def check_key(key):
    if not 1 <= len(key) <= KEY_BYTES_MAX:
        raise Refused(f"a key has 1 to {KEY_BYTES_MAX} bytes, and one has {len(key)}")


def verify(proof, key, root):
    """True if the key is present, False if it is absent; raises Refused."""
    check_key(key)
    if (proof.count == 0) != (proof.leaf is None):
        raise Refused("its count and its leaf contradict each other")
    if proof.leaf is None:
        if proof.path:
            raise Refused("it has a path without a leaf")
        tree = bytes(32)
    else:
        tree = rebuild(proof, key)
    if hash_of(b"\x02\x01", proof.count.to_bytes(8, "big"), tree) != root:
        raise Refused("it leads to another root")
    is_present = proof.leaf is not None and proof.leaf[0] == key
    if proof.value is not None:
        if not is_present:
            raise Refused("it gives a value for a key that is absent")
        if hash_of(proof.value) != proof.leaf[1]:
            raise Refused("the value is not the one that was proved")
    return is_present


def rebuild(proof, key):
    leaf_key, value_hash = proof.leaf
    check_key(leaf_key)
    last = -1
    for index, _ in proof.path:
        if not last < index <= 9 * len(leaf_key):
            raise Refused("a bit of its path is out of order, or beyond the leaf's key")
        if bit(key, index) != bit(leaf_key, index):
            raise Refused("the key goes another way than the leaf's")
        last = index
    tree = hash_of(b"\x00", len(leaf_key).to_bytes(4, "big"), leaf_key, value_hash)
    for index, sibling in reversed(proof.path):
        left, right = (sibling, tree) if bit(leaf_key, index) else (tree, sibling)
        tree = hash_of(b"\x01", index.to_bytes(4, "big"), left, right)
    return tree


# --- The command. ---


def read_arguments(arguments):
    options, files, rest = {}, [], list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in ("--root", "--key"):
            if name in options or not (equals or rest):
                raise Usage(f"{name} takes one value, once")
            options[name] = value if equals else rest.pop(0)
        elif word.startswith("-") and word != "-":
            raise Usage(f"there is no option {word}")
        else:
            files.append(word)
    if len(files) != 1:
        raise Usage("one proof is checked at a time")
    return files[0], root_argument(options.get("--root")), key_argument(options.get("--key"))


def root_argument(text):
    if text is None or not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise Usage("--root takes the root that you trust, 64 hexadecimal digits")
    return bytes.fromhex(text)


def key_argument(text):
    if text is None:
        return None
    try:
        key = key_bytes(text)
        check_key(key)
        return key
    except (Refused, UnicodeEncodeError):
        raise Usage("--key takes 1 to 1024 bytes, behind a $ as base64") from None


def read_proof(path):
    if path == "-":
        data = sys.stdin.buffer.read(DOCUMENT_BYTES_MAX + 1)
    else:
        with open(path, "rb") as file:
            data = file.read(DOCUMENT_BYTES_MAX + 1)
    if len(data) > DOCUMENT_BYTES_MAX:
        raise Refused("it is longer than any proof")
    return data


def shown(key):
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        text = "$"
    return ascii("$" + base64.b64encode(key).decode() if text.startswith("$") else text)


def run(arguments):
    path, root, asked = read_arguments(arguments)
    proof = Proof(read_proof(path))
    key = proof.key if asked is None else asked
    if key is None:
        raise Refused("it names no key, and none was given with --key")
    if proof.key is not None and proof.key != key:
        raise Refused("it is of another key")
    if verify(proof, key, root):
        given = "" if proof.value is None else ", with the value that is given"
        print(f"present: {shown(key)}, value hash {proof.leaf[1].hex()}{given}")
    else:
        print(f"absent: {shown(key)}")


def main():
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    try:
        run(sys.argv[1:])
        return 0
    except Usage as error:
        print(f"verify_proof.py: {error}. See --help.", file=sys.stderr)
        return 64
    except Refused as error:
        print(f"verify_proof.py: The proof is refused: {error}.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"verify_proof.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
