"""Break real files in many ways, and check that panicguard does not break. Not a test that pytest runs.

    python tests/mutate.py DIRECTORY [--count 10000] [--seed 1]

Python files of DIRECTORY and Go files of it and of the Go toolchain, those with findings first, are changed at random
and checked with all rules, and fixed if something is found. Prints the outcomes, and writes the first inputs of each
kind of failure to a temporary directory. The same seed and files make the same mutants. Exits with 1 after a failure:
an internal error where the running Python does not reject the file, an edit of what it rejects, a syntax error that is
not reported, and a fixed file that it rejects.
"""

from __future__ import annotations

import argparse
import ast
import collections
import dataclasses
import math
import random
import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import libcst
from toolchain import GO

from panicguard import config
from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, IO_ERROR
from panicguard.go.tree import faults
from panicguard.python.newer import holds_newer
from panicguard.rule import all_rules
from panicguard.run.lint import lint_bytes
from panicguard.run.task import Does, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LARGEST = 20_000
"""Bytes of a file that is changed: a mutant is read in full."""
SEEDLINGS = 250
"""How many files of a language are changed again and again."""
KEPT = 3
"""How many inputs of a kind of failure are written."""
SETTINGS = dataclasses.replace(
    config.default(""),
    enabled=frozenset(rule.code for rule in all_rules()),
    low_confidence=True,
    spawn_exempt=(),
)
WORDS = {
    ".py": re.compile(rb"asyncio|[tT]hread|[eE]xecutor|create_task|except"),
    ".go": re.compile(rb"\bgo\b|recover|nolint|panic\("),
}
_TOKEN = re.compile(r"[ \t]+|\r?\n|\w+|[^\w\s]")
_ODD = [
    *"()[]{}:;,.=*@\\\"'`#",
    *("'''", '"""', "\0", "\t", "\f", "\v", "\r", "\x1a", "\x1b[31m", "\x85", "\u2028", "\ufeff", "\N{SNOWMAN}"),
    *("f'{", "}'", "t'", "r'", "->", ":=", "**", "...", "# noqa", "# noqa: PNC101", "# panicguard: ignore[PNC101]"),
    *("// nolint", "//nolint:safego // why", "/*", "*/", "<-", "func() {", "go ", "defer ", "select {"),
]
_WORDS = (
    "if else elif for while try except finally with async await def class lambda return yield global nonlocal del pass "
    "break continue raise import from as in is not and or match case type None True print exec except* go func chan "
    "var range switch fallthrough goto recover panic"
).split()


class Outcome(NamedTuple):
    kind: str
    is_failure: bool = False


# Mutations


def _pieces(change: Callable[[random.Random, list[str]], None], split: Callable[[str], list[str]]) -> Mutation:
    def mutate(rng: random.Random, text: str, _: str) -> str:
        pieces = split(text)
        if len(pieces) > 1:
            change(rng, pieces)
        return "".join(pieces)

    return mutate


def _delete(rng: random.Random, pieces: list[str]) -> None:
    at = rng.randrange(len(pieces))
    del pieces[at : at + rng.choice((1, 1, 1, 2, 5))]


def _duplicate(rng: random.Random, pieces: list[str]) -> None:
    at = rng.randrange(len(pieces))
    pieces[at:at] = pieces[at : at + rng.choice((1, 1, 3))]


def _swap(rng: random.Random, pieces: list[str]) -> None:
    one, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    pieces[one], pieces[other] = pieces[other], pieces[one]


def _swap_near(rng: random.Random, pieces: list[str]) -> None:
    at = rng.randrange(len(pieces) - 1)
    pieces[at], pieces[at + 1] = pieces[at + 1], pieces[at]


def _indent(rng: random.Random, lines: list[str]) -> None:
    start = rng.randrange(len(lines))
    change = rng.choice(("", " ", "   ", "    ", "\t", "        ", " \t", "\f"))
    for at in range(start, min(start + rng.choice((1, 1, 2, 8)), len(lines))):
        body = lines[at].lstrip(" \t")
        margin = lines[at][: len(lines[at]) - len(body)]
        lines[at] = rng.choice((change, margin + change, margin[: len(margin) // 2], change + margin)) + body


def _tabs(rng: random.Random, lines: list[str]) -> None:
    start = rng.randrange(len(lines))
    for at in range(start, min(start + rng.choice((1, 5, 50)), len(lines))):
        lines[at] = lines[at].replace(rng.choice(("    ", "        ")), "\t")


def _insert(rng: random.Random, text: str, _: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice((rng.choice(_ODD), f" {rng.choice(_WORDS)} ")) + text[at:]


def _replace(rng: random.Random, pieces: list[str]) -> None:
    pieces[rng.randrange(len(pieces))] = rng.choice((rng.choice(_ODD), rng.choice(_WORDS), rng.choice(pieces)))


def _newlines(rng: random.Random, lines: list[str]) -> None:
    newline = rng.choice(("\r\n", "\r", "\n\n", "\\\n", ""))
    for at in rng.sample(range(len(lines)), min(len(lines), rng.choice((1, 3, 10_000)))):
        lines[at] = lines[at].rstrip("\r\n") + newline


def _truncate(rng: random.Random, text: str, _: str) -> str:
    at = rng.randrange(len(text) + 1)
    return rng.choice((text[:at], text[at:]))


def _splice(rng: random.Random, text: str, other: str) -> str:
    lines, others = text.splitlines(keepends=True), other.splitlines(keepends=True)
    if not others:
        return text
    at, start = rng.randrange(len(lines) + 1), rng.randrange(len(others))
    return "".join((*lines[:at], *others[start : start + rng.choice((1, 5, 40))], *lines[at:]))


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


if TYPE_CHECKING:
    Mutation = Callable[[random.Random, str, str], str]
MUTATIONS: tuple[Mutation, ...] = (
    *(_pieces(change, _TOKEN.findall) for change in (_delete, _duplicate, _swap, _swap_near, _replace)),
    *(_pieces(change, _lines) for change in (_delete, _duplicate, _swap, _swap_near, _indent, _indent, _tabs)),
    _pieces(_newlines, _lines),
    *(_insert, _insert, _truncate, _splice),
)


def mutants(rng: random.Random, seedlings: dict[str, list[str]], count: int) -> Iterator[tuple[str, str]]:
    """Two of Python to one of Go: the ending of the name, and the text."""
    endings = [ending for ending in (".py", ".py", ".go") if seedlings[ending]]
    for number in range(count):
        ending = endings[number % len(endings)]
        text = rng.choice(seedlings[ending])
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            text = rng.choice(MUTATIONS)(rng, text, rng.choice(seedlings[ending]))
        yield ending, text


# What happens to a mutant


def outcome(ending: str, text: str) -> Outcome:
    path = f"mutant{ending}"
    data = text.encode(errors="replace")
    result = lint_bytes(path, data, SETTINGS, Task())
    codes = {diagnostic.code for diagnostic in result.diagnostics}
    broken = why_broken(ending, data.decode())
    if INTERNAL_ERROR in codes:
        said = next(d.message for d in result.diagnostics if d.code == INTERNAL_ERROR)
        return Outcome(f"{ending} internal error{' and broken' if broken else ''}: {said[:60]}", is_failure=True)
    if INVALID_SYNTAX in codes and (len(codes) > 1 or not broken):
        return Outcome(f"{ending} invalid-syntax beside others, or of what is well", is_failure=True)
    if broken == "syntax" and not codes <= {INVALID_SYNTAX, IO_ERROR}:
        return Outcome(f"{ending} broken, and not told", is_failure=True)
    if not codes or codes == {IO_ERROR}:
        return Outcome(f"{ending} {'io-error' if codes else 'nothing'}{' in a broken file' if broken else ''}")
    fixed = lint_bytes(path, data, SETTINGS, Task(Does.FIX, unsafe=True))
    if any(d.code == INTERNAL_ERROR for d in fixed.diagnostics):
        said = next(d.message for d in fixed.diagnostics if d.code == INTERNAL_ERROR)
        return Outcome(f"{ending} internal error after a fix: {said[:60]}", is_failure=True)
    if fixed.original is None:
        return Outcome(f"{ending} {'invalid-syntax' if INVALID_SYNTAX in codes else 'findings, nothing to fix'}")
    if broken:
        return Outcome(f"{ending} broken, and edited", is_failure=True)
    if why_broken(ending, fixed.source.text, known=faults(data.decode())):
        return Outcome(f"{ending} fixed, and broken", is_failure=True)
    return Outcome(f"{ending} fixed")


def why_broken(ending: str, text: str, known: float = math.inf) -> str:
    """`syntax` where the parser rejects a text, `meaning` where the compiler does, and nothing if it is valid, newer or
    too deep. A Go file is broken by more faults than the `known` ones."""
    if "\0" in text:
        return "syntax"
    if ending == ".go":
        return "syntax" if faults(text) > known else ""
    error = error_of(lambda: compile(text, "mutant", "exec", dont_inherit=True))
    if not isinstance(error, SyntaxError):
        return ""
    if error_of(lambda: ast.parse(text)) is None:
        return "meaning"
    try:
        return "" if holds_newer(libcst.parse_module(text)) else "syntax"
    except Exception:  # whatever libcst makes of it, it does not read it
        return "syntax"


def error_of(run: Callable[[], object]) -> Exception | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error
    return None


# Files


def seedlings_in(folders: Iterable[Path], ending: str, rng: random.Random) -> list[str]:
    """Files that are worth changing: half of them, if there are so many, with something to fix."""
    paths = sorted(path for folder in folders for path in folder.rglob(f"*{ending}") if path.is_file())
    rng.shuffle(paths)
    fixable: list[str] = []
    others: list[str] = []
    for path in paths:
        data = path.read_bytes()
        if len(fixable) + min(len(others), SEEDLINGS // 2) >= SEEDLINGS:
            break
        if len(data) > LARGEST or not WORDS[ending].search(data):
            continue
        result = lint_bytes(f"seedling{ending}", data, SETTINGS, Task())
        if any(diagnostic.fix for diagnostic in result.diagnostics):
            fixable.append(result.source.text)
        elif len(others) < SEEDLINGS // 2:
            others.append(data.decode(errors="replace"))
    return [*fixable, *others]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    toolchain = Path(GO).parent.parent / "src"
    folders = {".py": [options.directory], ".go": [options.directory, toolchain]}
    seedlings = {ending: seedlings_in(within, ending, rng) for ending, within in folders.items()}
    print(f"{len(seedlings['.py'])} files of Python, {len(seedlings['.go'])} of Go; seed {options.seed}")
    counts: collections.Counter[Outcome] = collections.Counter()
    kept = Path(tempfile.mkdtemp(prefix="mutants-"))
    for number, (ending, text) in enumerate(mutants(rng, seedlings, options.count)):
        result = outcome(ending, text)
        counts[result] += 1
        if result.is_failure and counts[result] <= KEPT:
            path = kept / f"{number}{ending}"
            path.write_bytes(text.encode(errors="replace"))
            print(f"{result.kind}: {path}", flush=True)
    for result, count in sorted(counts.items()):
        print(f"{count:6} {result.kind}")
    failures = sum(count for result, count in counts.items() if result.is_failure)
    print(f"{counts.total():6} mutants, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
