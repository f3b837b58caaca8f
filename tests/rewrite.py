"""Every fixture under rewritings that change nothing of what it means: the same is found at the places it moved to.

    python tests/rewrite.py                 all pairs of a fixture and a rewriting
    python tests/rewrite.py --files DIR     the rewritings in blanks, comments and brackets, over a code base

What differs is printed with the stage that drops it, where one does.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rewriting.bindings import BINDINGS
from rewriting.edits import Rewriting, Rewritten, apply
from rewriting.gofile import GoModule
from rewriting.golang import GO
from rewriting.imports import IMPORTS
from rewriting.layout import LAYOUT
from rewriting.module import Module
from stages import SCREEN, SLICER, found

from fixtures import FIXTURES, cases, settings_of, source
from panicguard.engine import check, words_for
from panicguard.python.magics import as_python
from panicguard.rule import all_rules
from panicguard.settings import Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Parsed: TypeAlias = Module | GoModule
_BRACKETS = re.compile(r"(?:\(\s*)*")
MOST = 450
"""Files of a code base that have no finding and are tried all the same, if one of the words stands in them."""
LARGEST = 60_000

_LAMBDA = "a lambda is an event handler by the name that it is given itself"
_CONTAINER = "what a container under a second name holds is not followed: it may be read by the first"
_GATHER = "`gather` is a method of tensors too: it counts by the name of its module alone"
_TO_THREAD = "`to_thread` counts by its own name: it spawns nothing that needs to be looked for by others"
_CELL = "what a cell of marimo gets from another is known where that imports it, and gives it no other name"
_COROUTINE = "a coroutine under a second name is not followed"
OTHER_MEANING = {
    **{
        (f"bound_{name}", "PNC102/provides_for_errors.py"): _COROUTINE
        for name in ("by_another_name", "by_another_name_in_a_row_of_its_own")
    },
    **{
        (f"bound_{name}", f"PNC101/{fixture}.py"): _CELL
        for name in ("by_another_name", "by_another_name_in_a_row_of_its_own", "set_by_a_function")
        for fixture in ("marimo_cells", "marimo_no_place", "marimo_runtime")
    },
    **{
        (f"bound_{name}", "PNC101/lambda.py"): _LAMBDA
        for name in (
            "by_another_name", "by_another_name_in_a_row_of_its_own", "by_walrus", "first_of_a_chain",
            "first_of_a_tuple", "in_a_nested_tuple", "last_of_a_chain", "last_of_a_tuple",
        )
    },
    **{
        (f"bound_{name}", fixture): _CONTAINER
        for name in ("by_another_name", "by_another_name_in_a_row_of_its_own")
        for fixture in (
            "PNC101/dropped_by_callers.py", "PNC101/global_and_local.py", "PNC101/likely/held_while_it_runs.py",
            "PNC102/added_to_containers.py", "PNC102/set_retained.py", "PNC107/result_of_a_job.py",
        )
    },
    **{
        ("imports_aliased_by_assignment", fixture): _GATHER
        for fixture in (
            "PNC101/gather_list.py", "PNC102/gather_of_running_tasks.py", "PNC303/low_confidence/only_gather.py",
            "PNC303/low_confidence/gathered.py", "PNC401/only_gather.py", "PNC501/only_gather.py",
        )
    },
    ("imports_aliased", "PNC501/to_thread_alone.py"): _TO_THREAD,
    ("imports_aliased_by_assignment", "PNC501/to_thread_alone.py"): _TO_THREAD,
    ("imports_aliased_by_assignment", "PNC102/gather_of_running_tasks.py"): _GATHER,
    ("imports_aliased_by_assignment", "PNC103/provides_for_errors.py"): "a module counts by what an import calls it",
    ("imports_from_modules", "PNC103/excepthook_of_the_module.py"): "a hook that is set by its name alone is a local",
}  # fmt: skip
"""The pairs in which a rewriting changes what can be known, and why."""


class Subject(NamedTuple):
    """A text to be rewritten, under the settings that hold for it."""

    name: str
    path: str
    module: Parsed
    settings: Settings

    @property
    def every(self) -> tuple[Rewriting, ...]:
        return GO if isinstance(self.module, GoModule) else (*LAYOUT, *IMPORTS, *BINDINGS)

    @property
    def rewritings(self) -> list[Rewriting]:
        """Those that change nothing."""
        return [rewriting for rewriting in self.every if (rewriting.name, self.name) not in OTHER_MEANING]

    def source(self, text: str) -> Source:
        return Source(self.path, text, "go" if isinstance(self.module, GoModule) else "python")


def subject(name: str, given: Source, settings: Settings) -> Subject | None:
    """None where the running Python cannot read the text."""
    text = (as_python(given) if given.cells else given).text.replace("\r\n", "\n").replace("\r", "\n")
    if given.language == "go":
        return Subject(name, given.path, GoModule(text), settings)
    try:
        return Subject(name, given.path.replace(".ipynb", ".py"), _quietly(Module, text), settings)
    except (SyntaxError, ValueError, RecursionError):
        return None


def fixtures() -> Iterator[Subject]:
    for case in cases():
        made = subject(case.relative_to(FIXTURES).as_posix(), source(case), settings_of(case))
        if made is not None:
            yield made


def _quietly(function, *arguments):  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


def differences(given: Subject, rewriting: Rewriting) -> list[str] | None:
    """What a rewriting changes of what is found; None where it has nothing to rewrite."""
    try:
        rewritten = _quietly(apply, given.module.text, rewriting.edits(given.module))
        if rewritten.text == given.module.text:
            return None
        fault = _fault(given.module, rewritten, rewriting)
    except (SyntaxError, ValueError) as error:
        fault = str(error)
    if fault:
        return [f"rewritten wrongly: {fault}"]
    settings = given.settings
    if not rewriting.same_comments:
        settings = dataclasses.replace(settings, ignore_noqa=True)
    new = given.source(rewritten.text)
    before = {(_behind_brackets(new.text, rewritten.moved(at)), code) for at, code in _found(given, settings)}
    try:
        after = {(_behind_brackets(new.text, d.start), d.code): d.message for d in check(new, settings)}
    except Exception as error:  # of whatever kind: to a user it is an internal error
        at = traceback.extract_tb(error.__traceback__)[-1]
        return [f"raised {type(error).__name__} in {Path(at.filename).name}: {at.name}"]
    said = [f"{_place(new, *key)} lost by {_stage(new, settings, key)}" for key in before - after.keys()]
    said += [f"{_place(new, *key)} invented: {after[key]}" for key in after.keys() - before]
    return sorted(said)


@functools.lru_cache(maxsize=2)
def _found(given: Subject, settings: Settings) -> list[tuple[int, str]]:
    """What is found in the text as it is: asked once for many rewritings."""
    return [(diagnostic.start, diagnostic.code) for diagnostic in check(given.source(given.module.text), settings)]


def _fault(module: Parsed, rewritten: Rewritten, rewriting: Rewriting) -> str:
    """Why a rewriting is not neutral, or gives no valid text."""
    if isinstance(module, GoModule):
        new = GoModule(rewritten.text)
        if new.root.has_error and not module.root.has_error:
            return "no Go"
        return "other tokens" if rewriting.same_tree and new.meaning != module.meaning else ""
    tree = _quietly(ast.parse, rewritten.text)
    return "another tree" if rewriting.same_tree and ast.dump(tree) != ast.dump(module.tree) else ""


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


def files(directory: Path) -> Iterator[Subject]:
    """The files with findings, and some more in which a word stands."""
    settings = Settings(enabled=frozenset(rule.code for rule in all_rules()), spawn_exempt=())
    words = words_for(settings, "python")
    others = 0
    for path in sorted(directory.rglob("*.py")):
        text = path.read_bytes().decode("utf-8", "replace")
        if "\ufffd" in text or len(text) > LARGEST or not any(word in text for word in words):
            continue
        given = Source(path.name, text)
        has_findings = any(d.is_rule for d in check(given, settings))
        others += not has_findings
        made = subject(str(path.relative_to(directory)), given, settings) if has_findings or others <= MOST else None
        if made is not None:
            yield made


def over(pairs: Iterable[tuple[Subject, Rewriting]]) -> Iterator[tuple[str, str, list[str]]]:
    """The names of each pair in which there was something to rewrite, and what is different."""
    for given, rewriting in pairs:
        said = differences(given, rewriting)
        if said is not None:
            yield rewriting.name, given.name, said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="a directory with Python files, in the place of the fixtures")
    parser.add_argument("--only", default="", help="the rewritings with this in their name")
    parser.add_argument("--text", default="", help="the fixtures or files with this in their name")
    arguments = parser.parse_args()
    subjects = fixtures() if arguments.files is None else files(arguments.files)
    pairs = (
        (given, rewriting)
        for given in subjects
        if arguments.text in given.name
        for rewriting in (given.rewritings if arguments.files is None else LAYOUT)
        if arguments.only in rewriting.name
    )
    number = differing = 0
    for rewriting, name, said in over(pairs):
        number += 1
        differing += bool(said)
        for what in said:
            print(rewriting, name, what, sep="\t", flush=True)
    print(f"{number} pairs, {differing} differ")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
