"""A run of `check` or `fix`: from the flags to what is printed and the exit code."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from panicguard import __version__
from panicguard.cli import streams
from panicguard.cli.flags import ADDING
from panicguard.cli.parser import UsageError
from panicguard.cli.remarks import tell, warn
from panicguard.config import ConfigError
from panicguard.config.options import chain_for_options, settings_for_options
from panicguard.files import discover, links
from panicguard.report.width import one_line
from panicguard.run.lint import Mode
from panicguard.settings import CONFIG_FILES, INCLUDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.progress import Progress

    from panicguard.cli.baseline import Loaded
    from panicguard.config.options import Options
    from panicguard.diagnostic import Result
    from panicguard.settings import Settings
    from panicguard.suppression.write import Annotation

SLOW = 1.0
"""Seconds after which a run on a terminal shows its progress."""


class Found(NamedTuple):
    """The outcome of a run: the results with something to report, and how many other findings the baseline lists."""

    results: list[Result]
    known: int = 0


def check(options: Options) -> int:
    """Check or fix, report, and return the exit code. Raises ConfigError and click.UsageError."""
    settings_for = settings_for_options(options)
    if options.show_settings or options.show_files:
        return _show(options, settings_for)
    its = settings_for(os.getcwd())
    mode = mode_of(its, options)
    annotation = mode.annotation
    told = not (options.quiet or options.silent)
    if told and annotation is not None and (its.fix or its.fix_only):
        warn(f"--fix is incompatible with --add-{annotation.kind.value}.")
    known_before = baseline_of(its, options)  # before anything is written, as the file of the report
    if options.verbose and told:
        found_for, _ = chain_for_options(options)
        tell(f"panicguard {__version__}, settings from {one_line(found_for(os.getcwd()).path or 'nowhere')}")
    out = sys.stdout if options.output_file is None else report_file(options.output_file)
    if options.paths != ("-",) and options.stdin_filename is None:
        found = lint(options, settings_for, mode, known_before, progress=told and sys.stderr.isatty())
        if annotation is not None:
            return _added(found.results, options)
        report(found, its, options, out)
        return _exit_code(found.results, its, options)
    if told and (ignored := [path for path in options.paths if path != "-"]):
        warn(f"Ignoring file {ignored[0]} in favor of standard input.")
    data = streams.standard_input().read()
    if annotation is not None:
        return 0  # there is no file to write
    result = _lint_stdin(data, options.stdin_filename, settings_for, mode)
    found = _told(Found([result]), options, settings_for, known_before)
    if mode.fix and mode.write:
        sys.stdout.buffer.write(result.source.encode() if result.fixed else data)
        sys.stdout.buffer.flush()
    report(found, its, options, sys.stderr if mode.fix and out is sys.stdout else out)
    return _exit_code(found.results, its, options)


def _exit_code(results: Sequence[Result], its: Settings, options: Options) -> int:
    from panicguard.diagnostic import Severity
    from panicguard.report.summary import fixed_count

    levels = list(Severity)
    failing = levels[: levels.index(Severity(its.fail_level)) + 1]
    fixed = fixed_count(results)
    if options.exit_zero:
        return 0
    if options.diff:
        return 1 if fixed else 0
    if options.exit_non_zero_on_fix and fixed:
        return 1
    left = any(diagnostic.severity in failing for result in results for diagnostic in result.diagnostics)
    return 1 if left and not its.fix_only else 0


def _show(options: Options, settings_for: Callable[[str], Settings]) -> int:
    """Print the files that would be checked, their configuration among them, or the settings of the first one."""

    def with_configuration(directory: str) -> Settings:
        its = settings_for(directory)
        return replace(its, include=(*its.include, *CONFIG_FILES)) if its.include == INCLUDE else its

    arguments = options.paths or (".",)
    if options.show_files:
        found = discover.discover(arguments, with_configuration, warn)
        shown = one_line if sys.stdout.isatty() else str  # programs need the names unescaped
        sys.stdout.write("".join(f"{shown(path)}\n" for path, _ in found))
        return 0
    from panicguard.config import describe

    first = next((path for path, _ in discover.discover(arguments, settings_for, warn)), None)
    if first is None:
        raise ConfigError("No files found under the given path")
    directory = os.path.dirname(first)
    found_for, chain_of = chain_for_options(options)
    sys.stdout.write(describe.show_settings(first, chain_of(found_for(directory)), settings_for(directory)))
    return 0


def _annotation_of(options: Options) -> Annotation | None:
    """What suppression comments to add, if any. Raises ConfigError for a reason that a comment cannot hold."""
    for name, kind in ADDING.items():
        reason = getattr(options, name)
        if reason is not None:
            from panicguard.suppression.directives import Kind
            from panicguard.suppression.write import Annotation

            if len(reason.splitlines()) > 1:
                raise ConfigError(f"--{name.replace('_', '-')} <reason> cannot contain newline characters")
            return Annotation(Kind(kind), reason.strip())
    return None


def mode_of(its: Settings, options: Options) -> Mode:
    """What to do with each file. Raises ConfigError for a reason that a suppression comment cannot hold."""
    annotation = _annotation_of(options)
    fixing = annotation is None and (its.fix or its.fix_only or options.diff)
    trees = tuple(map(links.tree_of, options.paths or (".",)))
    return Mode(fixing, unsafe=bool(its.unsafe_fixes), write=not options.diff, annotation=annotation, trees=trees)


def baseline_of(its: Settings, options: Options) -> Loaded | None:
    """The baseline as it is. Raises ConfigError and UsageError."""
    if its.baseline is not None:
        from panicguard.cli import baseline

        if options.update_baseline:
            baseline.refuse_links(its.baseline, None if options.baseline is not None else its.root)
        return baseline.load(its.baseline, update=options.update_baseline)
    if options.update_baseline:
        message = "the following required arguments were not provided:\n  --baseline <FILE>"
        raise UsageError(message, click.get_current_context())
    return None


def lint(
    options: Options,
    settings_for: Callable[[str], Settings],
    mode: Mode,
    known_before: Loaded | None,
    *,
    progress: bool = False,
) -> Found:
    """Check or fix the files; what the user must know beside the results goes to stderr."""
    results, count = _run(
        discover.discover(options.paths or (".",), settings_for, warn),
        mode,
        cached=not options.no_cache,
        progress=progress,
    )
    if not (options.quiet or options.silent):
        if count == 0:
            warn("No Python files found under the given path(s)")
        _hint(discover.excluded_but_named(options.paths, settings_for))
    return _told(Found(results), options, settings_for, known_before)


def _run(
    found: Iterable[tuple[str, Settings]], mode: Mode, *, cached: bool, progress: bool
) -> tuple[list[Result], int]:
    """The results with something to report, and the number of files; with `progress`, a long run shows how far it
    is."""
    import time

    from panicguard.run import cache

    said: list[Result] = []
    count = 0
    bar = None
    started = time.monotonic()

    def counted() -> Iterator[tuple[str, Settings]]:
        nonlocal count
        for file in found:
            count += 1
            yield file

    run = functools.partial(_lint_all, mode=mode)
    remaking = mode.fix or mode.annotation is not None
    try:
        for result in cache.run(counted(), run, fixing=remaking) if cached else run(counted()):
            if result.diagnostics or result.original or result.warnings or result.noqa_codes:
                said.append(result)
            if progress and time.monotonic() - started > SLOW:
                bar, progress = _progress_bar(), False
            if bar is not None:
                bar.update(bar.task_ids[0], completed=count)
    finally:
        if bar is not None:
            bar.stop()
    return sorted(said, key=lambda result: discover.parts(result.source.path)), count


def _lint_all(files: Iterable[tuple[str, Settings]], mode: Mode) -> Iterator[Result]:
    """Lint the files. The worker pool is imported lazily: if every file is cached, nothing is left to lint."""
    remaining = iter(files)
    for first in remaining:
        from panicguard.run import workers

        yield from workers.run(itertools.chain((first,), remaining), mode)


def _progress_bar() -> Progress | None:
    """A started progress bar, erased when it stops. It has no total, because files are found while others are checked.

    None if no thread can be started for it.
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


def _lint_stdin(data: bytes, name: str | None, settings_for: Callable[[str], Settings], mode: Mode) -> Result:
    """The result for standard input, checked as the file of that name; if that is excluded, it is read but not
    checked."""
    from panicguard.diagnostic import Result
    from panicguard.run.lint import lint_bytes
    from panicguard.source import Source

    if name is None:
        return lint_bytes("-", data, settings_for(os.getcwd()), mode)
    for path, its in discover.discover((name,), settings_for, warn):
        return lint_bytes(path, data, its, mode)
    return Result(Source(name, ""), ())


def _told(
    found: Found, options: Options, settings_for: Callable[[str], Settings], known_before: Loaded | None
) -> Found:
    """The results without known findings, under the paths to display. Prints the warnings first."""
    results, known = found
    told = not (options.quiet or options.silent)
    if known_before is not None:
        from panicguard.cli import baseline

        results, known, said = baseline.hold(known_before, results, options, settings_for)
        if said and told:
            tell(one_line(said))
    if told:
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
    """What Ruff, if it is configured, needs to know of the `# noqa` comments with panicguard's codes."""
    named: dict[str, set[str]] = {}
    for result in results:
        if result.noqa_codes:
            named.setdefault(os.path.dirname(result.source.path), set()).update(result.noqa_codes)
    if not named:
        return None
    from panicguard.config.ruff import advice

    return next((said for directory, codes in named.items() if (said := advice(directory, codes))), None)


def _added(results: Iterable[Result], options: Options) -> int:
    """Print how many suppression comments were added, and which files could not get any."""
    for result in results:
        for diagnostic in result.diagnostics:
            if not diagnostic.is_rule and not options.silent:
                row = result.source.location(diagnostic.start)[0]
                tell(one_line(f"error: {result.source.path}:{row}: {diagnostic.message}"))
    count = sum(result.added for result in results)
    if count and not (options.quiet or options.silent):
        noun = "noqa directive" if options.add_noqa is not None else "ignore comment"
        tell(f"Added {count} {noun}{'s' * (count != 1)}.")
    return 0


def _shown(result: Result) -> Result:
    """The result under the path to display: relative where the file is below the current directory."""
    path = result.source.path
    below = f"{os.getcwd().rstrip('/')}/"
    if not path.startswith(below):
        return result
    return replace(result, source=replace(result.source, path=path[len(below) :]))


def report(found: Found, its: Settings, options: Options, stream: TextIO) -> None:
    """Print what was found to a stream; the diff to standard output.

    Raises ConfigError for a format that does not fit, and OSError.
    """
    from panicguard.report import formats, paint, summary

    results, known = found
    name, unsafe = its.output_format, its.unsafe_fixes
    mode = "diff" if options.diff else "fix-only" if its.fix_only else "check"
    shown: list[tuple[str, str]] = []
    if mode == "diff":
        from panicguard.report import diff

        sys.stdout.write(paint.paint(diff.diff(results), options.color, sys.stdout, exact=True))
    elif options.statistics:
        try:
            shown += formats.count(results, name, unsafe=unsafe)
        except ValueError as error:
            raise ConfigError(str(error)) from None
    elif mode == "check" and not options.silent:
        shown += formats.render(results, name, unsafe=unsafe)
    if formats.FORMATS[name].people and not options.silent:
        if its.show_fixes and (its.fix or its.fix_only) and mode != "diff" and not options.statistics:
            shown += summary.show_fixes(results)
        if not options.quiet:
            shown += summary.summary(results, mode=mode, unsafe=unsafe, statistics=options.statistics)
            if its.baseline is not None:
                shown += summary.known_line(known, os.path.relpath(its.baseline))
    text = paint.paint(shown, "never" if options.output_file else options.color, stream)
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if options.output_file is not None:
            error.filename = options.output_file
            with contextlib.suppress(OSError):  # at the end, it would be written again
                stream.close()
        raise


def report_file(path: str) -> TextIO:
    """The file that the report goes to, with the directories it needs; closed when the command ends.

    Raises ConfigError if it cannot be opened: better before the work than after it.
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
    """Open without waiting: a pipe that nobody reads is an error."""
    if sys.platform == "win32":
        return os.open(path, flags, 0o666)
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor
