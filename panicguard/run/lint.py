"""One file: reading, checking or fixing, writing."""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import TYPE_CHECKING

from panicguard import engine
from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, IO_ERROR, Diagnostic, Result
from panicguard.files import links
from panicguard.files.reading import read
from panicguard.files.stamp import stamp_once_a_second
from panicguard.fix import converge
from panicguard.rule import rule_names
from panicguard.run import atomic, modules, package
from panicguard.run.screen import is_silent
from panicguard.run.signals import deferred
from panicguard.run.task import Task
from panicguard.settings import front_end, language
from panicguard.source import Source
from panicguard.suppression import match
from panicguard.suppression.write import annotate

if TYPE_CHECKING:
    from panicguard.settings import Settings


TRIES = 5
"""How often a file that changes while it is fixed is read again."""


def lint_file(path: str, settings: Settings, task: Task) -> Result:
    """What the file at `path` comes to.

    Never raises but for KeyboardInterrupt and the like: a file that cannot be read or written has an
    `io-error`, one on which the linter fails an `internal-error`. Where there is nothing to show, neither
    diagnostics nor fixes, the result's source has its path but no text.
    """
    return write(read_and_lint(path, settings, task), settings, task)


def lint_bytes(path: str, data: bytes, settings: Settings, task: Task) -> Result:
    """What a file of these bytes comes to; as `lint_file`, but reads and writes nothing."""
    if is_silent(path, data, settings):
        return clean(path)
    try:
        source = Source.decode(
            path, data, notebook=language(settings, path) == "ipynb", language=front_end(settings, path)
        )
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        return failure(path, IO_ERROR, f"stream did not contain valid {error.encoding.upper()} (line {row})")
    except (UnicodeError, LookupError) as error:
        return failure(path, IO_ERROR, str(error))
    except ValueError as error:
        return failure(path, INVALID_SYNTAX, str(error))
    if (null := source.text.find("\0")) >= 0:
        said = Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, "source code cannot contain null bytes", null, null + 1)
        return Result(source, (said,))
    try:
        settings, consulted = modules.with_imported(source, settings)
        if task.annotation is not None:
            result = annotate(source, functools.partial(engine.check, settings=settings), rule_names(), task.annotation)
        else:
            result = _checked(source, settings, task)
        if result.original is not None and source.encode() != data:
            message = f"not changed: encoding the file as {source.encoding} would not give what was read"
            said = Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, message, 0, 0)
            result = Result(source, (*engine.check(source, settings), said))
        mentions_panicguard = match.may_speak(result.source)
        warnings = match.warnings(result.source, rule_names()) if mentions_panicguard else ()
        codes = match.noqa_codes(result.source, rule_names()) if mentions_panicguard else ()
    except Exception as error:
        return failure(path, INTERNAL_ERROR, described(error))
    consulted = (*consulted, *result.consulted)
    if not result.diagnostics and result.original is None:
        result = dataclasses.replace(clean(path), lasting=result.lasting)
    return dataclasses.replace(result, warnings=warnings, noqa_codes=codes, consulted=consulted)


def _checked(source: Source, settings: Settings, task: Task) -> Result:
    """The result of checking, or fixing, a file as one of its package."""
    checked = package.check(source, settings, stamp_once_a_second)
    if task.fixes:
        check_again = functools.partial(engine.check, settings=checked.settings)
        result = converge(source, check_again, bool(task.unsafe), diagnostics=checked.diagnostics)
    else:
        result = Result(source, checked.diagnostics)
    return dataclasses.replace(result, lasting=checked.lasting and result.lasting, consulted=checked.consulted)


def read_and_lint(path: str, settings: Settings, task: Task) -> Result:
    """The result for the file at `path`, with nothing written yet."""
    try:
        data = read(path)
    except OSError as error:
        return failure(path, IO_ERROR, _os_error(error))
    except Exception as error:
        return failure(path, INTERNAL_ERROR, described(error))
    return lint_bytes(path, data, settings, task)


def write(result: Result, settings: Settings, task: Task) -> Result:
    """The result once what was changed is in the file; of the file as it is now, if it has changed meanwhile."""
    path = result.source.path
    for _ in range(TRIES):
        if not task.writes or result.original is None:
            return result
        if task.trees and links.leads_out(path, *task.trees):
            target = os.path.realpath(path)
            return _unfixed(path, settings, f"not written: it is a link to {target}, outside of the given paths")
        try:
            with deferred():
                replaced = atomic.replace(path, result.original.encode(), result.source.encode())
            if replaced:
                return result
        except OSError as error:
            return _unfixed(path, settings, f"cannot write the file: {_os_error(error)}")
        result = read_and_lint(path, settings, task)
    return _unfixed(path, settings, "the file kept changing meanwhile: not written")


def _unfixed(path: str, settings: Settings, message: str) -> Result:
    result = read_and_lint(path, settings, Task())
    said = Diagnostic(IO_ERROR, IO_ERROR, message, 0, 0)
    return dataclasses.replace(result, diagnostics=(*result.diagnostics, said))


def clean(path: str) -> Result:
    """The result for a file with nothing to show."""
    return Result(Source(path, ""), ())


def failure(path: str, code: str, message: str) -> Result:
    """The result for a file that could not be linted."""
    return Result(Source(path, ""), (Diagnostic(code, code, message, 0, 0),))


def _os_error(error: OSError) -> str:
    return f"{error.strerror} (os error {error.errno})" if error.strerror else str(error)


def described(error: Exception) -> str:
    """An unexpected error in one line."""
    said = str(error).partition("\n")[0][:200]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
