"""What the worker does: pure functions over a source and settings, whose results are plain data."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, NamedTuple

from panicguard import annotate, engine, fix, pool
from panicguard.directives import Kind
from panicguard.mode import Mode
from panicguard.model import INVALID_SYNTAX, Diagnostic
from panicguard.rule import rule_names
from panicguard.settings import Settings
from panicguard.source import Source

from .hover import hover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from panicguard.model import Edit


class Found(NamedTuple):
    """A diagnostic, and the edit that silences it on its line, if a comment can."""

    diagnostic: Diagnostic
    silencing: Edit | None


def check(source: Source, settings: Settings) -> tuple[Found, ...]:
    """What is to say about a source, as `panicguard check` says it."""
    if (null := source.text.find("\0")) >= 0:
        message = "source code cannot contain null bytes"
        return (Found(Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, message, null, null + 1), None),)
    return _found(source, engine.check(source, settings))


def _found(source: Source, diagnostics: tuple[Diagnostic, ...]) -> tuple[Found, ...]:
    edits = annotate.silencing(source, diagnostics, rule_names(), annotate.Annotation(Kind.NOQA))
    return tuple(map(Found, diagnostics, edits))


def fixed(source: Source, settings: Settings, unsafe: bool, code: str | None) -> Source | None:
    """The source after all fixes, or those of one rule; None where there is nothing to fix, or it cannot be."""
    result = fix.converge(source, functools.partial(_fixable, settings=settings, code=code), unsafe)
    return None if result.original is None else result.source


def _fixable(source: Source, settings: Settings, code: str | None) -> tuple[Diagnostic, ...]:
    found = engine.check(source, settings)
    return tuple(d if code in (None, d.code) else dataclasses.replace(d, fix=None) for d in found)


def check_file(path: str, settings: Settings) -> tuple[Source, tuple[Found, ...]]:
    """The same as `check` for a file on the disk; its source is without text where there is nothing to say."""
    result = pool.lint_file(path, settings, Mode())
    return result.source, _found(result.source, result.diagnostics)


def warm() -> None:
    """Import what the first job would have to wait for."""
    check(Source("warm.py", "import asyncio\nasyncio.create_task(f())\n"), Settings(enabled=frozenset(rule_names())))


JOBS: Mapping[str, Callable[..., Any]] = {"check": check, "fixed": fixed, "check_file": check_file, "hover": hover}
