"""Which of the rules' words stand in a text, and where: by the text alone, before anything is parsed."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from panicguard.files import search
from panicguard.python.apis import ADDERS, AFTER, AWAITED, BARE_EXCEPT, CAUGHT_WORDS, METHODS_ELSEWHERE, NEEDS, SOUGHT
from panicguard.python.lex import GAP
from panicguard.python.margins import may_be_in_async, may_be_left, may_go_on

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_RECEIVER = re.compile(r"(\w+)[\s\\]*\.[\s\\]*$")
"""What a word is a method of, before the word."""
_SUPPRESS_AS = re.compile(rf"\bsuppress{GAP}as{GAP}(\w+)")
_AS = re.compile(rf"{GAP}as\b")
_GIVEN = re.compile(r"(?<![=!<>])=(?!=)[\s\w.,()\[\]\\]*$")
"""What may be an assignment, up to an error in its value: handlers may name its target instead."""
_TARGET = re.compile(rf"[\s\\]*(?:=(?!=)|[:,)\[\]#]|\.[\s\\]*(?:{'|'.join(sorted(ADDERS))}|get)\b)")
"""What is behind an attribute that is assigned to, or has something put into it."""
_UNBOUND = re.compile(rf"[ \t]*(?:\(|\.(?!(?:{'|'.join(sorted(ADDERS))}|get)\b)\w)")
"""What is behind an attribute that is read."""
_IN_CALL = re.compile(r"[\w\])]\([^()\[\]{}#'\"]*$")
"""What is before the argument of a call."""
_HEADER_LENGTH = 400
"""Characters from an `except` to what it names."""
_NAME = re.compile(r"\w+")
MANY = 100
"""Words of which each would take about as long to find as a hundredth of reading all of a text."""
_BEFORE_ATTRIBUTE = frozenset(".'\"")
_AWAITED = re.compile(r"\bawait[ \t]+[\w.]*$")


@functools.lru_cache(maxsize=1)
def found_in(text: str, words: tuple[str, ...]) -> frozenset[str]:
    """The words that may occur in the text, if only inside others: see `sought`."""
    meant = _meant(words)
    return frozenset([word for found in search.found_in(text, tuple(meant)) for word in meant[found]])


@functools.cache
def _meant(words: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    return sought(words)


def sought(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The texts without one of which none of the words stands in a file, and the words that each is sought for."""
    texts: dict[str, tuple[str, ...]] = {}
    for word in words:
        for text in SOUGHT.get(word, (word,)):
            texts[text] = (*texts.get(text, ()), word)
    return texts


def standing_in(text: str, words: Iterable[str]) -> frozenset[str]:
    """Those of the words, all of which occur in the text, that stand there by themselves: `create_task`, but not
    `async_create_task`, nor the callee of an `await`; and not without what they need (see `NEEDS`)."""
    return frozenset(
        word
        for word in words
        if (word not in NEEDS or any(need in text for need in NEEDS[word]))
        and (word not in AFTER or _with_after(word).search(text))
        and hits(text, (word,))
    )


@functools.cache
def _after(word: str) -> re.Pattern[str]:
    return re.compile(AFTER[word])


@functools.cache
def _with_after(word: str) -> re.Pattern[str]:
    """The same behind the word: whether that stands anywhere is asked before each place is."""
    return re.compile(word.strip(".:") + AFTER[word])


def hits(text: str, words: Iterable[str]) -> list[int]:
    """Where the words stand as whole identifiers, not as the callee of an await, sorted."""
    return sorted(at for word in words for at in _hits(text, word))


@functools.lru_cache(maxsize=32)
def _hits(text: str, word: str) -> Sequence[int]:
    """Kept for a while: the slicer looks for the words that the screen has found."""
    return [at for at in places(text, word) if _may_be_code(text, word, at)]


def renamings(text: str, words: Iterable[str]) -> Iterator[int]:
    """Where what one of the words stands for may get another name."""
    for word in words:
        for at in places(text, word):
            if _may_be_renamed(text, at, at + len(word.strip(".:"))):
                yield at


def bindings(text: str, attribute: str) -> Iterator[int]:
    """Where an attribute (`.name`) may be bound in any way, or have something put into it."""
    return (at for at in places(text, attribute) if not _UNBOUND.match(text, at + len(attribute) - 1))


def assignments(text: str, attribute: str) -> Iterator[int]:
    """Where an attribute (`.name`) may be assigned to, or have something put into it."""
    for at in places(text, attribute):
        if _TARGET.match(text, at + len(attribute) - 1) and not _IN_CALL.search(text, text.rfind("\n", 0, at) + 1, at):
            yield at


def places_of(text: str, words: Collection[str]) -> Iterator[int]:
    """Where the words stand, see `places`: one with a dot in front as an attribute, or behind a quote, as for getattr.
    Many are looked up as the text is read once, instead of one by one."""
    names = {word.lstrip(".") for word in words}
    if len(names) <= MANY:
        standing = ((name, at) for name in names for at in places(text, name))
    else:
        standing = ((name[0], name.start()) for name in _NAME.finditer(text) if name[0] in names)
    for name, at in standing:
        if name in words or text[at - 1] in _BEFORE_ATTRIBUTE or _may_be_attribute(text, at):
            yield at


def places(text: str, word: str) -> Iterator[int]:
    """Where a word stands as a whole identifier; one with a dot in front, where it may be an attribute."""
    name = word.strip(".:")
    is_attribute = word[0] == "."
    length, size = len(name), len(text)
    at = text.find(name)
    while at >= 0:
        end = at + length
        before, behind = text[at - 1] if at else " ", text[end] if end < size else " "
        if not (before == "_" or before.isalnum() or behind == "_" or behind.isalnum()) and (
            not is_attribute or before == "." or _may_be_attribute(text, at)
        ):
            yield at
        at = text.find(name, end)


def _may_be_attribute(text: str, at: int) -> bool:
    """Whether a dot stands before a name: blanks, newlines, backslashes and comments may be in between."""
    before = at - 1
    while before >= 0 and (text[before] in "\\\f" or text[before].isspace()):
        before -= 1
    return before >= 0 and (text[before] == "." or before + 1 in _comments(text))


def _may_be_code(text: str, word: str, at: int) -> bool:
    """Whether a word is in no comment, not the callee of an `await`, nor all of a string (unless for getattr), nor a
    method of other things than the one that is meant; one that handlers name, whether it may be in the header of one,
    or get another name.
    """
    end = at + len(word.strip(".:"))
    before = max(0, at - 60)
    if text[at - 1 : at] in ("'", '"') and text[end : end + 1] == text[at - 1]:
        return text.find("getattr", max(0, at - _HEADER_LENGTH), at) >= 0
    if at in _comments(text):
        return False
    if word in AFTER and not _after(word).match(text, end):
        return False
    if word == "finally":
        return may_be_left(text, at)
    if word in CAUGHT_WORDS:
        return _may_be_caught(text, at) if word == BARE_EXCEPT else _may_be_named(text, at, end)
    if word not in AWAITED and _AWAITED.search(text, before, at):
        return False
    receiver = _RECEIVER.search(text, before, at) if word in METHODS_ELSEWHERE else None
    return receiver is None or receiver[1] in METHODS_ELSEWHERE[word] or receiver.start() in _comments(text)


def _may_be_named(text: str, at: int, end: int) -> bool:
    """Whether an error may be named by a handler of an async function that does not raise it again, or be given another
    name."""
    before, keyword = _headers(_suppressing(text))
    header = before.search(text, max(0, at - _HEADER_LENGTH), at)
    keywords = [word for word in keyword.finditer(text, header.start(), at) if word[1]] if header else []
    if not keywords or any(word[1] == "import" for word in keywords):
        return _may_be_renamed(text, at, end)
    last = keywords[-1]
    return (_may_be_caught if last[1] == "except" else may_be_in_async)(text, last.start())


@functools.lru_cache(maxsize=1)
def _suppressing(text: str) -> tuple[str, ...]:
    """The names that a text gives to `suppress`."""
    return ("suppress", *_SUPPRESS_AS.findall(text))


@functools.lru_cache(maxsize=16)
def _headers(suppressing: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What stands from an `except`, or a `suppress`, to an error that it names; and the keywords in that."""
    names = "|".join(suppressing)
    return (
        re.compile(rf"\b(?:except|{names})\b(?:[\s\w.,()\[\]*\\]|#[^\n]*\n)*$"),
        re.compile(rf"#[^\n]*|\b(except|{names}|import)\b"),
    )


def _may_be_caught(text: str, at: int) -> bool:
    """Whether the handler whose header is at an offset may hide a cancellation."""
    return may_be_in_async(text, at) and may_go_on(text, at)


def _may_be_renamed(text: str, at: int, end: int) -> bool:
    """Whether an import or an assignment may give another name to what stands between two offsets."""
    return (_AS.match(text, end) or _GIVEN.search(text, max(0, at - _HEADER_LENGTH), at)) is not None


class _Comments:
    """The offsets of a text that are in comments: those of which one, and no string, begins before them in their line.

    What is known of the last line is kept, since a line may be long and full of words.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._start, self._end = 0, -1
        """The last line, its newline included."""
        self._comment = -1
        """Where the comment of the last line begins; -1 if there is none."""

    def __contains__(self, at: int) -> bool:
        if not self._start <= at <= self._end:
            self._look_at(at)
        return 0 <= self._comment < at

    def _look_at(self, at: int) -> None:
        text = self._text
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        self._start = max(start, text.rfind("\r", start, at) + 1)
        end_of_old = text.find("\r", at, end)
        self._end = end if end_of_old < 0 else end_of_old
        self._comment = text.find("#", self._start, self._end)
        before = text[self._start : self._comment]
        if "'" in before or '"' in before:
            self._comment = -1


@functools.lru_cache(maxsize=1)
def _comments(text: str) -> _Comments:
    return _Comments(text)
