"""Which words of the rules really stand in a Go file: one without any is never parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYWORD = "go"
_KEYWORD = re.compile(r"go(?=[ \t/(\r\n])(?<![\w./\"`-]go)")
_GENERATED = re.compile(r"^// Code generated .* DO NOT EDIT\.\r?$", re.MULTILINE)
_PACKAGE = re.compile(r"^package\b", re.MULTILINE)


def standing_in(text: str, words: Iterable[str]) -> frozenset[str]:
    """Those of the words, all of which occur in the text, that may be code: `go`, but not the one in `cargo`."""
    return frozenset(word for word in words if word != KEYWORD or _KEYWORD.search(text))


def is_generated(text: str) -> bool:
    """Whether the file says that it is generated, as Go has it: on a line of its own before the package clause."""
    if "DO NOT EDIT." not in text:
        return False
    marker = _GENERATED.search(text)
    if marker is None:
        return False
    package = _PACKAGE.search(text)
    return package is None or marker.start() < package.start()
