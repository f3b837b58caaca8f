"""The files of a run, checked or fixed, and what the user must know beside the results."""

from __future__ import annotations

import functools
import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from panicguard.cli.output import Found
from panicguard.cli.remarks import tell, warn
from panicguard.files import discover
from panicguard.report.width import one_line
from panicguard.run.task import Does

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.progress import Progress

    from panicguard.cli.baseline import Loaded
    from panicguard.config.options import Options
    from panicguard.diagnostic import Result
    from panicguard.run.task import Task
    from panicguard.settings import Settings

SLOW = 1.0
"""Seconds after which a run on a terminal shows its progress."""


def lint(
    options: Options,
    settings_for: Callable[[str], Settings],
    task: Task,
    known_before: Loaded | None,
    *,
    progress: bool = False,
) -> Found:
    """Check or fix the files; what the user must know beside the results goes to stderr."""
    results, count = _run(
        discover.discover(options.paths or (".",), settings_for, warn),
        task,
        cached=not options.no_cache,
        progress=progress,
    )
    if not (options.quiet or options.silent):
        if count == 0:
            warn("No Python files found under the given path(s)")
        _hint(discover.excluded_but_named(options.paths, settings_for))
    return told(Found(results), options, settings_for, task, known_before)


def _run(
    found: Iterable[tuple[str, Settings]], task: Task, *, cached: bool, progress: bool
) -> tuple[list[Result], int]:
    """The results that say something, and the number of files; with `progress`, a long run shows how far it is."""
    import time

    said: list[Result] = []
    count = 0
    bar = None
    started = time.monotonic()

    def counted() -> Iterator[tuple[str, Settings]]:
        nonlocal count
        for file in found:
            count += 1
            yield file

    try:
        for result in _remembering(counted(), task) if cached else _lint_all(counted(), task):
            if result.says_something:
                said.append(result)
            if progress and time.monotonic() - started > SLOW:
                bar, progress = _progress_bar(), False
            if bar is not None:
                bar.update(bar.task_ids[0], completed=count)
    finally:
        if bar is not None:
            bar.stop()
    return sorted(said, key=lambda result: discover.parts(result.source.path)), count


def _remembering(files: Iterable[tuple[str, Settings]], task: Task) -> Iterator[Result]:
    """What the files come to, as far as known from earlier runs; imported here for the sake of runs without a cache."""
    from panicguard.run import cache

    return cache.run(files, functools.partial(_lint_all, task=task), fixing=task.does is not Does.CHECK)


def _lint_all(files: Iterable[tuple[str, Settings]], task: Task) -> Iterator[Result]:
    """What the files come to. What that takes is not even imported where there are none: all may be remembered."""
    remaining = iter(files)
    for first in remaining:
        from panicguard.run import workers

        yield from workers.run(itertools.chain((first,), remaining), task)


def _progress_bar() -> Progress | None:
    """A started bar, which leaves nothing behind when it is stopped: the files are found while they are checked.

    None where there is no thread for it.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("Checked {task.completed} files"), BarColumn(bar_width=20))
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("", total=None)
    try:
        bar.start()
    except RuntimeError:
        return None
    return bar


def lint_stdin(data: bytes, name: str | None, settings_for: Callable[[str], Settings], task: Task) -> Result:
    """What comes from standard input, as the file of that name; an excluded one is read and not looked at."""
    from panicguard.diagnostic import Result
    from panicguard.run.lint import lint_bytes
    from panicguard.source import Source

    if name is None:
        return lint_bytes("-", data, settings_for(os.getcwd()), task)
    for path, its in discover.discover((name,), settings_for, warn):
        return lint_bytes(path, data, its, task)
    return Result(Source(name, ""), ())


def told(
    found: Found,
    options: Options,
    settings_for: Callable[[str], Settings],
    task: Task,
    known_before: Loaded | None,
) -> Found:
    """What is new beside the baseline, under the paths that are shown, once the warnings are out."""
    results, known = found
    aloud = not (options.quiet or options.silent)
    if known_before is not None:
        from panicguard.cli import baseline

        results, known, said = baseline.hold(known_before, results, options, settings_for, task)
        if said and aloud:
            tell(one_line(said))
    if aloud:
        for warning in (*settings_for(os.getcwd()).warnings, *(w for result in results for w in result.warnings)):
            warn(warning)
        if advice := _advice(results):
            tell(f"warning: {advice}")
    return Found(list(map(_shown, results)), known)


def _hint(excluded: Sequence[str]) -> None:
    if excluded:
        more = f" and {len(excluded) - 1} more are" if excluded[1:] else " is"
        flag = "checked when named: use `--force-exclude` to leave such files out"
        tell(f"hint: `{one_line(excluded[0])}`{more} excluded, but {flag}")


def _advice(results: Iterable[Result]) -> str | None:
    """What Ruff, if it is configured, has to be told of the `# noqa` comments that name our codes."""
    named: dict[str, set[str]] = {}
    for result in results:
        if result.noqa_codes:
            named.setdefault(os.path.dirname(result.source.path), set()).update(result.noqa_codes)
    if not named:
        return None
    from panicguard.config.ruff import advice

    return next((said for directory, codes in named.items() if (said := advice(directory, codes))), None)


def _shown(result: Result) -> Result:
    """The result under the path that is shown: relative where the file is below the current directory."""
    path = result.source.path
    below = f"{os.getcwd().rstrip('/')}/"
    if not path.startswith(below):
        return result
    return replace(result, source=replace(result.source, path=path[len(below) :]))
