"""Which words of the rules really occur in a Go file: one without any is never parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.go.apis import CALLED_ON, NEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYWORD = "go"
_KEYWORD = re.compile(r"go(?=[ \t/(\r\n])")
_GAP = r"(?:\s|//[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*"
"""What may stand between two parts of a statement."""
_CALLED_ON = {word: re.compile(rf"\.{_GAP}(?:{'|'.join(names)})\b") for word, names in CALLED_ON.items()}
_GENERATED = re.compile(r"^// Code generated .* DO NOT EDIT\.\r?$", re.MULTILINE)
_PACKAGE = re.compile(r"^package\b", re.MULTILINE)


def standing_in(text: str, words: Iterable[str]) -> frozenset[str]:
    """Those of the words, all of which occur in the text, that may be code, or that are about comments."""
    return frozenset(word for word in words if _may_be_code(text, word))


def _may_be_code(text: str, word: str) -> bool:
    if word == KEYWORD:
        return any(_begins_statement(_before(text, at.start())) for at in _KEYWORD.finditer(text))
    if "nolint" in word:
        return True
    if word in _CALLED_ON and not _CALLED_ON[word].search(text):
        return False
    if word in NEEDS and not any(need in text for need in NEEDS[word]):
        return False
    at = text.find(word)
    while at >= 0:
        if not _is_comment(_before(text, at)):
            return True
        at = text.find(word, at + 1)
    return False


def _before(text: str, at: int) -> str:
    """What precedes an offset on its line."""
    return text[text.rfind("\n", 0, at) + 1 : at].strip()


def _begins_statement(before: str) -> bool:
    """Whether a statement may begin after this: not in `cargo`, in `x.go`, or in `// go vet`."""
    return not before or before.endswith(("{", "}", ";", ":", "*/"))


def _is_comment(before: str) -> bool:
    """Whether a line that begins like this is a comment, or is not code anyway."""
    return before.startswith("//") and "`" not in before and "*/" not in before


def is_generated(text: str) -> bool:
    """Whether the file declares that it is generated, by Go's convention: on a line of its own before the package
    clause."""
    if "DO NOT EDIT." not in text:
        return False
    marker = _GENERATED.search(text)
    if marker is None:
        return False
    package = _PACKAGE.search(text)
    return package is None or marker.start() < package.start()
