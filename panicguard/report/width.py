"""How wide text is on a terminal, and what stands for characters that would disturb it."""

from __future__ import annotations

import functools
import re
import unicodedata

_STAND_IN: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code != 0x0A},
    0x09: "    ",
    0x7F: "␡",
    0x200D: "",
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
}
_ON_ONE_LINE = {**_STAND_IN, 0x09: "␉", 0x0A: "␊"}
del _ON_ONE_LINE[0x200D]  # it joins emojis, which occur in names
CONTROLS = tuple(_ON_ONE_LINE)
"""The code points that a terminal does not display but acts on."""
_UNUSUAL = re.compile(r"[^ -~]")
"""What may take another number of columns than one."""
_HARMFUL = re.compile("\r(?!\n)|[" + "".join(chr(code) for code in CONTROLS if chr(code) not in "\t\n\r") + "]")
_ESCAPED = {code: f"\\u{code:04x}" for code in CONTROLS if code > 0x20}


def printable(text: str) -> str:
    """The text with control characters drawn, tabs as four spaces, and bidirectional overrides disarmed."""
    return text if text.isascii() and text.isprintable() else text.translate(_STAND_IN)


def drawn(text: str) -> str:
    """The same for a line of a diff, where tabs stay as they are and byte order marks are drawn."""
    return "\t".join(map(printable, text.replace("\ufeff", "\ufffd").split("\t")))


def one_line(text: str) -> str:
    """The text as a part of one line: as `printable`, but a newline and a tab are drawn too. For names and messages."""
    return text if text.isascii() and text.isprintable() else text.translate(_ON_ONE_LINE)


def harmless(text: str) -> str:
    """Lines with control characters drawn, except for tabs and line endings: LF and CRLF."""
    return _HARMFUL.sub(lambda match: one_line(match[0]), text)


def is_harmless(text: str) -> bool:
    """Whether nothing would be drawn in these lines."""
    return _HARMFUL.search(text) is None


def escaped(text: str) -> str:
    """An equivalent JSON text without the control characters that JSON may contain unescaped."""
    return text.translate(_ESCAPED) if _HARMFUL.search(text) else text


_EXCEPTIONS = {
    0: ((0x1160, 0x11FF), (0x302E, 0x302F), (0x3164, 0x3164), (0xD7B0, 0xD7FB), (0xFF9E, 0xFFA0)),
    1: ((0x0600, 0x0604), (0x06DD, 0x06DD), (0xFFF9, 0xFFFB)),
    2: ((0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D376)),
}
"""Width -> the ranges of code points (first, last) for which Python's tables differ."""


@functools.lru_cache(maxsize=4096)
def width(character: str) -> int:
    """The columns that `printable(character)` takes."""
    if ord(character) in _STAND_IN:
        return 4 if character == "\t" else len(_STAND_IN[ord(character)])
    if character < "\x7f":
        return 1
    for size, ranges in _EXCEPTIONS.items():
        if any(first <= ord(character) <= last for first, last in ranges):
            return size
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def columns(text: str) -> int:
    """The columns that `printable(text)` takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    return len(text) + sum(width(character) - 1 for character in _UNUSUAL.findall(text))
