"""Every fixture under rewritings that change nothing of what it means: the same is found at the places it moved to.

    python tests/rewrite.py                 all pairs of a fixture and a rewriting
    python tests/rewrite.py --files DIR     the rewritings in blanks, comments and brackets, over a code base

What differs is printed with the stage that drops it, where one does.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import re
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rewriting.bindings import BINDINGS
from rewriting.edits import Rewriting, apply
from rewriting.imports import IMPORTS
from rewriting.layout import LAYOUT
from rewriting.module import Module
from stages import SCREEN, SLICER, found

from fixtures import FIXTURES, cases, settings_of, source
from panicguard.engine import check
from panicguard.python.magics import as_python
from panicguard.rule import all_rules
from panicguard.settings import Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BRACKETS = re.compile(r"(?:\(\s*)*")
PYTHON = (*LAYOUT, *IMPORTS, *BINDINGS)


class Subject(NamedTuple):
    """A text to be rewritten, under the settings that hold for it."""

    name: str
    path: str
    module: Module
    settings: Settings


def subject(name: str, given: Source, settings: Settings) -> Subject | None:
    """None where the running Python cannot read the text."""
    text = (as_python(given) if given.cells else given).text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = Module(text.replace("\r\n", "\n").replace("\r", "\n"))
    except (SyntaxError, ValueError, RecursionError):
        return None
    return Subject(name, given.path.replace(".ipynb", ".py"), module, settings)


def fixtures_of_python() -> Iterator[Subject]:
    for case in cases():
        if case.suffix != ".go":
            made = subject(case.relative_to(FIXTURES).as_posix(), source(case), settings_of(case))
            if made is not None:
                yield made


def differences(given: Subject, rewriting: Rewriting[Module]) -> list[str] | None:
    """What a rewriting changes of what is found; None where it has nothing to rewrite."""
    text = given.module.text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rewritten = apply(text, rewriting.edits(given.module))
            tree = ast.parse(rewritten.text)
    except (SyntaxError, ValueError) as error:
        return [f"rewritten wrongly: {error}"]
    if rewritten.text == text:
        return None
    if rewriting.same_tree and ast.dump(tree) != ast.dump(given.module.tree):
        return ["rewritten wrongly: another tree"]
    settings = given.settings
    if not rewriting.same_comments:
        settings = dataclasses.replace(settings, ignore_noqa=True)
    new = Source(given.path, rewritten.text)
    before = {
        (_behind_brackets(rewritten.text, rewritten.moved(d.start)), d.code): d.message
        for d in check(Source(given.path, text), settings)
    }
    try:
        after = {(_behind_brackets(new.text, d.start), d.code): d.message for d in check(new, settings)}
    except Exception as error:  # of whatever kind: to a user it is an internal error
        at = traceback.extract_tb(error.__traceback__)[-1]
        return [f"raised {type(error).__name__} in {Path(at.filename).name}: {at.name}"]
    said = [f"{_place(new, *key)} lost by {_stage(new, settings, key)}" for key in before.keys() - after.keys()]
    said += [f"{_place(new, *key)} invented: {after[key]}" for key in after.keys() - before.keys()]
    return sorted(said)


def _behind_brackets(text: str, at: int) -> int:
    """An offset, or the one behind the brackets that open there: they belong to an expression and to what it begins
    with alike."""
    return _BRACKETS.match(text, at).end()  # type: ignore[union-attr]


def _place(new: Source, start: int, code: str) -> str:
    row, column = new.location(start)
    return f"{row}:{column} {code}"


def _stage(new: Source, settings: Settings, key: tuple[int, str]) -> str:
    for off in ((SCREEN,), (SLICER,), (SCREEN, SLICER)):
        if any((_behind_brackets(new.text, d.start), d.code) == key for d in found(new, settings, *off)):
            return f"the {' and the '.join(off)}"
    return "the rules"


def over(subjects: Iterable[Subject], rewritings: Iterable[Rewriting[Module]]) -> tuple[int, list[tuple[str, str, str]]]:
    """How many pairs there were, and for each that differs the rewriting, the text and what is different."""
    rewritings = tuple(rewritings)
    pairs = 0
    different = []
    for given in subjects:
        for rewriting in rewritings:
            said = differences(given, rewriting)
            pairs += said is not None
            different += [(rewriting.name, given.name, what) for what in said or ()]
    return pairs, different


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="the rewritings with this in their name")
    parser.add_argument("--text", default="", help="the fixtures with this in their name")
    arguments = parser.parse_args()
    pairs, different = over(
        (given for given in fixtures_of_python() if arguments.text in given.name),
        (rewriting for rewriting in PYTHON if arguments.only in rewriting.name),
    )
    for row in sorted(different):
        print(*row, sep="\t")
    print(f"{pairs} pairs, {len({row[:2] for row in different})} differ")
