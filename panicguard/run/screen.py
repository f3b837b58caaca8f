"""Which files have nothing to say, by their bytes alone: of a project, most are never decoded, let alone parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.engine import words_for
from panicguard.files.search import found_in
from panicguard.languages import FRONT_ENDS as LANGUAGES
from panicguard.rule import rule_names
from panicguard.settings import FRONT_ENDS, language
from panicguard.source import declared_encoding
from panicguard.suppression import match

if TYPE_CHECKING:
    from panicguard.settings import Settings


def is_silent(path: str, data: bytes, settings: Settings) -> bool:
    """Whether the bytes of a file are certainly text, and none of it a word of the rules, with what it needs, of
    suppressions or of the project's own spawners."""
    kind = language(settings, path)
    if kind == "ipynb" or b"\0" in data:
        return False
    known = FRONT_ENDS[kind]
    if declared_encoding(data, known) != "utf-8" or not (data.isascii() or _is_utf_8(data)):
        return False
    texts = words_for(settings, known)
    words = {word for text in found_in(data, tuple(texts)) for word in texts[text]}
    return not any(_has_needs(data, known, word) for word in words) and not found_in(data, match.marks(rule_names()))


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_needs(data: bytes, known: str, word: str) -> bool:
    needs = LANGUAGES[known].NEEDS.get(word)
    return needs is None or any(need.encode() in data for need in needs)
