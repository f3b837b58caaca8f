"""How wide text is on a terminal, and what stands for characters that would disturb it."""

from __future__ import annotations

import functools
import unicodedata

_STAND_IN = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code != 0x0A},
    0x09: "    ",
    0x7F: "␡",
    0x200D: "",
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
}


def printable(text: str) -> str:
    """The text with control characters drawn, tabs as four spaces, and bidirectional overrides disarmed."""
    return text if text.isascii() and text.isprintable() else text.translate(_STAND_IN)


def drawn(text: str) -> str:
    """The same for a line of a diff, where tabs stay as they are and byte order marks are drawn."""
    return "\t".join(map(printable, text.replace("\ufeff", "\ufffd").split("\t")))


_EXCEPTIONS = {
    0: ((0x1160, 0x11FF), (0x302E, 0x302F), (0x3164, 0x3164), (0xD7B0, 0xD7FB), (0xFF9E, 0xFFA0)),
    1: ((0x0600, 0x0604), (0x06DD, 0x06DD), (0xFFF9, 0xFFFB)),
    2: ((0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D376)),
}
"""Width -> the code points, first and last, of which Python's tables do not say it."""


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
    return len(text) if text.isascii() and text.isprintable() else sum(map(width, text))
