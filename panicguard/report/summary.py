"""The lines that close a report: what was found, what was fixed, what could be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from panicguard.report.fixable import applies, hidden
from panicguard.report.width import one_line
from panicguard.rule import rule_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from panicguard.diagnostic import Result


DONE = {"fix-only": ("Fixed", "No errors fixed"), "diff": ("Would fix", "No errors would be fixed")}


def summary(
    results: Sequence[Result], *, mode: str = "check", unsafe: bool | None, statistics: bool = False
) -> list[tuple[str, str]]:
    """The closing lines of a `check`, `fix-only` or `diff` run; `unsafe` is the value of `--unsafe-fixes`.

    A clean `check` with `statistics` prints nothing, and one without unsafe fixes does not mention them.
    """
    fixed = fixed_count(results)
    diagnostics = [d for result in results for d in result.diagnostics]
    more = sum(hidden(d.fix, unsafe) for d in diagnostics)
    if mode != "check":
        return _fixed(*DONE[mode], fixed, more)
    if not diagnostics and (statistics or not fixed):
        return [] if statistics else [("All checks passed!\n", "")]
    if unsafe is False:
        more = 0
    left = len(diagnostics)
    total = fixed + left
    line = f"Found {total} {_plural('error', total)}"
    line += f" ({fixed} fixed, {left} remaining).\n" if fixed else ".\n"
    return [(line, ""), *_fixable(sum(applies(d.fix, unsafe) for d in diagnostics), more)]


def fixed_count(results: Sequence[Result]) -> int:
    """How many diagnostics were fixed."""
    return sum(len(result.fixed) for result in results)


def show_fixes(results: Sequence[Result], names: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """How often each rule was fixed, file by file, with an empty line around; empty if nothing was fixed.

    `names` gives the name of each code: by default the rules' own.
    """
    total = fixed_count(results)
    if not total:
        return []
    names = rule_names() if names is None else names
    segments = [("\n", ""), ("Fixed ", ""), (str(total), "count"), (f" {_plural('error', total)}:\n", "")]
    counters = [(result.source.path, Counter(result.fixed)) for result in results if result.fixed]
    digits = max(len(str(n)) for _, counter in counters for n in counter.values())
    for path, counter in counters:
        segments += [("- ", "separator"), (one_line(path), "path"), (":\n", "separator")]
        for code, count in sorted(counter.items(), key=lambda item: (-item[1], item[0])):
            name = names.get(code, code)
            segments += [(f"    {count:>{digits}} \u00d7 ", ""), (code, "code"), (f" ({name})\n", "")]
    return [*segments, ("\n", "")]


def known_line(known: int, path: str) -> list[tuple[str, str]]:
    """How many findings were left out because the baseline at `path` lists them."""
    return [(f"{known} {_plural('error', known)} listed in `{one_line(path)}`.\n", "")] if known else []


def _fixed(done: str, none: str, fixed: int, more: int) -> list[tuple[str, str]]:
    if not fixed and not more:
        return []
    line = f"{done} {fixed} {_plural('error', fixed)}" if fixed else none
    if more:
        kind = f"additional {_plural('fix', more)}" if fixed else _plural("fix", more)
        line += f" ({more} {kind} available with `--unsafe-fixes`)"
    return [(f"{line}.\n", "")]


def _fixable(now: int, more: int) -> list[tuple[str, str]]:
    if not now and not more:
        return []
    option = f"{more} unsafe {_plural('fix', more)} available with `--fix --unsafe-fixes`"
    if not now:
        return [(f"{option}.\n", "")]
    rest = f" ({option}).\n" if more else ".\n"
    return [("[", ""), ("*", "fixable"), (f"] {now} fixable with `--fix`{rest}", "")]


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}es" if noun == "fix" else f"{noun}s"
