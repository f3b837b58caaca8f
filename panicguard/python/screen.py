"""What of a file must be parsed: nothing, where no rule's word stands in it; else its imports, its
module-level statements and the functions a rule could speak of.

A kept line keeps its columns, and `Slim.rows` its number. What is left out and binds a name that is read stays as a
stub. This reads text, not a tree, so it keeps too much rather than too
little: what is kept decides the cost, never the verdict (a test compares both over whole code bases).
"""

from __future__ import annotations

import bisect
import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.apis import IN_HANDLERS, METHODS_ELSEWHERE, NEEDS
from panicguard.python.lex import LogicalLine, Scan, depth, line_at, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ahocorasick_rs import AhoCorasick

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
_IMPORT = re.compile(r"[ \t\f]*(?:[^\n]*;[ \t\f]*)?(?:lazy[ \t]+)?(?:import|from)\b")
_FROM = re.compile(r"([ \t\f]*from\s+[\w.]+\s+import\s+)\(([^()]*\n[^()]*)\)\s*(?:#[^\n]*)?\Z")
_COMMENT = re.compile(r"#[^\n]*")
# Those that search whole texts start with plain letters, which is ten times faster than with \b.
_TARGETS = re.compile(r"for ([\w, ]+?) in\b")
_GLOBAL = re.compile(r"global\s+([\w, ]+)")
_NAMED = re.compile(r" as (\w+)")
_CALLED = re.compile(r"\b(\w+)\s*\(")
_CALLED_HERE = re.compile(r"(?<![\w.])(?:(?:self|cls)\s*\.\s*)?(\w+)\s*\(")
_WORD = re.compile(r"\w+")
_TARGET = re.compile(r"(?<!\)\.)\b\w+")
_RETURNS = re.compile(r"->\s*([^#\n]*(?:Loop|Executor|Pool|Thread|Group)[^#\n]*):\s*(?:#.*)?\Z")
_HANDLER = re.compile(r"[ \t\f]*except\b|.*\bsuppress\s*\(")
_RAISE = re.compile(r"[ \t\f]*raise\b")
_LEAVES = re.compile(r"\b(?:return|break|continue)\b")
_AWAITS = re.compile(r"\b(?:await|async)\b")
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
    """A statement and its body: logical lines first to last (exclusive), of which `header` is the first behind its
    decorators; where its text starts and ends."""

    first: int
    header: int
    last: int
    start: int
    end: int
    kind: str
    name: str


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
        if (word not in NEEDS or any(need in text for need in NEEDS[word])) and _hits(text, (word,))
    )


@functools.cache
def _matcher(words: tuple[str, ...]) -> AhoCorasick:
    from ahocorasick_rs import AhoCorasick

    return AhoCorasick(words)


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
                margin = text[line.start : _body(text, line.start)]
                pieces += (text[done : line.start], margin, "0", "\n" * text.count("\n", line.start, line.end))
                done = line.end
    if not pieces:
        return text, scanned
    text = "".join((*pieces, text[done:]))
    return text, scan(text)


class Slim(NamedTuple):
    """What is left of a text, and the row (from 0) in it that each row of what is left comes from."""

    text: str
    rows: Sequence[int]


def slim(text: str, scanned: Scan, words: Sequence[str], caught: Sequence[str], names: Iterable[str]) -> Slim | None:
    """The text (newlines all `\\n`) without what no rule needs; None where that is all of it.

    A word makes the function it stands in worth reading; one of `caught` where an async function handles it. What
    is bound to one of `names` is kept as if it were read.
    """
    if not scanned.sound:
        return Slim(text, range(text.count("\n") + 1))
    lines = [line for line in scanned.lines if not line.blank]
    functions: list[_Block] = []
    statements: list[_Block] = []
    classes: list[_Block] = []
    _outline(text, lines, 0, len(lines), functions, statements, classes)

    hits = [
        at
        for at in _hits(text, words)
        if not _in_string(text, scanned, at)
        and not (text.startswith(IN_HANDLERS, at) and _in_handler(text, lines, line_at(lines, at)))
    ]
    aliases = {name for block in statements for name in _aliases(text, hits, block)}
    aliases.update(c.name for c in classes if _hit(hits, c.start, lines[c.header].end))
    hits = sorted({*hits, *(at for at in _hits(text, aliases) if not _in_string(text, scanned, at))})
    rows = (line_at(lines, at) for at in _hits(text, caught))
    caught_hits = sorted({lines[row].start for row in rows if _may_swallow(text, lines, row)})

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
    read = _read(text, lines, hits, functions, statements, kept).union(names)
    kept |= _mentioned(text, statements, hits, read)
    return _render(text, lines, sorted((*functions, *statements)), kept, read)


def _aliases(text: str, hits: Sequence[int], block: _Block) -> Iterator[str]:
    """The names that a statement gives to what its words stand for."""
    at = bisect.bisect_left(hits, block.start)
    if at == len(hits) or hits[at] >= block.end:
        return
    if _is_import(text, block):
        yield from _ALIAS.findall(text, block.start, block.end)
    elif not _CALLED.match(text, hits[at]):
        yield from _bound(text, block)


def _in_string(text: str, scanned: Scan, at: int) -> bool:
    """Whether an offset is in a comment, or in a string of several lines that is no f-string."""
    for spans in (scanned.comments, scanned.strings):
        index = bisect.bisect_right(spans, (at, at)) - 1
        if index >= 0 and spans[index][0] <= at < spans[index][1]:
            prefix = text[max(0, spans[index][0] - 2) : spans[index][0]]
            return spans is scanned.comments or "f" not in prefix.lower()
    return False


def _in_handler(text: str, lines: list[LogicalLine], row: int) -> bool:
    """Whether a logical line stands in a handler of its function."""
    indent = lines[row].indent
    for line in reversed(lines[:row]):
        if line.indent < indent:
            indent = line.indent
            start = _body(text, line.start)
            if text.startswith(("except", "finally"), start):
                return True
            if text.startswith(("def ", "async def", "class "), start):
                return False
    return False


def _may_swallow(text: str, lines: list[LogicalLine], row: int) -> bool:
    """Whether a logical line starts a handler, of code that awaits, that does not always end in `raise`."""
    line = lines[row]
    if not _HANDLER.match(text, line.start):
        return False
    last = _end(lines, row)
    if not text.startswith("except", _body(text, line.start)):
        return bool(_AWAITS.search(text, line.start, lines[last - 1].end))
    for above in reversed(lines[:row]):
        if above.indent < line.indent:
            return False
        if above.indent == line.indent and text.startswith("try", _body(text, above.start)):
            break
    else:
        return False
    if not _AWAITS.search(text, above.start, line.start):
        return False
    if last == row + 1:
        return True
    body = lines[row + 1].indent
    final = max(i for i in range(row + 1, last) if lines[i].indent == body)
    return not _RAISE.match(text, lines[final].start) or bool(_LEAVES.search(text, line.end, lines[final].start))


def _end(lines: list[LogicalLine], row: int) -> int:
    """The row behind the body of a logical line."""
    end = row + 1
    while end < len(lines) and lines[end].indent > lines[row].indent:
        end += 1
    return end


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
        end = min(_end(lines, header), last)
        assert match is not None
        block = _Block(first, header, end, line.start, lines[end - 1].end, match[1] or "", match[2] or "")
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
            if alone and _may_be_code(text, word, at):
                found.append(at)
            at = text.find(word, end)
    return sorted(found)


def _may_be_code(text: str, word: str, at: int) -> bool:
    """Whether a word is not the callee of an `await`, nor all of a string (unless for getattr), nor a method of other
    things than the one that is meant."""
    before = max(0, at - 60)
    if text[at - 1 : at] in ("'", '"') and text[at + len(word) : at + len(word) + 1] == text[at - 1]:
        return text.find("getattr", before, at) >= 0
    if _AWAITED.search(text, before, at):
        return False
    receiver = _RECEIVER.search(text, before, at) if word in METHODS_ELSEWHERE else None
    return receiver is None or receiver[1].rstrip(". ") in METHODS_ELSEWHERE[word]


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
    for block in kept | {b for b in statements if _hit(hits, b.start, b.end)}:
        flowing: set[str] = set()  # where the handle goes: variables, and attributes with a dot in front
        local_receivers: set[str] = set()
        at = bisect.bisect_left(hits, block.start)
        while at < len(hits) and hits[at] < block.end:
            line = lines[line_at(lines, hits[at])]
            words = text[line.start : line.end]
            targets.update(named.keys() & set(_TARGET.findall(words)))
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
        handles.update(n for n in flowing if n[0] == "." or n in module_names)
        receivers.update(n for n in local_receivers if n in module_names or re.search(rf"\.\s*{n}\b", body))
        targets.update(named.keys() & local_receivers)

    related = {block for name in targets for block in named[name]}
    related |= {
        other
        for block in related
        for name in set(_CALLED_HERE.findall(text[block.start : block.end]))
        for other in named.get(name, ())
    }
    for b in kept:
        if b.name == "run":
            related |= {o for n in set(_CALLED_HERE.findall(text[b.start : b.end])) for o in named.get(n, ())}
    reads = _any_of({rf"\.\s*{n[1:]}" if n[0] == "." else rf"\b{n}" for n in handles}, r"(?:{})\b")
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
    return _IMPORT.match(text, block.start, block.end) is not None


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
        if block.first + 1 < block.last and text.startswith("@", _body(text, block.start)):
            header = text[block.start : lines[block.last - 1].start]
            if names.intersection(_WORD.findall(header.partition("def ")[0])):
                found.add(block)
    return found


def _read(
    text: str,
    lines: list[LogicalLine],
    hits: Sequence[int],
    functions: list[_Block],
    statements: list[_Block],
    kept: set[_Block],
) -> set[str]:
    """The words of what is kept: the kept blocks, the statements with a word in them, and all headers."""
    read: set[str] = set()
    for block in (*kept, *(b for b in statements if _hit(hits, b.start, b.end))):
        read.update(_WORD.findall(text, block.start, block.end))
    covered = {row for block in (*functions, *statements) for row in range(block.first, block.last)}
    for row, line in enumerate(lines):
        if row not in covered:
            read.update(_WORD.findall(text, line.start, line.end))
    return read


def _mentioned(text: str, statements: list[_Block], hits: Sequence[int], read: set[str]) -> set[_Block]:
    """The statements outside functions that say something of what is kept: those with a word, and the imports and
    others that are about a name that is read there."""
    found = {block for block in statements if _hit(hits, block.start, block.end)}
    targets = {name for group in _TARGETS.findall(text) for name in _WORD.findall(group)}
    names = {*_NAMED.findall(text), *targets, *(name for b in statements for name in _bound(text, b))} & read
    for block in statements:
        start = _body(text, block.start)
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
    read = read.union(*(_WORD.findall(text, block.start, block.end) for block in found))
    found |= {
        block
        for block in statements
        if _is_import(text, block)
        and ("*" in text[block.start : block.end] or not read.isdisjoint(_WORD.findall(text, block.start, block.end)))
    }
    return found


def _render(text: str, lines: list[LogicalLine], blocks: Sequence[_Block], kept: set[_Block], read: set[str]) -> Slim:
    """The logical lines of the kept blocks and of all headers; a stub for what else binds a name that is read; a
    placeholder where a body would be empty. Blank lines and comments of their own go."""
    pieces: list[str] = []
    rows: list[int] = []
    row = counted = 0
    starting = {block.first: block for block in blocks}
    left_out_to = kept_to = 0
    empty: tuple[int, str] | None = None  # a header without a body yet: its columns and its margin
    for at, line in enumerate(lines):
        if at < left_out_to:
            continue
        row += text.count("\n", counted, line.start)
        counted = line.start
        piece = text[line.start : line.end]
        block = starting.get(at)
        if block is not None:
            if block in kept:
                kept_to = block.last
                if not block.kind and (imported := _FROM.match(piece)):
                    piece = _narrowed(imported, read)
            else:
                left_out_to = block.last
                piece = _stub(text, lines, block) if block.name in read else _placeholder(text, block, read)
                if not piece:
                    continue
        if empty is not None and line.indent <= empty[0]:
            pieces.append(f"{empty[1]} 0\n")
            rows.append(row)
        is_header = at >= max(kept_to, left_out_to) and at + 1 < len(lines) and lines[at + 1].indent > line.indent
        empty = (line.indent, text[line.start : _body(text, line.start)]) if is_header else None
        pieces.append(piece if piece.endswith("\n") else f"{piece}\n")
        rows.extend(range(row, row + pieces[-1].count("\n")))
    if empty is not None:
        pieces.append(f"{empty[1]} 0\n")
        rows.append(row)
    rows.append(row)
    return Slim("".join(pieces), rows)


def _narrowed(statement: re.Match[str], read: set[str]) -> str:
    """A `from x import (...)` of several lines with only the names that are read."""
    names = _COMMENT.sub("", statement[2]).split(",")
    kept = [name.strip() for name in names if not read.isdisjoint(_WORD.findall(name))]
    return f"{statement[1]}{', '.join(' '.join(name.split()) for name in kept)}" if kept else statement[0]


def _stub(text: str, lines: list[LogicalLine], block: _Block) -> str:
    """What stands for a function: its name, and what it returns where that may be spawned on."""
    if block.last - block.first == 1 and block.end - block.start < _LONG:
        return text[block.start : block.end]
    header = lines[block.header]
    typed = _RETURNS.search(text[header.start : header.end])
    margin = text[block.start : _body(text, block.start)]
    return f"{margin}{block.kind} {block.name}(*_){f' -> {typed[1]}' if typed else ''}: ..."


def _placeholder(text: str, block: _Block, read: set[str]) -> str:
    """What stands for a statement: the name it binds, if that is read."""
    bound = _BOUND.match(text, block.start, block.end)
    if block.kind or bound is None or bound[1] not in read:
        return ""
    return f"{text[block.start : _body(text, block.start)]}{bound[1]} = ..."


def _body(text: str, start: int) -> int:
    """Where the code of a line starts, behind its margin."""
    while text[start] in " \t\f":
        start += 1
    return start
