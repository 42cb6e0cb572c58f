# Values as JSON with their types, so that another process can compare them as Python would: ["i", "0x2a"] is 42. What is no plain value is ["o", its type]. Subclasses
# are told as what they extend, read by that type's own methods, so that nothing a class says of itself counts. Written by hand because importing json takes longer than most programs.
import os
import sys

DEEPEST = 60
MOST_ITEMS = 100000


def pieces():
    """The input: a line of sizes, then so many pieces of text."""
    head = b""
    while not head.endswith(b"\n"):
        head += take(1)
    sizes = [int(size) for size in head.split()]
    blob = take(sum(sizes))
    found, at = [], 0
    for size in sizes:
        found.append(blob[at:at + size].decode("utf-8", "surrogatepass"))
        at += size
    return found


def say(text, to, write=os.write):
    data = memoryview((text + "\n").encode("ascii"))
    while data:
        data = data[write(to, data):]


def quoted(text):
    if str.isascii(text) and str.isprintable(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    units = str.encode(text, "utf-16-le", "surrogatepass")
    return '"' + "".join("\\u%04x" % (units[i] | units[i + 1] << 8) for i in range(0, len(units), 2)) + '"'


def lone(text):
    return any(0xD800 <= ord(c) <= 0xDFFF for c in text)


def plain(value, depth=0):
    if value is None:
        return '["n"]'
    if depth > DEEPEST:
        return '["o","too deep"]'
    if isinstance(value, bool):
        return '["t"]' if value else '["f"]'
    if isinstance(value, int):
        return '["i","%s"]' % int.__format__(value, "x")
    if isinstance(value, float):
        return '["r","%s"]' % float.__repr__(value)
    if isinstance(value, complex):
        return '["c","%s","%s"]' % (float.__repr__(value.real), float.__repr__(value.imag))
    if isinstance(value, str):
        value = str.__str__(value)
        return '["o","half of a surrogate pair"]' if not str.isascii(value) and lone(value) else '["s",%s]' % quoted(value)
    if isinstance(value, (bytes, bytearray)):
        return '["b","%s"]' % bytes(value).hex()
    if isinstance(value, range):
        return '["g","%x","%x","%x"]' % (value.start, value.stop, value.step)
    if isinstance(value, tuple):
        return items("u", tuple.__iter__(value), depth)
    if isinstance(value, list):
        return items("l", list.__iter__(value), depth)
    if isinstance(value, (set, frozenset)):
        return items("e", type(value).__mro__[-2].__iter__(value), depth)
    if isinstance(value, dict):
        return items("d", (part for pair in dict.items(value) for part in pair), depth)
    return '["o",%s]' % quoted(type(value).__name__[:80])


def items(tag, values, depth):
    told = ['["%s"' % tag]
    for value in values:
        told.append(plain(value, depth + 1))
        if len(told) > MOST_ITEMS:
            return '["o","too long"]'
    return ",".join(told) + "]"
