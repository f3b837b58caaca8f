"""The stages that leave something of a Python file out before the rules see it, each of which can be switched off: the
word screen, the functions that are not parsed, the slicer, and the sketch, which has no whitespace. None may change a
verdict."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from unittest import mock

from panicguard import engine
from panicguard.python.apis import AFTER, NEEDS
from panicguard.python.screen import found_in, hits, places
from panicguard.python.slice.hollow import MisreadError
from panicguard.python.slice.render import whole
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Diagnostic
    from panicguard.python.slice.render import Slice
    from panicguard.settings import Settings
    from panicguard.source import Source

SCREEN, HOLLOW, SLICER, SKETCH = STAGES = ("word screen", "functions not parsed", "slicer", "sketch")


@contextlib.contextmanager
def off(*stages: str) -> Iterator[None]:
    """Switch stages off: all words of Python rules stand in any text, and all of it is kept."""
    with contextlib.ExitStack() as stack:
        if SCREEN in stages:
            everything = lambda _, words: frozenset(words)  # noqa: E731
            stack.enter_context(mock.patch("panicguard.python.frontend.standing_in", everything))
            stack.enter_context(mock.patch("panicguard.engine.found_in", lambda _, words: frozenset(words)))
        if HOLLOW in stages:
            stack.enter_context(mock.patch("panicguard.python.slice.whole._outlined", side_effect=MisreadError))
        if SLICER in stages:
            stack.enter_context(mock.patch("panicguard.python.parse.slice_of", _whole))
        if SKETCH in stages:
            stack.enter_context(mock.patch("panicguard.python.parse._sketched", return_value=None))
        yield


def _whole(text: str, *_: object) -> Slice:
    return whole(text)


def found(source: Source, settings: Settings, *without: str) -> set[Diagnostic]:
    """The findings of rules, with some stages switched off: syntax errors of what is left out are of no concern."""
    with off(*without):
        return {diagnostic for diagnostic in engine.check(source, settings) if diagnostic.is_rule}


def differences(source: Source, settings: Settings) -> list[str]:
    """What is found with all stages and not in the whole text, or the other way round, and which stage it is due to."""
    everything, left = found(source, settings, *STAGES), found(source, settings)
    said = [_invented(source, diagnostic) for diagnostic in left - everything]
    for stage in STAGES:
        others = [other for other in STAGES if other != stage]
        said += [_dropped(source, d, stage) for d in everything - found(source, settings, *others)]
    if not said and everything != left:
        said = [f"{_place(source, d)}: dropped by the stages together" for d in everything - left]
    return sorted(said)


def _invented(source: Source, diagnostic: Diagnostic) -> str:
    return f"{_place(source, diagnostic)}: not found in the whole text"


def _dropped(source: Source, diagnostic: Diagnostic, stage: str) -> str:
    reasons = "; ".join(_reasons(source.text, diagnostic.code)) if stage == SCREEN else "its row, or what it hangs on"
    return f"{_place(source, diagnostic)}: found in the whole text, dropped by the {stage}: {reasons}"


def _place(source: Source, diagnostic: Diagnostic) -> str:
    row, column = source.location(diagnostic.start)
    return f"{source.path}:{row}:{column} {diagnostic.code}"


def _reasons(text: str, code: str) -> Iterator[str]:
    """Why no word of a rule stands in a text."""
    check = next(rule.python for rule in all_rules() if rule.code == code)
    words = (*check.words, *check.likely_words) if check else ()
    occurring = sorted(found_in(text, words))
    if not occurring:
        yield f"none of {', '.join(words)} is in it"
    for word in occurring:
        if word in NEEDS and not any(need in text for need in NEEDS[word]):
            yield f"`{word}` stands without {' or '.join(NEEDS[word])}"
        elif not any(True for _ in places(text, word)):
            yield f"`{word}` is only part of longer names"
        elif not hits(text, (word,)):
            behind = f", or has nothing of {AFTER[word]!r} behind it" if word in AFTER else ""
            yield f"`{word}` is only the callee of an await, a text or a comment{behind}"
