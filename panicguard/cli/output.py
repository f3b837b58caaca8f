"""What a run prints: its report, to standard output or a file."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from panicguard.config import ConfigError
from panicguard.files import links
from panicguard.report.width import one_line
from panicguard.run.task import Does

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panicguard.config.options import Options
    from panicguard.diagnostic import Result
    from panicguard.run.task import Task
    from panicguard.settings import Settings


class Found(NamedTuple):
    """What a run came to: the results that say something, and how many findings the baseline knows beside them."""

    results: list[Result]
    known: int = 0


def report(found: Found, its: Settings, options: Options, task: Task, stream: TextIO) -> None:
    """Print what was found to a stream; the diff to standard output.

    Raises ConfigError for an unfit format, and OSError.
    """
    from panicguard.report import formats, paint, summary

    results, known = found
    name, unsafe = its.output_format, task.unsafe
    mode = "diff" if task.does is Does.DIFF else "fix-only" if task.only else "check"
    shown: Iterable[list[tuple[str, str]]] = ()
    if mode == "diff":
        from panicguard.report import diff

        sys.stdout.write(paint.paint(diff.diff(results), options.color, sys.stdout, exact=True))
    elif options.statistics:
        try:
            shown = [formats.count(results, name, unsafe=unsafe)]
        except ValueError as error:
            raise ConfigError(str(error)) from None
    elif mode == "check" and not options.silent:
        shown = formats.render(results, name, unsafe=unsafe)
    closing: list[tuple[str, str]] = []
    if formats.FORMATS[name].people and not options.silent:
        if task.lists_fixes and not options.statistics:
            closing += summary.show_fixes(results)
        if not options.quiet:
            closing += summary.summary(results, mode=mode, unsafe=unsafe, statistics=options.statistics)
            if its.baseline is not None:
                closing += summary.known_line(known, os.path.relpath(its.baseline))
    painted = paint.painter("never" if options.output_file else options.color, stream)
    try:
        stream.writelines(painted(piece) for piece in itertools.chain(shown, (closing,)))
        stream.flush()
    except OSError as error:
        if options.output_file is not None:
            error.filename = options.output_file
            with contextlib.suppress(OSError):  # at the end, it would be written again
                stream.close()
        raise


def report_file(path: str) -> TextIO:
    """The file that the report goes to, with the directories it needs; closed when the command ends.

    Raises ConfigError where there can be none: better before the work than after it.
    """
    from pathlib import Path

    if links.escapes(path):
        target = one_line(os.path.realpath(path))
        raise ConfigError(
            f"Failed to write {one_line(path)}", f"it is a link to {target}, outside of the current directory"
        )
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(  # noqa: SIM115 (click closes it)
            path, "w", encoding="utf-8", errors="backslashreplace", newline="", opener=_open_to_write
        )
    except OSError as error:
        raise ConfigError(f"Failed to write {one_line(path)}", error.strerror or str(error)) from None
    return click.get_current_context().with_resource(file)


def _open_to_write(path: str, flags: int) -> int:
    """Open without a wait: a pipe that nobody reads is an error."""
    if sys.platform == "win32":
        return os.open(path, flags, 0o666)
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor
