"""The quote that a module's own strings are in."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from panicguard.python.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_STRINGS = re.compile(
    r"""\#[^\r\n]* | \"{3}.*?\"{3} | '{3}.*?'{3} | (?P<quote>["']) (?: (?!(?P=quote)) [^\\\r\n] | \\. )* (?P=quote)""",
    re.VERBOSE | re.DOTALL,
)
"""The strings of a module; `quote` is that of a string in a single line, and None for other strings and comments."""
_SAMPLE = 20_000
"""How much of a module is read to learn its quotes, in code points."""


def quote_at(module: PythonFile, node: CSTNode) -> str | None:
    """The quote for a new string at a node: the module's own, or the other where an f-string around the node uses
    that. None if both are used."""
    used = "".join(_f_string_quotes(module, node))
    preferred = _preferred(module.source.text)
    return next((quote for quote in (preferred, '"', "'") if quote not in used), None)


@functools.lru_cache(maxsize=4)
def _preferred(text: str) -> str:
    """The quote of most strings in the beginning of a module."""
    quotes = [match["quote"] for match in _STRINGS.finditer(text, 0, _SAMPLE)]
    return "'" if quotes.count("'") > quotes.count('"') else '"'


def _f_string_quotes(module: PythonFile, node: CSTNode) -> Iterator[str]:
    for above, _ in module.tree.frames(node):
        if isinstance(above, cst.FormattedString):
            yield above.start
