"""The jobs of the worker: pure functions of a source and settings, whose results are plain data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from panicguard import engine, fix
from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, Diagnostic
from panicguard.python.chunks import remember
from panicguard.rule import rule_names
from panicguard.run import lint, package
from panicguard.run.task import Task
from panicguard.settings import Settings
from panicguard.source import Source
from panicguard.suppression import write
from panicguard.suppression.directives import Kind

from .hover import hover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from panicguard.diagnostic import Edit


class EditorFinding(NamedTuple):
    """A diagnostic, and the edit that adds a suppression comment to its line; None if a comment cannot suppress it."""

    diagnostic: Diagnostic
    silencing: Edit | None


def failed(error: Exception) -> EditorFinding:
    """What is shown in place of findings if a check could not be made."""
    return EditorFinding(Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, str(error), 0, 0), None)


def check(source: Source, settings: Settings) -> tuple[EditorFinding, ...]:
    """The findings of `panicguard check` in a source."""
    if (null := source.text.find("\0")) >= 0:
        message = "source code cannot contain null bytes"
        return (EditorFinding(Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, message, null, null + 1), None),)
    return _with_silencing(source, package.check(source, settings).diagnostics)


def _with_silencing(source: Source, diagnostics: tuple[Diagnostic, ...]) -> tuple[EditorFinding, ...]:
    edits = write.silencing(source, diagnostics, rule_names(), write.Annotation(Kind.NOQA))
    return tuple(map(EditorFinding, diagnostics, edits))


def fixed(source: Source, settings: Settings, unsafe: bool, code: str | None) -> Source | None:
    """The source after all fixes, or after those of the rule `code`. None if nothing is or can be fixed."""
    checked = package.check(source, settings)

    def fixable(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        return tuple(d if code in (None, d.code) else dataclasses.replace(d, fix=None) for d in diagnostics)

    def check_again(source: Source) -> tuple[Diagnostic, ...]:
        return fixable(engine.check(source, checked.settings))

    result = fix.converge(source, check_again, unsafe, diagnostics=fixable(checked.diagnostics))
    return None if result.original is None else result.source


def check_file(path: str, settings: Settings) -> tuple[Source, tuple[EditorFinding, ...]]:
    """`check` for a file on the disk, with its source. The source has no text if there are no findings."""
    result = lint.lint_file(path, settings, Task())
    return result.source, _with_silencing(result.source, result.diagnostics)


def warm() -> None:
    """Import what the first job would otherwise have to import; be ready for texts that change a little each time."""
    remember()
    check(Source("warm.py", "import asyncio\nasyncio.create_task(f())\n"), Settings(enabled=frozenset(rule_names())))


JOBS: Mapping[str, Callable[..., Any]] = {"check": check, "fixed": fixed, "check_file": check_file, "hover": hover}
