"""Which of the rules' words stand in a text, and where: by the text alone, before anything is parsed."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from panicguard.python.apis import AFTER, BARE_EXCEPTS, CAUGHT_WORDS, METHODS_ELSEWHERE, NEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ahocorasick_rs import AhoCorasick

_RECEIVER = re.compile(r"((?:\w+\s*\.\s*)+)$")
"""What a word is a method of, before the word."""
_AFTER = {word: re.compile(pattern) for word, pattern in AFTER.items()}
_WITH_AFTER = {word: re.compile(re.escape(word) + pattern) for word, pattern in AFTER.items()}
"""The same behind the word: whether that stands anywhere is asked before each place is."""
_HEADER = re.compile(r"\b(?:except|suppress)\b(?:[\s\w.,()\[\]*\\]|#[^\n]*\n)*$")
_HEADER_LENGTH = 400
"""Characters from an `except` to what it names."""
_ROW = re.compile(r"\n([ \t]*)(?=[^\s#])")
"""The start of a row of code, with what it is indented by."""
_LEAVES = re.compile(r"\b(?:return|break|continue)\b")
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
_AWAITED = re.compile(r"\bawait[ \t]+[\w.]*$")


def found_in(text: str, words: tuple[str, ...]) -> frozenset[str]:
    """The words that occur in the text, if only inside others."""
    matches = _matcher(words).find_matches_as_indexes(text, overlapping=True)
    return frozenset([words[index] for index, _, _ in matches])


def standing_in(text: str, words: Iterable[str]) -> frozenset[str]:
    """Those of the words, all of which occur in the text, that stand there by themselves: `create_task`, but not
    `async_create_task`, nor the callee of an `await`; and not without what they need (see `NEEDS`)."""
    return frozenset(
        word
        for word in words
        if (word not in NEEDS or any(need in text for need in NEEDS[word]))
        and (word not in _WITH_AFTER or _WITH_AFTER[word].search(text))
        and hits(text, (word,))
    )


@functools.cache
def _matcher(words: tuple[str, ...]) -> AhoCorasick:
    from ahocorasick_rs import AhoCorasick

    return AhoCorasick(words)


def hits(text: str, words: Iterable[str]) -> list[int]:
    """Where the words stand as whole identifiers, not as the callee of an await, sorted."""
    return sorted(at for word in words for at in places(text, word) if _may_be_code(text, word, at))


def places(text: str, word: str) -> Iterator[int]:
    """Where a word stands as a whole identifier."""
    starts_inside, ends_inside = _inside(word[0]), _inside(word[-1])
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (starts_inside and at and _inside(text[at - 1])) and not (
            ends_inside and end < len(text) and _inside(text[end])
        ):
            yield at
        at = text.find(word, end)


def _may_be_code(text: str, word: str, at: int) -> bool:
    """Whether a word is in no comment, not the callee of an `await`, nor all of a string (unless for getattr), nor a
    method of other things than the one that is meant; one that handlers name, whether it may be in the header of one.
    """
    before = max(0, at - 60)
    if text[at - 1 : at] in ("'", '"') and text[at + len(word) : at + len(word) + 1] == text[at - 1]:
        return text.find("getattr", before, at) >= 0
    if _is_in_comment(text, at):
        return False
    if word in _AFTER and not _AFTER[word].match(text, at + len(word)):
        return False
    if word == "finally":
        return _may_be_left(text, at)
    if word in CAUGHT_WORDS:
        return word in BARE_EXCEPTS or _HEADER.search(text, max(0, at - _HEADER_LENGTH), at) is not None
    if _AWAITED.search(text, before, at):
        return False
    receiver = _RECEIVER.search(text, before, at) if word in METHODS_ELSEWHERE else None
    return receiver is None or receiver[1].rstrip(". ") in METHODS_ELSEWHERE[word]


def _may_be_left(text: str, at: int) -> bool:
    """Whether a `finally` at an offset may hold a statement that leaves it. Its block ends at the first row that is no
    deeper, unless strings or brackets of several rows make that uncertain."""
    margin = len(text[text.rfind("\n", 0, at) + 1 : at].expandtabs())
    end = next((m.start() for m in _ROW.finditer(text, at) if len(m[1].expandtabs()) <= margin), len(text))
    block = text[at:end]
    if (
        '"""' in block
        or "'''" in block
        or "\\\n" in block
        or "\\\r" in block
        or any(block.count(a) != block.count(b) for a, b in _PAIRS)
    ):
        return True
    return _LEAVES.search(block) is not None


def _is_in_comment(text: str, at: int) -> bool:
    """Whether a comment, and no string, begins before an offset in its line."""
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    hash_sign = text.find("#", start, at)
    if hash_sign < 0:
        return False
    before = text[start:hash_sign]
    return "'" not in before and '"' not in before


def _inside(char: str) -> bool:
    return char.isalnum() or char == "_"
