"""Suppression comments: which diagnostics they silence, and which of them silence nothing.

Everything here is a pure function of one file's text; offsets count code points of `Source.text`. The grammar
and the placement are Ruff's under our own tool word, and wider where a multi-line call or an argument list
leaves no other place for a comment:

    # noqa                         every diagnostic of the line
    # noqa: PNC101, bare-thread    these, by code or by name
    # panicguard: ignore[PNC101]   behind code: that line; on its own line: the next logical line
    # panicguard: disable[PNC101]  up to `enable[PNC101]` of the same block, or the end of the block
    # panicguard: file-ignore[PNC1]
    # panicguard: noqa: PNC1       the whole file, prefixes too; without codes: everything
    # flake8: noqa                 likewise

Other tools' codes are read past and never reported or removed.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.model import Diagnostic, Edit, Fix
from panicguard.python.lex import Scan, line_at, scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from panicguard.source import Source

UNUSED = "PNC900"

_SEGMENT = re.compile(r"#([^#]*)")
_NOQA = re.compile(r"\s*(?:(?P<tool>panicguard|flake8)\s*:\s*)?(?i:noqa)(?P<colon>\s*:)?")
_OURS = re.compile(
    r"\s*panicguard\s*:\s*"
    r"(?P<verb>(?:ignore|file-ignore|disable|enable)\b|[\w-]+(?=\s*[\[(:]))\s*"
    r"(?P<list>\[(?P<codes>[^\]]*)\])?"
)
_NEXT_SEGMENT = re.compile(r"\s#(?!\d)")  # "see #123" is a reason
_SEPARATOR = re.compile(r"[\s,]*")
_CODE = re.compile(r"[A-Z]+[0-9]+")
_PREFIX = re.compile(r"PNC(?![A-Za-z0-9])")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+(?![\w-])")
_MENTIONS_US = re.compile(r"PNC[0-9]|panicguard")


class Kind(enum.Enum):
    NOQA = "noqa"
    FILE_NOQA = "panicguard: noqa"
    FLAKE8_NOQA = "flake8: noqa"
    IGNORE = "ignore"
    FILE_IGNORE = "file-ignore"
    DISABLE = "disable"
    ENABLE = "enable"


@dataclass(frozen=True, slots=True)
class Code:
    """`text[start:end]`, one code, prefix or rule name as it stands in a comment."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Directive:
    """One suppression in a comment, `text[start:end]` from its `#` to the end of its codes.

    `comment` is the whole comment, which may hold more than this. `codes` is None where all are meant.
    """

    kind: Kind
    start: int
    end: int
    comment: tuple[int, int]
    codes: tuple[Code, ...] | None


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """What a comment at an offset is, and why: two halves of a warning, the place goes between."""

    start: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Comments:
    """What a file's comments say, and where they fail to."""

    directives: tuple[Directive, ...]
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where one code of a directive holds: on a row, or on what lies in `low` to `high`.

    `closing` is the same code in the `enable` that ends it.
    """

    directive: Directive
    code: Code | None
    rank: int
    low: int = 0
    high: int = 0
    row: int = 0
    closing: tuple[Directive, Code] | None = None


def marks(rules: Mapping[str, str]) -> tuple[str, ...]:
    """Without one of these in it a file has no comment that speaks of us."""
    return ("panicguard", "PNC", *rules.values())


def suppress(
    source: Source,
    diagnostics: Sequence[Diagnostic],
    rules: Mapping[str, str],
    enabled: frozenset[str],
) -> tuple[Diagnostic, ...]:
    """The diagnostics that no comment silences, with `noqa_row` set, and PNC900 for comments that silence
    nothing; by position.

    `rules` maps the code of every rule to its name; `enabled` are the codes looked for in this file.
    Syntax, read and internal errors stay, and where there is one no comment is called unused.
    """
    scanned = scan(source.text)
    placed = [_placed(source, scanned, diagnostic) for diagnostic in diagnostics]
    scopes, _ = _scopes(source, scanned, _read(source, scanned, rules).directives)
    left, used = _match(source, scanned, placed, scopes, rules)
    if UNUSED in enabled and all(diagnostic.is_rule for diagnostic in diagnostics):
        found = [_placed(source, scanned, unused) for unused in _unused(source, scopes, used, rules, enabled)]
        silencing = [scope for scope in scopes if scope.code is not None or _silences_all(scope, used)]
        left += _match(source, scanned, found, silencing, rules)[0]
    return tuple(sorted(left, key=lambda diagnostic: (diagnostic.start, diagnostic.end, diagnostic.code)))


def place(source: Source, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics with `noqa_row`, the row on which Ruff would look for a `noqa`."""
    if not diagnostics:
        return ()
    scanned = scan(source.text)
    return tuple(_placed(source, scanned, diagnostic) for diagnostic in diagnostics)


def warnings(source: Source, rules: Mapping[str, str]) -> tuple[str, ...]:
    """What to tell about comments that try to suppress and cannot; only about comments that speak of us."""
    if "panicguard" not in source.text and "PNC" not in source.text:
        return ()
    scanned = scan(source.text)
    comments = _read(source, scanned, rules)
    _, stray = _scopes(source, scanned, comments.directives)
    return tuple(
        f"{complaint.what} on {source.path}:{source.location(complaint.start)[0]}: {complaint.why}"
        for complaint in sorted((*comments.complaints, *stray))
    )


# Reading


def _read(source: Source, scanned: Scan, rules: Mapping[str, str]) -> Comments:
    directives: list[Directive] = []
    complaints: list[Complaint] = []
    names = frozenset(rules.values())
    for start, end in scanned.comments:
        before = source.text[source.line_starts[source.location(start)[0] - 1] : start]
        own_line = not before.strip()
        has_noqa = False
        for segment in _SEGMENT.finditer(source.text, start, end):
            if head := _NOQA.match(segment[1]):
                if has_noqa and not head["tool"]:
                    continue  # of two on a line the first counts
                has_noqa = has_noqa or not head["tool"]
                directive, why = _noqa(segment, head, own_line, names)
                label = f"`# {head['tool']}: noqa`" if head["tool"] else "`# noqa`"
            elif head := _OURS.match(segment[1]):
                directive, why = _bracketed(segment, head, own_line, not before)
                label = f"`# panicguard: {head['verb']}`"
            else:
                continue
            if directive:
                directives.append(dataclasses.replace(directive, comment=(start, end)))
            if why and _MENTIONS_US.search(segment[0]):
                what = f"Missing or joined rule codes in {label}" if directive else f"Invalid {label} directive"
                complaints.append(Complaint(segment.start(), what, why))
    return Comments(tuple(directives), tuple(complaints))


_VERBS = {kind.value: kind for kind in (Kind.IGNORE, Kind.FILE_IGNORE, Kind.DISABLE, Kind.ENABLE)}
_TOOLS = {None: Kind.NOQA, "panicguard": Kind.FILE_NOQA, "flake8": Kind.FLAKE8_NOQA}


def _noqa(
    segment: re.Match[str], head: re.Match[str], own_line: bool, names: frozenset[str]
) -> tuple[Directive | None, str | None]:
    """The directive in a comment's segment, and what is wrong with it or about it."""
    kind = _TOOLS[head["tool"]]
    if kind is not Kind.NOQA and not own_line:
        return None, f"it holds for the file and must stand alone; for one line leave `{head['tool']}:` out"
    body = segment[1]
    offset = segment.start(1)
    if head["colon"] is None:
        if body[head.end() : head.end() + 1].strip():
            return None, "expected a colon and codes, or a space, after `noqa`"
        return Directive(kind, segment.start(), offset + head.end(), (0, 0), None), None
    codes: list[Code] = []
    complaint = None
    position = head.end()
    while position < len(body):
        separator = _SEPARATOR.match(body, position)
        assert separator is not None
        begin = separator.end()
        item = _CODE.match(body, begin)
        if item is None and (not codes or "," in separator[0]):
            name = _NAME.match(body, begin)
            item = name if name and name[0] in names else None
            if item is None and kind is not Kind.NOQA:
                item = _PREFIX.match(body, begin)
        if item is None:
            if codes and not separator[0] and begin < len(body):
                return None, f"unexpected {body[begin]!r} after a code"
            break
        if not (re.fullmatch(r",?\s*" if codes else r"\s*", separator[0]) and (separator[0] or not codes)):
            complaint = "expected one comma between two codes"
        codes.append(Code(item[0], offset + item.start(), offset + item.end()))
        position = item.end()
        if body[position : position + 1].strip() and not re.match(r"[,A-Z]", body[position]):
            return None, f"unexpected {body[position]!r} after a code"
    if not codes:
        return None, "expected codes such as `PNC101` after the colon"
    return Directive(kind, segment.start(), codes[-1].end, (0, 0), tuple(codes)), complaint


def _bracketed(
    segment: re.Match[str], head: re.Match[str], own_line: bool, at_margin: bool
) -> tuple[Directive | None, str | None]:
    kind = _VERBS.get(head["verb"])
    if kind is None:
        return None, f"expected one of {', '.join(_VERBS)}, or noqa"
    if head["list"] is None:
        return None, "expected codes in brackets, as in `[PNC101]`"
    if kind is not Kind.IGNORE and not own_line:
        return None, "it must stand on its own line"
    if kind is Kind.FILE_IGNORE and not at_margin:
        return None, "it holds for the file and must start at the margin"
    offset = segment.start(1)
    items = list(re.finditer(r"[^,]+", head["codes"]))
    if items and not items[-1][0].strip():
        items.pop()
    codes = []
    for item in items:
        text = item[0].strip()
        if not re.fullmatch(r"[A-Z]+[0-9]+|[a-z0-9]+(-[a-z0-9]+)*" + "|PNC" * (kind is Kind.FILE_IGNORE), text):
            return None, f"{text!r} is neither a code nor a name"
        start = offset + head.start("codes") + item.start() + item[0].index(text)
        codes.append(Code(text, start, start + len(text)))
    if not codes:
        return None, "expected codes in brackets, as in `[PNC101]`"
    return Directive(kind, segment.start(), offset + head.end("list"), (0, 0), tuple(codes)), None


# Placing


def _placed(source: Source, scanned: Scan, diagnostic: Diagnostic) -> Diagnostic:
    if not diagnostic.is_rule:
        return diagnostic
    row = source.location(diagnostic.start)[0]
    line_start, line_end = _line(source, row)
    for start, end in sorted((*scanned.strings, *scanned.joined)):
        if start < line_end and line_start <= end:
            row = source.location(end)[0]
            line_start, line_end = _line(source, row)
    return dataclasses.replace(diagnostic, noqa_row=row)


def _line(source: Source, row: int) -> tuple[int, int]:
    """The start and end of a row, its newline included; past the last row, nothing at the end of the text."""
    starts = (*source.line_starts[row - 1 : row + 1], len(source.text), len(source.text))
    return starts[0], starts[1]


def _statement(source: Source, scanned: Scan, offset: int) -> tuple[int, int]:
    """The first and last row of the logical line at an offset."""
    line = scanned.lines[line_at(scanned.lines, offset)]
    return source.location(line.start)[0], source.location(max(line.start, line.end - 1))[0]


def _rows(source: Source, scanned: Scan, diagnostic: Diagnostic) -> tuple[int, ...]:
    """The rows on which a line's comment reaches the diagnostic, the best first."""
    start = source.location(diagnostic.start)[0]
    first, last = _statement(source, scanned, diagnostic.start) if scanned.lines else (start, start)
    return tuple(dict.fromkeys((diagnostic.noqa_row or start, start, last, first)))


def _scopes(source: Source, scanned: Scan, directives: Sequence[Directive]) -> tuple[list[_Scope], list[Complaint]]:
    """The scope of every code of every directive, and a warning for each `enable` that ends nothing."""
    scopes: list[_Scope] = []
    open_ranges: list[tuple[int, _Scope]] = []
    stray: list[Complaint] = []
    whole = (0, len(source.text) + 1)

    for directive in directives:
        codes: tuple[Code | None, ...] = (None,) if directive.codes is None else directive.codes
        row = source.location(directive.start)[0]
        match directive.kind:
            case Kind.NOQA:
                scopes += [_Scope(directive, code, 2, row=row) for code in codes]
            case Kind.FILE_NOQA | Kind.FLAKE8_NOQA | Kind.FILE_IGNORE:
                scopes += [_Scope(directive, code, 0, *whole) for code in codes]
            case Kind.IGNORE:
                if source.text[source.line_starts[row - 1] : directive.comment[0]].strip():
                    scopes += [_Scope(directive, code, 1, row=row) for code in codes]
                else:
                    low, high = _next_line(source, scanned, directive.comment[1], row)
                    scopes += [_Scope(directive, code, 1, low, high) for code in codes]
            case Kind.DISABLE:
                block, high = _block(source, scanned, directive)
                open_ranges += [(block, _Scope(directive, code, 1, directive.end, high)) for code in codes]
            case Kind.ENABLE:
                block, _ = _block(source, scanned, directive)
                for code in codes:
                    assert code is not None
                    found = next(
                        (
                            i
                            for i in reversed(range(len(open_ranges)))
                            if open_ranges[i][0] == block
                            and open_ranges[i][1].high > directive.start
                            and (opened := open_ranges[i][1].code) is not None
                            and opened.text == code.text
                        ),
                        None,
                    )
                    if found is None:
                        why = f"`{code.text}` is not disabled here"
                        stray.append(Complaint(directive.start, "Invalid `# panicguard: enable` directive", why))
                        continue
                    _, scope = open_ranges.pop(found)
                    scopes.append(dataclasses.replace(scope, high=directive.start, closing=(directive, code)))
    scopes += [scope for _, scope in open_ranges]
    return sorted(scopes, key=lambda scope: (scope.rank, -scope.directive.start)), stray


def _next_line(source: Source, scanned: Scan, offset: int, row: int) -> tuple[int, int]:
    """What an own-line `ignore` that ends at an offset holds for: the next logical line, or within brackets
    the next physical one."""
    at = line_at(scanned.lines, offset - 1)
    if not scanned.lines[at].blank:
        return _line(source, row + 1)
    following = next((line for line in scanned.lines[at + 1 :] if not line.blank), None)
    return (following.start, following.end) if following else (offset, offset)


def _block(source: Source, scanned: Scan, directive: Directive) -> tuple[int, int]:
    """What an `enable` must share with its `disable`, and the end of the block around an own-line comment.

    Within brackets that is the statement around it; elsewhere the indentation, and the innermost block that
    begins no further right than the comment.
    """
    at = line_at(scanned.lines, directive.start)
    here = scanned.lines[at]
    if not here.blank:
        return -1 - here.start, here.end
    before = next((line.indent for line in reversed(scanned.lines[:at]) if not line.blank), 0)
    rest = [line for line in scanned.lines[at + 1 :] if not line.blank]
    after = rest[0].indent if rest else 0
    indent = max((i for i in (before, after) if i <= here.indent), default=0)
    return here.indent, next((line.start for line in rest if line.indent < indent), len(source.text) + 1)


# Matching


def _match(
    source: Source,
    scanned: Scan,
    diagnostics: Sequence[Diagnostic],
    scopes: Sequence[_Scope],
    rules: Mapping[str, str],
) -> tuple[list[Diagnostic], set[_Scope]]:
    """The diagnostics that no scope covers, and the scopes that covered one."""
    by_row: dict[int, list[_Scope]] = {}
    for scope in scopes:
        if scope.row:
            by_row.setdefault(scope.row, []).append(scope)
    ranges = [scope for scope in scopes if not scope.row]
    left: list[Diagnostic] = []
    used: set[_Scope] = set()
    for diagnostic in diagnostics:
        if not diagnostic.is_rule:
            left.append(diagnostic)
            continue
        on_rows = [scope for row in _rows(source, scanned, diagnostic) for scope in by_row.get(row, ())]
        candidates = sorted((*ranges, *on_rows), key=lambda scope: scope.rank) if on_rows else ranges
        for scope in candidates:
            if (scope.row or _within(diagnostic, scope)) and _names(scope, diagnostic.code, rules):
                used.add(scope)
                break
        else:
            left.append(diagnostic)
    return left, used


def _silences_all(scope: _Scope, used: set[_Scope]) -> bool:
    """Whether a comment without codes covers PNC900: one for the file does, unless it is unused itself."""
    kind = scope.directive.kind
    return kind is Kind.FLAKE8_NOQA or (kind is Kind.FILE_NOQA and scope in used)


def _within(diagnostic: Diagnostic, scope: _Scope) -> bool:
    if scope.directive.kind is Kind.IGNORE:
        return scope.low <= diagnostic.start < scope.high
    return scope.low <= diagnostic.start and diagnostic.end <= scope.high


def _names(scope: _Scope, code: str, rules: Mapping[str, str]) -> bool:
    if scope.code is None:
        return True
    text = scope.code.text
    if scope.rank == 0 and text.startswith("PNC") and code.startswith(text):
        return True
    return text in (code, rules.get(code))


# The unused


def _unused(
    source: Source,
    scopes: Sequence[_Scope],
    used: set[_Scope],
    rules: Mapping[str, str],
    enabled: frozenset[str],
) -> Iterator[Diagnostic]:
    """A PNC900 for each directive that holds a code of ours that did nothing."""
    codes = {name: code for code, name in rules.items()}
    by_directive: dict[Directive, list[_Scope]] = {}
    for scope in scopes:
        by_directive.setdefault(scope.directive, []).append(scope)
    for directive, own in by_directive.items():
        if directive.codes is None:
            if directive.kind is Kind.FILE_NOQA and own[0] not in used:
                yield _diagnostic(rules, directive, "(blanket)", _removal(source, directive, ()))
            continue
        if any(codes.get(code.text, code.text) == UNUSED for code in directive.codes):
            continue
        faults: dict[str, list[str]] = {}
        gone: list[_Scope] = []
        seen: set[str] = set()
        for scope in sorted(own, key=lambda scope: scope.code.start if scope.code else 0):
            assert scope.code is not None
            fault = _fault(scope, scope in used, seen, codes, rules, enabled)
            seen.add(codes.get(scope.code.text, scope.code.text))
            if fault is not None:
                faults.setdefault(fault, []).append(f"`{scope.code.text}`")
                gone.append(scope)
        if gone:
            said = "; ".join(f"{fault}: {', '.join(texts)}" for fault, texts in faults.items())
            edits = _removal(source, directive, [s.code for s in gone if s.code])
            closed: dict[Directive, list[Code]] = {}
            for scope in gone:
                if scope.closing is not None:
                    closed.setdefault(scope.closing[0], []).append(scope.closing[1])
            for closing, ended in closed.items():
                edits += _removal(source, closing, ended)
            yield _diagnostic(rules, directive, f"({said})", edits)


def _fault(
    scope: _Scope,
    used: bool,
    seen: set[str],
    codes: Mapping[str, str],
    rules: Mapping[str, str],
    enabled: frozenset[str],
) -> str | None:
    """What is wrong with one code of a directive; `seen` are the codes before it, `codes` by name."""
    assert scope.code is not None
    text = scope.code.text
    code = codes.get(text, text)
    ours_alone = scope.directive.kind not in (Kind.NOQA, Kind.FLAKE8_NOQA)
    if not (ours_alone or code in rules or re.fullmatch(r"PNC[0-9]*", code)):
        return None
    if code in seen:
        return "duplicated"
    if used:
        return None
    meant = {rule for rule in rules if _names(scope, rule, rules)}
    if not meant:
        return "unknown"
    return "unused" if meant & enabled else "non-enabled"


def _diagnostic(rules: Mapping[str, str], directive: Directive, why: str, edits: tuple[Edit, ...]) -> Diagnostic:
    return Diagnostic(
        UNUSED,
        rules.get(UNUSED, "unused-suppression"),
        f"Unused suppression {why}",
        directive.start,
        directive.end,
        Fix("Remove unused suppression", tuple(sorted(edits))),
    )


def _removal(source: Source, directive: Directive, gone: Sequence[Code]) -> tuple[Edit, ...]:
    """The edits that take codes out of a directive, or all of it when none is left."""
    codes = directive.codes or ()
    kept = [code for code in codes if code not in gone]
    if not kept:
        return (_without(source, directive),)
    spans: list[tuple[int, int]] = []
    for i, code in enumerate(codes):
        if code in kept:
            continue
        after_kept = code.start > kept[0].start
        start, end = (codes[i - 1].end, code.end) if after_kept else (code.start, codes[i + 1].start)
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(Edit(start, end, "") for start, end in spans)


def _without(source: Source, directive: Directive) -> Edit:
    """The edit that removes a directive and its reason: with it the comment when there is no more to
    it, and the line when the comment stands alone."""
    text = source.text
    begin, end = directive.comment
    if following := _NEXT_SEGMENT.search(text, directive.end, end):
        return Edit(directive.start, following.end() - 1, "")
    if directive.start > begin:
        return Edit(len(text[: directive.start].rstrip()), end, "")
    line_start, line_end = _line(source, source.location(begin)[0])
    before = text[line_start:begin].rstrip()
    return Edit(line_start + len(before), end, "") if before else Edit(line_start, line_end, "")
