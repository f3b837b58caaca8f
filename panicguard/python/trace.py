"""Follow the spawns of a function through its lines: to what they are made from, and to what becomes of them.

It reads text and finds too much rather than too little. A name is a word, an attribute a word with its dot in front:
what holds of the one says nothing of the other.
"""

from __future__ import annotations

import functools
import keyword
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.lines import line_at, margin
from panicguard.python.outline import above, block_header, body_end, definition
from panicguard.python.screen import RECEIVER

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from panicguard.lines import LogicalLine
    from panicguard.python.outline import Block

NAME = re.compile(r"\.?\w+")
_LAST = re.compile(r"\.?\b\w+\b(?!\s*\.)")
"""The last names of dotted ones."""
_OWNER = re.compile(r"\.?\w+(?=\s*[.(])")
"""A name that is called, or of which an attribute is read."""
_TARGET = re.compile(r"(?<!\)\.)\b\w+\b(?!\s*(?:=(?!=)|\.(?!remote\b)))")
"""What may be spawned on the line of a spawn: no keyword, no owner of an attribute."""
_ARGUMENTS = re.compile(r"\(([^(),]*),[^()]*\)")
"""The arguments of a call in which no call is."""
_EITHER = re.compile(r"\b(?:if|or|and)\b")
_KEY = re.compile(r"\[[^\]]*\]?")
_KEYWORDS = frozenset((*keyword.kwlist, "self", "cls"))

# Of a line without its margin: with one, the time these take would grow with its square.
_ASSIGNED = re.compile(r"((?:\w+\s*\.\s*)*)(\w+)\s*(?:\[[^\]\n]*\]\s*)?(?::[^=\n]+)?=(?!=)")
_TARGETS = re.compile(r"\(?([^=(!<>:\n]*?)(?::[^=\n]+|[-+*/|&])?=(?!=)")
_DECLARED = re.compile(r"(\w+)\s*:")
_CHANGES = re.compile(r"(?:global|nonlocal|import|from|del|case|(?:async\s+)?def|class)\s(.*)", re.DOTALL)
# Of any place in a line: to begin with plain letters is ten times faster than with \b or \w, and finds a little more.
_CHAINED = re.compile(r"=\s*([\w.]+)\s*(?==(?!=))")
_NAMES_AS = re.compile(r"as\s+\(?([\w, .]+)")
_NAMES_FOR = re.compile(r"for\s+(.{1,200}?)\s+in\b", re.DOTALL)
_ADDS = re.compile(r":=|\.\s*(?:add|append|appendleft|insert|extend|update|setdefault)\s*\(")
_CONTAINER = re.compile(r"((?:\w+\s*\.\s*)*)\b(\w+)\s*(?:\[[^\]\n]*\]\s*)?\Z")
_LOOP = re.compile(r"[ \t\f]*(?:async[ \t]+)?(?:for|while)\b")
_CLOSURE = re.compile(r"\b(?:lambda|def)\b")
_ENDS_TURN = frozenset(("continue", "return", "raise"))
"""What decides whether a loop goes on after a closure is spawned in it."""
_NEAR = 120
"""Characters in which the name of a container stands before what is done to it."""


class Trace(NamedTuple):
    """What of a function says something of its spawns: its rows; the words that may be what is spawned (`targets`);
    the names through which the spawning words, and the containers of handles, are reached (`receivers`); the names that
    handles go to (`stores`)."""

    rows: set[int]
    targets: set[str]
    receivers: set[str]
    stores: set[str]


class Said(NamedTuple):
    """What the rows of a function's body say: the names in each, where it defines something without its name; and that
    name."""

    names: dict[int, frozenset[str]]
    defines: dict[int, set[str]]


def said(text: str, lines: Sequence[LogicalLine], block: Block) -> Said:
    """What is in a function, but for its texts."""
    found = Said({}, {})
    for row in range(block.header + 1, block.last):
        line = lines[row]
        names = frozenset(NAME.findall(text, line.start, line.end))
        if name := definition(text, line)[1]:
            found.defines[row] = {name}
            names -= {name}
        elif text.startswith(('"""', "'''"), line.start + len(margin(text, line))):
            names = frozenset()
        found.names[row] = names
    return found


def trace(
    text: str,
    lines: Sequence[LogicalLine],
    block: Block,
    its: Said,
    hits: Sequence[int],
    flows: Set[str],
    needs: Set[str],
) -> Trace:
    """Follow the spawns in a block, whose words stand at the offsets `hits`; also what becomes of the names in `flows`,
    and what is bound to those in `needs`."""
    found = Trace(set(), set(), set(), set())
    flows, needs = set(flows), set(needs)
    is_in_loop = False
    for at in hits:
        row = line_at(lines, at)
        around = [lines[at] for at in above(lines, row, block.header + 1)]
        is_in_loop = is_in_loop or any(_LOOP.match(text, line.start) for line in around)
        own = _definition(text, lines, row, block.last) if row > block.header else range(row, row + 1)
        piece = text[lines[row].start : lines[own[-1]].end]
        found.rows.update(own)
        found.targets.update(_TARGET.findall(piece))
        found.stores.update(_stores(piece))
        found.receivers.update(_owners(piece))
        flows.update(_binds(piece), filter(None, (definition(text, line)[1] for line in around)))
        needs.update(NAME.findall(_without_arguments(piece, at - lines[row].start)))
        if receiver := RECEIVER.search(text, lines[row].start, at + text.startswith(".", at)):
            found.receivers.update(NAME.findall(text, max(lines[row].start, receiver.start() - 1), receiver.end()))
    ends_turns = is_in_loop and _CLOSURE.search(text, lines[block.header].end, block.end) is not None
    count = -1
    while count != len(found.rows):
        count = len(found.rows)
        for row, names in its.names.items():
            if row in found.rows:
                continue
            is_flow = not flows.isdisjoint(names)
            binds: Set[str] = its.defines.get(row, frozenset())
            if not is_flow and not binds and not needs.isdisjoint(names):
                binds = _binds(text[lines[row].start : lines[row].end])
            if is_flow or not needs.isdisjoint(binds):
                own = _definition(text, lines, row, block.last)
                piece = text[lines[row].start : lines[own[-1]].end]
                bound = _binds(piece)
                found.rows.update(own)
                if not found.receivers.isdisjoint(bound):
                    found.receivers.update(NAME.findall(piece))
                if is_flow:
                    found.stores.update(_stores(piece))
                    found.receivers.update(_owners(piece))
                    flows |= bound
                needs.update(_reads(piece, is_flow=is_flow, is_definition=len(own) > 1))
            elif "yield" in names or (ends_turns and not _ENDS_TURN.isdisjoint(names)):
                found.rows.add(row)
    return found


def _without_arguments(piece: str, at: int) -> str:
    """The line of a spawn, whose word stands at an offset, without what is passed on to what is spawned but for the
    first of it: `create_task(poll(host, port))` says nothing of `port`."""
    given = piece.find("(", at) + 1
    if not given or "lambda" in piece:
        return piece
    return piece[:given] + _ARGUMENTS.sub(r"(\1)", piece[given:])


def _reads(piece: str, *, is_flow: bool, is_definition: bool) -> list[str]:
    """The names in a line that tell what becomes of a value, or what is bound: of a call, those of its callee and its
    first argument."""
    if is_definition or "lambda" in piece:
        return NAME.findall(piece)
    if is_flow:
        return _OWNER.findall(piece)
    value = piece.find("=") + 1
    end = -1 if _EITHER.search(piece, value) else piece.find(",", value)
    return NAME.findall(piece, 0, end if end >= 0 else len(piece))


def _stores(piece: str) -> set[str]:
    """The names that a line assigns to or puts something into."""
    assigned = _ASSIGNED.match(piece.lstrip())
    found = (*_containers(piece), *((assigned.groups(),) if assigned else ()))
    return {f".{name}" if reached else name for reached, name in found}


def _owners(piece: str) -> set[str]:
    """The names that a line reaches a container through, to put something into it."""
    return {name for reached, _ in _containers(piece) for name in NAME.findall(reached)}


@functools.lru_cache(maxsize=1024)
def _containers(piece: str) -> tuple[tuple[str, str], ...]:
    """What a line puts something into: what it is reached through, and its name."""
    places = (added.start() for added in _ADDS.finditer(piece))
    found = (_CONTAINER.search(piece, max(0, at - _NEAR), at) for at in places)
    return tuple((container[1], container[2]) for container in found if container is not None)


@functools.lru_cache(maxsize=1024)
def _binds(piece: str) -> frozenset[str]:
    """The names that a line binds or puts something into, the last one of `a.b`, and some more. A line is asked for
    again while the names that matter become more."""
    start = piece.lstrip()
    starts = (_TARGETS.match(start), _DECLARED.match(start), _CHANGES.match(start))
    targets = [found[1] for found in starts if found is not None]
    for word, names in (("=", _CHAINED), ("as", _NAMES_AS), ("for", _NAMES_FOR)):
        if word in piece:
            targets += names.findall(piece)
    bound = {name for target in targets for name in _LAST.findall(_KEY.sub("", target) if "[" in target else target)}
    return frozenset(bound | _stores(piece)) - _KEYWORDS


def _definition(text: str, lines: Sequence[LogicalLine], row: int, last: int) -> range:
    """All rows of the definition that starts in a row; else the row."""
    header = block_header(text, lines, row, last)
    return range(row, body_end(lines, header) if definition(text, lines[header])[0] else row + 1)
