"""Keys and values as they are spelled in requests and answers, and back: see docs/format.md, "Values" and "Keys"."""

import base64
import json


class _Integer(int):
    """A whole number that remembers its text: `-0` is another value than `0`."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


class _Real(float):
    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


def parse(line):
    """A line as an object whose numbers know their text."""
    return json.loads(line, parse_int=_Integer, parse_float=_Real)


def spell_key(key):
    text = _text(key)
    return "$" + base64.b64encode(key).decode() if text is None or text.startswith("$") else text


def spell_value(value):
    """Always as text or as base64: that the store keeps JSON as it is shows in its answers."""
    text = _text(value)
    return {"$base64": base64.b64encode(value).decode()} if text is None else text


def key_bytes(spelled):
    return base64.b64decode(spelled[1:], validate=True) if spelled.startswith("$") else spelled.encode()


def value_bytes(spelled):
    if isinstance(spelled, str):
        return spelled.encode()
    if isinstance(spelled, dict) and list(spelled) == ["$base64"]:
        return base64.b64decode(spelled["$base64"], validate=True)
    return _json(spelled).encode()


def entries(spelled):
    return [(key_bytes(entry["key"]), value_bytes(entry["value"])) for entry in spelled]


def _text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _json(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(name)}:{_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(item) for item in value) + "]"
    if isinstance(value, (_Integer, _Real)):
        return value.text
    return json.dumps(value, ensure_ascii=False)
