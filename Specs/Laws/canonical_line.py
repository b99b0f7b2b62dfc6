"""What docs/format.md says of a record's line, said in Python's terms and with Python's json.

Each line of input is a record's line in hexadecimal. The answer is what it says, or `refused`: it is canonical if what
it says, spelled again, is the line."""
import base64
import json
import re
import sys


class Number(str):
    """A JSON number as it is spelled."""


def pairs(items):
    require(len({name for name, _ in items}) == len(items))
    return dict(items)


def constant(_):
    raise ValueError("not JSON")


JSON = json.JSONDecoder(object_pairs_hook=pairs, parse_int=Number, parse_float=Number, parse_constant=constant)


def require(holds):
    if not holds:
        raise ValueError("not canonical")


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


# --- Containers, whose members keep their spelling. ---


def items(text, opening, closing, read):
    require(text[:1] == opening)
    if text[1:] == closing:
        return []
    at, found = 1, []
    while True:
        item, at = read(text, at)
        found.append(item)
        if text[at:] == closing:
            return found
        require(text[at : at + 1] == ",")
        at += 1


def value_at(text, at):
    _, end = JSON.raw_decode(text, at)
    return text[at:end], end


def member_at(text, at):
    name, end = JSON.raw_decode(text, at)
    require(is_text(name) and text[end : end + 1] == ":")
    value, end = value_at(text, end + 1)
    return (name, value), end


def members(text):
    return items(text, "{", "}", member_at)


# --- Keys and values. ---


def spelled(text):
    """A JSON string with as few escapes as there can be."""
    escape = lambda match: "\\" + match[0] if match[0] in '"\\' else f"\\u{ord(match[0]):04x}"
    return '"' + re.sub(r'["\\\x00-\x1f]', escape, text) + '"'


def unbase64(text):
    return base64.b64decode(text.encode("ascii"), validate=True)


def base64_of(data):
    return base64.b64encode(data).decode()


def utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def read_key(text):
    """The bytes of a key, and its canonical spelling."""
    name = JSON.decode(text)
    require(is_text(name))
    key = unbase64(name[1:]) if name.startswith("$") else name.encode()
    require(1 <= len(key) <= 1024)
    plain = utf8(key)
    return key, spelled("$" + base64_of(key) if plain is None or plain.startswith("$") else plain)


def read_value(text):
    """The bytes of a value, None if it is null, and its canonical spelling."""
    content = JSON.decode(text)
    if content is None:
        return None, "null"
    if is_text(content):
        value = content.encode()
    elif isinstance(content, dict) and list(content) == ["$base64"]:
        require(is_text(content["$base64"]))
        value = unbase64(content["$base64"])
    else:
        value = text.encode()
    plain = utf8(value)
    if plain is None:
        return value, '{"$base64":"' + base64_of(value) + '"}'
    return value, plain if stands_as_it_is(plain) else spelled(plain)


def stands_as_it_is(text):
    try:
        content = JSON.decode(text)
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    if re.search(r"[ \t\n\r]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)) or depth(content) > 32:
        return False
    if isinstance(content, dict) and list(content) == ["$base64"]:
        return False
    return content is not None and not is_text(content)


def depth(content):
    if isinstance(content, dict):
        content = list(content.values())
    return 1 + max(map(depth, content), default=0) if isinstance(content, list) else 0


# --- Fields: each gives what it says, and its canonical spelling. ---


def integer(text, end=1 << 63):
    require(re.fullmatch("0|[1-9][0-9]*", text) and len(text) < 40 and int(text) < end)
    return text, text


def timestamp(text):
    require(re.fullmatch(r"(0|[1-9][0-9]*)\.[0-9]{6}", text) and len(text) < 40 and int(text.replace(".", "")) < 1 << 53)
    return text, text


def string(text, low, high):
    content = JSON.decode(text)
    require(is_text(content) and low <= len(content.encode()) <= high)
    return content.encode().hex(), spelled(content)


def tx_id(text):
    said = string(text, 1, 256)
    require(not re.search("[\x00-\x1f\x7f-\x9f]", JSON.decode(text)))
    return said


def lower_hex(digits):
    def read(text):
        require(re.fullmatch(f'"[0-9a-f]{{{digits}}}"', text))
        return text[1:-1], text

    return read


def true(text):
    require(text == "true")
    return "yes", text


def data(text):
    found = [(read_key(spelled(name)), read_value(value)) for name, value in members(text)]
    keys = [key for (key, _), _ in found]
    require(all(a < b for a, b in zip(keys, keys[1:])))
    said = [f"{key.hex()}:{'-' if value is None else '=' + value.hex()}" for (key, _), (value, _) in found]
    return ",".join(said), "{" + ",".join(f"{key}:{value}" for (_, key), (_, value) in found) + "}"


def reads(text):
    found = [read_item(item) for item in items(text, "[", "]", value_at)]
    require(found)
    for (low, high, is_range), (next_low, _, next_is_range) in zip(found, found[1:]):
        joins = is_range and next_is_range and high == next_low
        require(low < next_low and (not is_range or high is not None and high <= next_low) and not joins)
    said = [low.hex() + (".." + (high.hex() if high is not None else "") if is_range else "") for low, high, is_range in found]
    return ",".join(said), "[" + ",".join(map(spelled_item, found)) + "]"


def read_item(text):
    if text[:1] != "[":
        return read_key(text)[0], None, False
    ends = items(text, "[", "]", value_at)
    require(len(ends) == 2)
    low = b"" if ends[0] == '""' else read_key(ends[0])[0]
    high = None if ends[1] == "null" else read_key(ends[1])[0]
    require(high is None or low < high)
    return low, high, True


def spelled_item(item):
    low, high, is_range = item
    spell = lambda key: read_key(spelled("$" + base64_of(key)))[1]
    if not is_range:
        return spell(low)
    return f'[{spell(low) if low else spelled("")},{"null" if high is None else spell(high)}]'


# --- The line. ---

HEAD = [("n", integer), ("tx_id", tx_id), ("timestamp", timestamp)]
END = [("root", lower_hex(64)), ("synced", integer), ("chain", lower_hex(64)), ("crc", lower_hex(8))]
BODIES = {
    "PREPARE": [("voted?", true), ("data", data), ("reads?", reads)],
    "COMMIT": [("resolved?", true), ("seq", integer)],
    "ABORT": [("resolved?", true), ("reason", lambda text: string(text, 0, 1024))],
}


def record(line):
    found = members(line)
    pairs(found)
    fields = dict(found)
    op = JSON.decode(fields.pop("op"))
    said, spellings = [op], [f'"op":"{op}"']
    for name, read in HEAD + BODIES[op] + (END if "root" in fields else []):
        name, is_optional = name.rstrip("?"), name.endswith("?")
        if is_optional and name not in fields:
            continue
        content, spelling = read(fields.pop(name))
        said.append(f"{name}={content}")
        spellings.append(f'"{name}":{spelling}')
    require(not fields and "{" + ",".join(spellings) + "}" == line)
    is_voted = "voted=yes" in said
    require(op != "PREPARE" or is_voted or "data=" not in said and not any(part.startswith("reads=") for part in said))
    return " ".join(said)


for request in sys.stdin:
    try:
        print(record(bytes.fromhex(request).decode("utf-8")))
    except (ValueError, KeyError, TypeError, RecursionError):
        print("refused")
