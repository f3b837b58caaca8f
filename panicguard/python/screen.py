"""What of a file must be parsed: nothing, where no rule's word stands in it; else its imports, its
module-level statements and the functions a rule could speak of, with the rest blanked.

A kept line keeps its number and its columns. A function that is left out stays as a stub, so that its name
is still bound; a long literal likewise. This reads text, not a tree, so it keeps too much rather than too
little: what is kept decides the cost, never the verdict (a test compares both over whole code bases).
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.lex import LogicalLine, Scan, depth, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEADER = re.compile(r"[ \t\f]*(?:(async[ \t]+def|def|class)[ \t]+(\w+)|(@))?")
_AWAITED = re.compile(r"\bawait\s+[\w.]*$")
_RECEIVER = re.compile(r"((?:\w+\s*\.\s*)+)$")
_ASSIGNED = re.compile(r"[ \t\f]*((?:\w+\s*\.\s*)*)(\w+)\s*(?:\[[^\]\n]*\]\s*)?(?::[^=\n]+)?=(?!=)")
_ADDED = re.compile(
    r"((?:\w+\s*\.\s*)*)\b(\w+)\s*(?:\[[^\]\n]*\]\s*)?"
    r"(?::=|\.\s*(?:add|append|appendleft|insert|extend|update|setdefault)\s*\()"
)
_ALIAS = re.compile(r"\bas\s+(\w+)")
_BOUND = re.compile(r"[ \t\f]*(\w+)\s*(?::|=(?!=))")
_TARGETS = re.compile(r"\bfor\s+([\w, ]+?)\s+in\b")
_GLOBAL = re.compile(r"\bglobal\s+([\w, ]+)")
_CALLED = re.compile(r"\b(\w+)\s*\(")
_WORD = re.compile(r"[^\W\d]\w*")
_RETURNS = re.compile(r"->\s*([^#\n]*(?:Loop|Executor|Pool|Thread|Group)[^#\n]*):\s*(?:#.*)?\Z")
_DEEPEST = 600
"""What the parser is given: its time grows with the square of the depth (0.2 s here), and at 1,500 nested brackets
it overflows a stack of 8 MB."""
_LONG = 300
"""Characters from which a statement without a word is worth blanking."""


class TooDeepError(Exception):
    """An expression that would overflow the parser's stack: `offset` of its line, and its depth."""

    def __init__(self, offset: int, depth: int) -> None:
        super().__init__(offset, depth)
        self.offset, self.depth = offset, depth


class _Block(NamedTuple):
    """A statement and its body: logical lines first to last (exclusive), its text start and end."""

    first: int
    last: int
    start: int
    end: int
    kind: str
    name: str


def words_in(text: str, words: Iterable[str]) -> list[str]:
    """The words that stand in the text by themselves: `create_task`, but not `async_create_task`, nor the callee of
    an `await`."""
    return [word for word in words if word in text and _hits(text, (word,))]


def shallow(text: str, words: Sequence[str]) -> tuple[str, Scan]:
    """The text (newlines all `\\n`), as many lines as before, with a placeholder for each statement that is too deep
    to be parsed. Raises TooDeepError where one of them holds a word."""
    scanned = scan(text)
    pieces: list[str] = []
    done = 0
    for line in scanned.lines:
        if line.end - line.start > 2 * _DEEPEST and not line.blank:
            deep = depth(text, line.start, line.end)
            if deep > _DEEPEST:
                if _hits(text[line.start : line.end], words):
                    raise TooDeepError(line.start, deep)
                margin = text[line.start : line.start + _margin(text, line.start)]
                pieces += (text[done : line.start], margin, "0", "\n" * text.count("\n", line.start, line.end))
                done = line.end
    if not pieces:
        return text, scanned
    text = "".join((*pieces, text[done:]))
    return text, scan(text)


_HANDLER = re.compile(r"[ \t\f]*except\b|.*\bsuppress\s*\(")


class Slim(NamedTuple):
    """What is left of a text, and the row (from 0) in it that each row of what is left comes from."""

    text: str
    rows: Sequence[int]


def slim(text: str, scanned: Scan, words: Sequence[str], caught: Sequence[str] = ()) -> Slim | None:
    """The text (newlines all `\\n`) without what no rule needs; None where that is all of it.

    A word makes the function it stands in worth reading; one of `caught` where an async function handles it.
    """
    if not scanned.sound:
        return Slim(text, range(text.count("\n") + 1))
    lines = [line for line in scanned.lines if not line.blank]
    functions: list[_Block] = []
    statements: list[_Block] = []
    classes: list[_Block] = []
    _outline(text, lines, 0, len(lines), functions, statements, classes)

    hits = _hits(text, words)
    aliases = {
        name
        for block in statements
        if _hit(hits, block.start, block.end)
        for name in (*_ALIAS.findall(text, block.start, block.end), *_bound(text, block))
    }
    aliases.update(c.name for c in classes if _hit(hits, c.start, lines[c.first].end))
    hits = sorted({*hits, *_hits(text, aliases)})
    starts = [line.start for line in lines]
    caught_hits = [
        at for at in _hits(text, caught) if _HANDLER.match(text, starts[bisect.bisect_right(starts, at) - 1])
    ]

    kept = {
        block
        for block in functions
        if _hit(hits, block.start, block.end)
        or (_hit(caught_hits, block.start, block.end) and text.find("async def", block.start, block.end) >= 0)
        or (block.name == "run" and any(c.first < block.first < c.last and c.name in aliases for c in classes))
    }
    if not kept and not any(_hit(hits, b.start, b.end) and not _is_import(text, b) for b in statements):
        return None
    if caught_hits:
        kept |= {block for block in functions if text.find(".cancel(", block.start, block.end) >= 0}
    kept |= _related(text, lines, hits, functions, statements, kept)
    kept |= _decorated(text, lines, functions, kept)
    kept |= _mentioned(text, lines, functions, statements, kept, hits)
    return _render(text, lines, sorted((*functions, *statements)), kept)


def _outline(
    text: str,
    lines: list[LogicalLine],
    first: int,
    last: int,
    functions: list[_Block],
    statements: list[_Block],
    classes: list[_Block],
) -> None:
    """Sort what is between two logical lines into functions (whole), classes (with their insides) and the rest."""
    while first < last:
        line = lines[first]
        header = first
        while (match := _HEADER.match(text, lines[header].start)) and match[3] and header + 1 < last:
            header += 1
        end = header + 1
        while end < last and lines[end].indent > line.indent:
            end += 1
        assert match is not None
        block = _Block(first, end, line.start, lines[end - 1].end, match[1] or "", match[2] or "")
        if block.kind == "class":
            classes.append(block)
            _outline(text, lines, header + 1, end, functions, statements, classes)
        elif block.kind:
            functions.append(block)
        elif end - first > 1:
            _outline(text, lines, header + 1, end, functions, statements, classes)
        else:
            statements.append(block)
        first = end


def _hits(text: str, words: Iterable[str]) -> list[int]:
    """Where the words stand as whole identifiers, not as the callee of an await, sorted."""
    found = []
    for word in words:
        starts_inside, ends_inside = word[0].isalnum() or word[0] == "_", word[-1].isalnum() or word[-1] == "_"
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            alone = not (starts_inside and at and _inside(text[at - 1])) and not (
                ends_inside and end < len(text) and _inside(text[end])
            )
            if alone and not _AWAITED.search(text, max(0, at - 60), at):
                found.append(at)
            at = text.find(word, end)
    return sorted(found)


def _inside(char: str) -> bool:
    return char.isalnum() or char == "_"


def _hit(hits: Sequence[int], start: int, end: int) -> bool:
    at = bisect.bisect_left(hits, start)
    return at < len(hits) and hits[at] < end


def _related(
    text: str,
    lines: list[LogicalLine],
    hits: Sequence[int],
    functions: list[_Block],
    statements: list[_Block],
    kept: set[_Block],
) -> set[_Block]:
    """The functions a verdict on the kept ones may depend on: what is spawned and what that calls, and who
    else touches the attributes and globals that receivers come from and handles go to."""
    named: dict[str, list[_Block]] = {}
    for block in functions:
        named.setdefault(block.name, []).append(block)
    module_names = {name for b in statements for name in _bound(text, b)}
    module_names.update(n.strip() for g in _GLOBAL.findall(text) for n in g.split(","))

    targets: set[str] = set()
    receivers: set[str] = set()
    handles: set[str] = set()
    starts = [line.start for line in lines]
    for block in kept | {b for b in statements if _hit(hits, b.start, b.end)}:
        flowing: set[str] = set()  # where the handle goes: variables, and attributes with a dot in front
        local_receivers: set[str] = set()
        at = bisect.bisect_left(hits, block.start)
        while at < len(hits) and hits[at] < block.end:
            line = lines[bisect.bisect_right(starts, hits[at]) - 1]
            words = text[line.start : line.end]
            targets.update(named.keys() & set(_WORD.findall(words)))
            flowing.update(_stored(words))
            if receiver := _RECEIVER.search(text, line.start, hits[at]):
                local_receivers.update(_WORD.findall(receiver[1]))
            at += 1
        for _ in range(2):
            for line in lines[block.first : block.last]:
                words = text[line.start : line.end]
                found = set(_WORD.findall(words))
                if found & flowing:
                    flowing.update(_stored(words))
                if found & local_receivers and (bound := _ASSIGNED.match(words)) and bound[2] in local_receivers:
                    local_receivers.update(_WORD.findall(words, bound.end()))
        body = text[block.start : block.end]
        handles.update(n.removeprefix(".") for n in flowing if n[0] == "." or n in module_names)
        receivers.update(n for n in local_receivers if n in module_names or re.search(rf"\.\s*{n}\b", body))
        targets.update(named.keys() & local_receivers)

    related = {block for name in targets for block in named[name]}
    related |= {
        other
        for block in related
        for name in set(_CALLED.findall(text[block.start : block.end]))
        for other in named.get(name, ())
    }
    for b in kept:
        if b.name == "run":
            related |= {o for n in set(_CALLED.findall(text[b.start : b.end])) for o in named.get(n, ())}
    reads = _any_of(handles, r"\b(?:{})\b")
    stores = _any_of(receivers, r"\b(?:{})\b\s*(?::[^=\n]+)?=(?!=)")
    related |= {
        b
        for b in functions
        if (reads and reads.search(text, b.start, b.end))
        or (stores and stores.search(text, b.start, b.end))
        or b.name in receivers
    }
    return related


def _stored(words: str) -> list[str]:
    """The names that a line assigns to or adds to; attributes with a dot in front."""
    found = [m for m in (_ASSIGNED.match(words), *_ADDED.finditer(words)) if m is not None]
    return [f".{m[2]}" if m[1] else m[2] for m in found]


def _is_import(text: str, block: _Block) -> bool:
    return text.find("import", block.start, block.end) >= 0


def _bound(text: str, block: _Block) -> tuple[str, ...]:
    """The name that a statement assigns to or annotates."""
    bound = _BOUND.match(text, block.start, block.end)
    return (bound[1],) if bound else ()


def _any_of(names: set[str], pattern: str) -> re.Pattern[str] | None:
    names = names - {"self", "cls"}
    return re.compile(pattern.format("|".join(sorted(names)))) if names else None


def _decorated(text: str, lines: list[LogicalLine], functions: list[_Block], kept: set[_Block]) -> set[_Block]:
    """The functions under a decorator that is a kept function: it may spawn them."""
    names = {block.name for block in kept}
    found = set()
    for block in functions:
        if block.first + 1 < block.last and text.startswith("@", block.start + _margin(text, block.start)):
            header = text[block.start : lines[block.last - 1].start]
            if names.intersection(_WORD.findall(header.partition("def ")[0])):
                found.add(block)
    return found


def _mentioned(
    text: str,
    lines: list[LogicalLine],
    functions: list[_Block],
    statements: list[_Block],
    kept: set[_Block],
    hits: Sequence[int],
) -> set[_Block]:
    """The statements outside functions that say something of what is kept: imports, those with a word, and those about
    a name that is read there."""
    read: set[str] = set()
    for block in kept:
        read.update(_WORD.findall(text, block.start, block.end))
    found = set()
    for block in statements:
        if _hit(hits, block.start, block.end):
            read.update(_WORD.findall(text, block.start, block.end))
            found.add(block)
        elif _is_import(text, block):
            found.add(block)
    covered = {row for block in (*functions, *statements) for row in range(block.first, block.last)}
    for row, line in enumerate(lines):
        if row not in covered:
            read.update(_WORD.findall(text, line.start, line.end))
    targets = {name for group in _TARGETS.findall(text) for name in _WORD.findall(group)}
    names = {*_ALIAS.findall(text), *targets, *(name for b in statements for name in _bound(text, b))} & read
    for block in statements:
        start = block.start + _margin(text, block.start)
        bound = _BOUND.match(text, block.start, block.end)
        if bound and bound[1] in names:
            if block.end - block.start < _LONG or _CALLED.search(text, start, min(block.end, bound.end() + 80)):
                found.add(block)
        elif (
            not bound
            and names
            and block.end - block.start < _LONG
            and names.intersection(_WORD.findall(text, start, block.end))
        ):
            found.add(block)
    return found


def _render(text: str, lines: list[LogicalLine], blocks: Sequence[_Block], kept: set[_Block]) -> Slim:
    """The logical lines of the kept blocks and of all headers, stubs for the other functions, placeholders where a
    body would be empty. Blank lines and comments of their own go."""
    pieces: list[str] = []
    rows: list[int] = []
    row = counted = 0
    left_out = {block.first: block for block in blocks if block not in kept}
    skip_to = 0
    for at, line in enumerate(lines):
        if at < skip_to:
            continue
        row += text.count("\n", counted, line.start)
        counted = line.start
        block = left_out.get(at)
        piece = text[line.start : line.end]
        if block is not None:
            skip_to = block.last
            stub = _stub(text, lines, block) if block.kind else _placeholder(text, block)
            if stub is not None:
                piece = f"{stub}\n" if stub else ""
        if piece:
            pieces.append(piece if piece.endswith("\n") else f"{piece}\n")
            rows.extend(range(row, row + pieces[-1].count("\n")))
    rows.append(row)
    return Slim("".join(pieces), rows)


def _stub(text: str, lines: list[LogicalLine], block: _Block) -> str | None:
    if block.last - block.first == 1 and block.end - block.start < _LONG:
        return None
    header = next(
        line
        for line in lines[block.first : block.last]
        if not text.startswith("@", line.start + _margin(text, line.start))
    )
    typed = _RETURNS.search(text[header.start : header.end])
    margin = text[block.start : block.start + _margin(text, block.start)]
    return f"{margin}{block.kind} {block.name}(*_){f' -> {typed[1]}' if typed else ''}: ..."


def _margin(text: str, start: int) -> int:
    at = start
    while text[at] in " \t\f":
        at += 1
    return at - start


def _placeholder(text: str, block: _Block) -> str:
    """What stands for a statement: its name, or something that keeps the body of its block from being empty."""
    margin = text[block.start : block.start + _margin(text, block.start)]
    bound = _BOUND.match(text, block.start, block.end)
    if bound is None:
        return f"{margin}0" if margin else ""
    return f"{margin}{bound[1]} = ..."
