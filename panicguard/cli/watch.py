"""`--watch`: a run, and another one whenever a file changes.

By looking again and again: that sees every file system there is, needs no limit raised, and looks only at the files
that are checked and at what configures them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from panicguard import config
from panicguard.cli.check import baseline_of
from panicguard.cli.lint import lint
from panicguard.cli.output import report, report_file
from panicguard.cli.remarks import tell
from panicguard.cli.task import task_of
from panicguard.config import ConfigError, discovery
from panicguard.config.options import chain_for_options, settings_for_options
from panicguard.files import discover, gomod, runtime
from panicguard.run.task import Does
from panicguard.settings import CONFIG_FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from panicguard.config.options import Options

    Stamps = Mapping[str, tuple[int, int, int] | None]
    """Path -> what tells one content from the next; None where there is no such file."""

SECONDS = 0.2
"""Between two looks, at least."""
SHARE = 10
"""One part of so many is what looking may take of a processor's time."""
CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def watch(options: Options) -> int:
    """Check, and again after each change; ends with KeyboardInterrupt. Raises ConfigError for a path that is none."""
    if not all(map(os.path.exists, options.paths)):
        raise ConfigError("No path was found.")
    settings_for_options(options)(os.getcwd())  # who starts with a broken configuration is told at once
    out = sys.stdout if options.output_file is None else report_file(options.output_file)
    paths: list[str] = []
    extended: list[str] = []

    def look() -> Stamps:
        """What there is to check now; what may have changed on the disk is not remembered."""
        config.forget()
        for cache in (runtime.is_runtime_copy, runtime.runtime_in):
            cache.cache_clear()
        gomod.forget()
        with contextlib.suppress(ConfigError):  # until it is mended, the files are those of before
            found = discover.discover(options.paths or (".",), settings_for_options(options), warn=lambda _: None)
            paths[:] = [path for path, _ in found]
            extended[:] = _configurations(paths, options)
        return _stamps(paths, (*extended, *filter(os.path.isfile, options.config)))

    said = "Starting linter in watch mode...\n"
    while True:
        seen = look()
        sys.stdout.write(CLEAR)
        _notice(said, options)
        try:
            _check_once(options, out)
        except ConfigError as error:
            tell(error.report)
        sys.stdout.flush()
        _wait(seen, look)
        said = "File change detected...\n"


def _configurations(paths: Iterable[str], options: Options) -> list[str]:
    """The configuration files that hold for some files, and what those extend. Raises ConfigError."""
    found_for, chain_of = chain_for_options(options)
    found = {found_for(directory) for directory in {os.path.dirname(path) for path in paths}}
    documents = (keys.document for one in found for keys in chain_of(one).keys)
    return [document.path for document in documents if document is not None and document.path is not None]


def _check_once(options: Options, out: TextIO) -> None:
    if out is not sys.stdout:
        out.seek(0)
        out.truncate()
    settings_for = settings_for_options(options)
    its = settings_for(os.getcwd())
    task = task_of(its, options)
    found = lint(options, settings_for, task, baseline_of(its, options))
    plain, findings_only = replace(task, only=False, lists_fixes=False), options._replace(quiet=True)
    if task.does is Does.DIFF:
        report(found, its, findings_only, plain, out)
    left = 0 if task.does is Does.DIFF else sum(len(result.diagnostics) for result in found.results)
    _notice(f"Found {left} {'error' if left == 1 else 'errors'}. Watching for file changes.", options)
    if left and not options.silent:
        if not options.quiet:
            sys.stdout.write("\n")
        report(found, its, findings_only, plain, out)


def _notice(text: str, options: Options) -> None:
    from panicguard.report import paint

    if not (options.quiet or options.silent):
        clock = (time.strftime("[%H:%M:%S %p] "), "clock")
        sys.stdout.write(paint.paint([clock, (f"{text}\n", "")], options.color, sys.stdout))


def _stamps(paths: Iterable[str], more: Iterable[str] = ()) -> Stamps:
    """What the files at `paths` are like, and the configuration files that may hold for them, and those of `more`."""
    checked = list(paths)
    directories: set[str] = set()
    pending = [os.path.dirname(path) for path in checked] or [os.getcwd()]
    while pending:
        directory = pending.pop()
        if directory not in directories:
            directories.add(directory)
            pending.append(os.path.dirname(directory))
    configurations = (
        os.path.join(directory, name) for directory in directories for name in (*CONFIG_FILES, *discovery.RUFF_FILES)
    )
    return {path: _stamp(path) for path in (*checked, *configurations, *more)}


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _wait(before: Stamps, look: Callable[[], Stamps]) -> None:
    """Return when `look` sees something else than what was `before`."""
    while True:
        started = time.monotonic()
        now = look()
        if now != before:
            return
        time.sleep(max(SECONDS, SHARE * (time.monotonic() - started)))
