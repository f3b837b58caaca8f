"""Which words of the rules really stand in a Go file: one without any is never parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYWORD = "go"
_KEYWORD = re.compile(r"go(?=[ \t/(\r\n])")
_GENERATED = re.compile(r"^// Code generated .* DO NOT EDIT\.\r?$", re.MULTILINE)
_PACKAGE = re.compile(r"^package\b", re.MULTILINE)


def standing_in(text: str, words: Iterable[str]) -> frozenset[str]:
    """Those of the words, all of which occur in the text, that may be code, or that speak of comments."""
    return frozenset(word for word in words if _may_be_code(text, word))


def _may_be_code(text: str, word: str) -> bool:
    if word == KEYWORD:
        return any(_begins_statement(_before(text, at.start())) for at in _KEYWORD.finditer(text))
    if "nolint" in word:
        return True
    at = text.find(word)
    while at >= 0:
        if not _is_comment(_before(text, at)):
            return True
        at = text.find(word, at + 1)
    return False


def _before(text: str, at: int) -> str:
    """What stands on a line before a place in it."""
    return text[text.rfind("\n", 0, at) + 1 : at].strip()


def _begins_statement(before: str) -> bool:
    """Whether a statement may begin behind this: not so in `cargo`, in `x.go`, and in `// go vet`."""
    return not before or before.endswith(("{", "}", ";", ":", "*/"))


def _is_comment(before: str) -> bool:
    """Whether a line that begins so is a comment, or none of code anyway."""
    return before.startswith("//") and "`" not in before and "*/" not in before


def is_generated(text: str) -> bool:
    """Whether the file says that it is generated, as Go has it: on a line of its own before the package clause."""
    if "DO NOT EDIT." not in text:
        return False
    marker = _GENERATED.search(text)
    if marker is None:
        return False
    package = _PACKAGE.search(text)
    return package is None or marker.start() < package.start()
