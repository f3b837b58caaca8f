"""What a text hands to spawns that may be of other modules of the project: as it is written there, and by the name that
the imports of the text give it."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from panicguard.python.imported import bases_above, imports
from panicguard.python.lex import GAP
from panicguard.python.screen import places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORDS = frozenset(("Thread", "create_task", "ensure_future", "run_coroutine_threadsafe", ".submit", "start_new_thread"))
"""Words without one of which a text hands nothing on."""
_DOTTED = r"([A-Za-z_][\w.]*)"
_HANDED = {
    "target": re.compile(rf"{GAP}={GAP}{_DOTTED}"),
    **dict.fromkeys(
        ("create_task", "ensure_future", "run_coroutine_threadsafe", "submit", "start_new_thread"),
        re.compile(rf"{GAP}\({GAP}{_DOTTED}"),
    ),
}
"""Words that something is handed to, and what stands behind them then. Each is looked for by itself: one pattern of all
takes thirty times as long to read a text."""
_NEXT_TOP_ROW = re.compile(r"\n(?=[^\s#)\]}])")
_OWN = ("self", "cls")
_MOST = 40
"""Targets of a text that are looked at."""


def handed(text: str) -> Mapping[str, str]:
    """What is handed to spawns, as it is written, and its name as the imports of the text give it (`.jobs.run`); the
    methods of objects and bases that are made or derived from what is imported, too."""
    found = list(_written(text))
    if not found or len(found) > _MOST:
        return {}
    origins = dict(imports(text))
    named: dict[str, set[str]] = defaultdict(set)
    for written, at in found:
        name = _named(text, written, at, origins)
        if name is not None and name.partition(".")[0] not in sys.stdlib_module_names:
            named[written].add(name)
    return {written: min(names) for written, names in named.items() if len(names) == 1}


def _written(text: str) -> Iterator[tuple[str, int]]:
    """What is handed to spawns, as it is written, and where."""
    done = 0
    for at, word in sorted((at, name) for name in _HANDED for at in places(text, name)):
        given = _HANDED[word].match(text, at + len(word)) if at >= done else None
        if given is not None:
            done = given.end()
            yield given[1], given.start(1)


def _named(text: str, written: str, at: int, origins: Mapping[str, str]) -> str | None:
    """The name that the imports give to something."""
    head, _, rest = written.partition(".")
    if head in origins:
        return f"{origins[head]}.{rest}" if rest else origins[head]
    owner, _, method = written.rpartition(".")
    if not owner:
        return None
    if owner in _OWN:
        below = _NEXT_TOP_ROW.search(text, at)
        own = text[text.rfind("class ", 0, at) : len(text) if below is None else below.start()]
        is_here = re.search(rf"\bdef[ \t]+{method}\b|\.{method}[ \t]*=[^=]", own) is not None
        classes = [] if is_here else bases_above(text, at)
    else:
        classes = list({*_made(text, owner)})
    known = [name for name in classes if name.partition(".")[0] in origins]
    if len(known) != 1 or (owner not in _OWN and len(classes) != 1):
        return None
    first, dot, rest = known[0].partition(".")
    return f"{origins[first]}{dot}{rest}.{method}"


def _made(text: str, owner: str) -> Iterator[str]:
    """The classes of which a text makes what it calls `owner`, or says that it is one."""
    for match in re.finditer(rf"(?<![\w.]){re.escape(owner)}[ \t]*(?::([^=\n]+))?=(?!=)[ \t]*([^\n#]*)", text):
        annotated, value = match[1], match[2].strip()
        if value == "None" and not annotated:
            continue
        call = re.fullmatch(rf"{_DOTTED}\(.*", value)
        if annotated:
            yield annotated.replace("None", "").strip(" |\"'")
        elif call is not None and ")." not in value:
            yield call[1]
        elif value.isidentifier():
            yield from _annotated(text, value)
        else:
            yield ""


def _annotated(text: str, parameter: str) -> Iterator[str]:
    """The classes that a text says a parameter is of."""
    found = re.findall(rf"[(,\s]{parameter}[ \t]*:[ \t]*[\"']?{_DOTTED}", text)
    yield from found or ("",)
