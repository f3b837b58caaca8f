"""Suppression comments: their grammar.

It is Ruff's with panicguard's own tool word, and also accepts names where those say more than codes:

    # noqa                         every diagnostic of the line
    # noqa: PNC101, bare-thread    these, by code or by name
    # panicguard: ignore[PNC101]   after code: that line; on its own line: the next logical line
    # panicguard: disable[PNC101]  up to `enable[PNC101]` of the same block, or the end of the block
    # panicguard: file-ignore[PNC1]
    # panicguard: noqa: PNC1       the whole file, prefixes too; without codes: everything
    # flake8: noqa                 likewise

In Go, they begin with `//`, and there is golangci-lint's own:

    //nolint:panicguard // why     see `panicguard.suppression.nolint`

Offsets count code points of `Source.text`.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.languages import style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panicguard.lines import Scan
    from panicguard.source import Source

_NOQA = re.compile(r"\s*(?:(?P<tool>panicguard|flake8)\s*:\s*)?(?i:noqa)(?P<colon>\s*:)?")
_OURS = re.compile(
    r"\s*panicguard\s*:\s*"
    r"(?P<verb>(?:ignore|file-ignore|disable|enable)\b|[\w-]+(?=\s*[\[(:]))\s*"
    r"(?P<list>\[(?P<codes>[^\]]*)\])?"
)
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
    NOLINT = "nolint"


@dataclass(frozen=True, slots=True)
class Code:
    """`text[start:end]`, one code, prefix or rule name as written in a comment."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Directive:
    """One suppression in a comment, `text[start:end]` from its mark to the end of its codes.

    `comment` is the whole comment, which may contain more. `codes` is None if all are meant.
    """

    kind: Kind
    start: int
    end: int
    comment: tuple[int, int]
    codes: tuple[Code, ...] | None


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """What is wrong with the comment at an offset, and why: the two halves of a warning, with the place in between."""

    start: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Comments:
    """The directives in a file's comments, and what is wrong with comments that are not valid directives."""

    directives: tuple[Directive, ...]
    complaints: tuple[Complaint, ...]


def read(source: Source, scanned: Scan, rules: Mapping[str, str]) -> Comments:
    """The directives of a file and what is wrong with invalid ones; `rules` maps codes to names."""
    mark, segments = style(source).mark, style(source).segment
    directives: list[Directive] = []
    complaints: list[Complaint] = []
    names = frozenset(rules.values())
    for start, end in scanned.comments:
        before = source.text[source.line_starts[source.location(start)[0] - 1] : start]
        own_line = not before.strip()
        has_noqa = False
        for segment in segments.finditer(source.text, start, end):
            if head := _NOQA.match(segment[1]):
                if has_noqa and not head["tool"]:
                    continue  # of two on a line the first counts
                directive, why = _noqa(segment, head, own_line, names)
                has_noqa = has_noqa or (directive is not None and directive.kind is Kind.NOQA)
                label = f"`{mark} {head['tool']}: noqa`" if head["tool"] else f"`{mark} noqa`"
                meant = _MENTIONS_US.search(segment[0]) is not None
            elif head := _OURS.match(segment[1]):
                directive, why = _bracketed(segment, head, own_line, not before)
                label = f"`{mark} panicguard: {head['verb']}`"
                meant = _is_meant(head, names)
            else:
                continue
            if directive:
                directives.append(dataclasses.replace(directive, comment=(start, end)))
            if why and meant and not _is_quoted(source, start, segment.start()):
                what = f"Missing or joined rule codes in {label}" if directive else f"Invalid {label} directive"
                complaints.append(Complaint(segment.start(), what, why))
    return Comments(tuple(directives), tuple(complaints))


def _is_quoted(source: Source, start: int, at: int) -> bool:
    """Whether a quote stands in a comment, which starts at an offset, before another offset."""
    return at > start and source.text[at - 1] in "`'\""


_VERBS = {kind.value: kind for kind in (Kind.IGNORE, Kind.FILE_IGNORE, Kind.DISABLE, Kind.ENABLE)}
_TOOLS = {None: Kind.NOQA, "panicguard": Kind.FILE_NOQA, "flake8": Kind.FLAKE8_NOQA}


def _is_meant(head: re.Match[str], names: frozenset[str]) -> bool:
    """Whether a comment that begins like a directive, and is not one, is more than prose: a misspelled verb with
    panicguard's codes in brackets, or a correct verb with codes, with an invalid list, or alone."""
    words = re.findall(r"[\w-]+", head.string[head.end("verb") :])
    has_codes = any(word in names or re.match("PNC[0-9]", word) for word in words)
    rest = head.string[head.end("verb") :].strip()
    if head["verb"] not in _VERBS:
        return has_codes and rest.startswith("[")
    return has_codes or not rest or (rest[0] in "[(:" and not re.search(r"\.\.\.|\u2026", rest))


def _noqa(
    segment: re.Match[str], head: re.Match[str], own_line: bool, names: frozenset[str]
) -> tuple[Directive | None, str | None]:
    """The directive in a comment's segment, and what is wrong with it or about it."""
    kind = _TOOLS[head["tool"]]
    if kind is not Kind.NOQA and not own_line:
        return None, f"it applies to the whole file and must stand alone; for a single line, omit `{head['tool']}:`"
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
        return None, "it applies to the whole file and must start at the margin"
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
