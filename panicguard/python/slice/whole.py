"""Questions to a whole module: it is parsed once for all of them, and functions only as far as they are asked for."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar

from panicguard.python.slice.hollow import MisreadError, module
from panicguard.python.slice.outline import Outline, outline
from panicguard.python.slice.parse import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class NotReadError(Exception):
    """The running Python cannot parse a text."""


def ask(text: str, question: Callable[[Outline], T]) -> T:
    """The answer to a question about a text (newlines all `\\n`), which is asked a second time where the text is not
    what its rows look like. Raises NotReadError."""
    try:
        return question(_outlined(text))
    except MisreadError:
        return question(_parsed_whole(text))


@functools.lru_cache(maxsize=1)
def _outlined(text: str) -> Outline:
    lines = text.split("\n")
    return outline(text, lines, *module(text, lines))


@functools.lru_cache(maxsize=1)
def _parsed_whole(text: str) -> Outline:
    tree = parsed(text)
    if tree is None:
        raise NotReadError
    return outline(text, text.split("\n"), tree)
