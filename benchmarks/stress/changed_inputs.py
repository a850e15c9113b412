"""Valid inputs made wrong, by bytes and by what they mean; everything follows from the generator that is passed in."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable
from typing import Any

TOKENS = (
    b"\x00", b"\xff\xfe", b'"', b"'", b"\\", b"\r", b"\n\n", b",", b";", b"\t", b"[" * 2000, b"{" * 300, b'{"a":' *
    300, b"9" * 400, b"1e999", b"-1e999", b"NaN", b"Infinity", b"null", b"true", b"\xef\xbb\xbf", b"../../x",
    b"\xed\xa0\x80", b"0x20", b"%s%n", b"1,234.50", b"9999-12-31T23:59:59.999999", b"&a [*a, *a]", b"<<: *a",
    b"!!binary x", b"\xe2\x80\xae", b"=cmd()", b"- " * 200,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, -(2**70), 10**400, 0.5, -0.0, 1e308, -1e308, float("inf"),
    float("nan"), "", "x", "x" * 5000, "../../x", "/etc/x", "a\x00b", "\ud800", "\u202e", "1", "nan", "2026-02-30",
    "9999-12-31T23:59:59.999999", "(a+)+b", "[0-9]{999}", "%Y" * 50, "{{x}}", "<script>", [], {}, [[]], [None], {"":
    None}, {"a": {"b": []}}, [1, "a", None, {}], list(range(50)),
)  # fmt: skip
STEPS = 3  # changes of one input, at most


def by_bytes(content: bytes, rng: random.Random) -> bytes:
    """A few bytes flipped, cut, doubled, put in or moved."""
    out = bytearray(content)
    for _ in range(rng.randint(1, STEPS)):
        at = rng.randrange(len(out) + 1)
        end = min(len(out), at + int(2 ** rng.uniform(0, 10)))
        how = rng.randrange(6)
        if how == 0 and out:
            for _ in range(rng.randint(1, 8)):
                out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        elif how == 1:
            del out[at:]
        elif how == 2:
            del out[at:end]
        elif how == 3:
            out[at:at] = out[at:end]
        elif how == 4:
            out[at:at] = rng.choice(TOKENS)
        else:
            out[at:end] = rng.randbytes(end - at)
    return bytes(out)


def at_the_end(content: bytes, rng: random.Random) -> bytes:
    """The footer of a Parquet or Arrow file, changed byte by byte; magic and length are left in half of the cases."""
    cut = max(0, len(content) - 8 - struct.unpack("<I", content[-8:-4])[0])
    footer = by_bytes(content[cut:-8], rng)
    return (
        content[:cut] + footer + (content[-8:] if rng.random() < 0.5 else struct.pack("<I", len(footer)) + content[-4:])
    )


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything in plain data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(each for key, value in inner for each in places(value, (*path, key)))]


def by_meaning(data: Any, rng: random.Random) -> Any:
    """Plain data with a value replaced, a key lost, renamed or put in, a list emptied, doubled or turned round."""
    data = copy.deepcopy(data)
    for _ in range(rng.randint(1, STEPS)):
        paths = [path for path in places(data) if path]
        if not paths:
            return rng.choice(VALUES)
        *outer, last = rng.choice(paths)
        inside = data
        for key in outer:
            inside = inside[key]
        how = rng.randrange(7)
        if how <= 2:
            inside[last] = copy.deepcopy(rng.choice(VALUES))
        elif how == 3:
            del inside[last]
        elif how == 4 and isinstance(inside, dict):
            inside[rng.choice(["", "x", "format", "../x", str(last) * 2])] = inside.pop(last)
        elif how == 5 and isinstance(inside[last], list) and inside[last]:
            inside[last] = inside[last] * 2 if rng.random() < 0.5 else inside[last][::-1]
        else:
            source = data
            for key in rng.choice(paths):
                source = source[key]
            inside[last] = copy.deepcopy(source)
    return data


def json_text(data: Any, rng: random.Random) -> bytes:
    """JSON of changed data; now and then its bytes are changed too."""
    text = json.dumps(by_meaning(data, rng)).encode()
    return by_bytes(text, rng) if rng.random() < 0.1 else text


def lines(content: bytes, rng: random.Random) -> bytes:
    """A table in text with cells changed, lost or swapped, lines lost, doubled or moved, the header gone."""
    rows = [line.split(b",") for line in content.split(b"\n")]
    for _ in range(rng.randint(1, STEPS)):
        row = rng.choice(rows)
        at, how = rng.randrange(len(row)), rng.randrange(7)
        if how <= 1:
            row[at] = rng.choice(TOKENS) if rng.random() < 0.5 else str(rng.choice(VALUES)).encode(errors="replace")
        elif how == 2 and row is not rows[0]:  # what stands in the header is a name, whatever it was
            other = rng.choice(rows)
            row[at] = other[min(at, len(other) - 1)]
        elif how == 3:
            rows.remove(row)
            rows = rows or [[b""]]
        elif how == 4:
            rows.insert(rng.randrange(len(rows)), list(row))
        elif how == 5:
            del row[at:]
            row += [] if row else [b""]
        else:
            row[at:at] = [b'"', row[at]]
    return b"\n".join(b",".join(row) for row in rows)


def safetensors(content: bytes, rng: random.Random) -> bytes:
    """Tensors whose header says something else."""
    size = struct.unpack("<Q", content[:8])[0]
    header = json_text(json.loads(content[8 : 8 + size]), rng)
    return struct.pack("<Q", rng.choice([len(header), len(header), size, 2**40, 0])) + header + content[8 + size :]


def either(*ways: Callable[[bytes, random.Random], bytes]) -> Callable[[bytes, random.Random], bytes]:
    """One of several ways, by chance."""
    return lambda content, rng: rng.choice(ways)(content, rng)


def json_bytes(content: bytes, rng: random.Random) -> bytes:
    """A JSON file, changed by what it means; in a third of the cases by its bytes."""
    return by_bytes(content, rng) if rng.random() < 1 / 3 else json_text(json.loads(content), rng)


def yaml_bytes(content: bytes, rng: random.Random) -> bytes:
    """A YAML file, likewise; JSON is YAML."""
    from ruamel.yaml import YAML

    if rng.random() < 0.4:
        return by_bytes(content, rng)
    text = json.dumps(
        by_meaning(YAML(typ="safe", pure=True).load(content.decode()), rng), ensure_ascii=rng.random() < 0.5
    )
    return text.encode(errors="surrogatepass")
