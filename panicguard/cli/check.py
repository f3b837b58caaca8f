"""A run of `check` or `fix`: from the flags to what is printed and the exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from panicguard import __version__
from panicguard.cli import streams
from panicguard.cli.lint import lint, lint_stdin, told
from panicguard.cli.output import Found, report, report_file
from panicguard.cli.parser import UsageError
from panicguard.cli.remarks import tell, warn
from panicguard.cli.show import show, told_hooks
from panicguard.cli.task import is_fix_ignored, task_of
from panicguard.config.options import chain_for_options, settings_for_options
from panicguard.report.width import one_line
from panicguard.run.task import Does

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panicguard.cli.baseline import Loaded
    from panicguard.config.options import Options
    from panicguard.diagnostic import Result
    from panicguard.run.task import Task
    from panicguard.settings import Settings
    from panicguard.suppression.write import Annotation


def check(options: Options) -> int:
    """Check or fix, report, and say with which code to exit. Raises ConfigError and click.UsageError."""
    settings_for = settings_for_options(options)
    if options.show_settings or options.show_files:
        return show(options, settings_for)
    its = settings_for(os.getcwd())
    task = task_of(its, options)
    annotation = task.annotation
    aloud = not (options.quiet or options.silent)
    if aloud and annotation is not None and is_fix_ignored(its, task):
        warn(f"--fix is incompatible with --add-{annotation.kind.value}.")
    known_before = baseline_of(its, options)  # before anything is written, as the file of the report
    if options.verbose and aloud:
        found_for, _ = chain_for_options(options)
        tell(f"panicguard {__version__}, settings from {one_line(found_for(os.getcwd()).path or 'nowhere')}")
        paths = [os.path.abspath(path) for path in options.paths or (".",) if path != "-"]
        for said in dict.fromkeys(said for path in paths for said in told_hooks(path, its)):
            tell(said)
    out = sys.stdout if options.output_file is None else report_file(options.output_file)
    if options.paths != ("-",) and options.stdin_filename is None:
        found = lint(options, settings_for, task, known_before, progress=aloud and sys.stderr.isatty())
        if annotation is not None:
            return _added(found.results, options, annotation)
        report(found, its, options, task, out)
        return _exit_code(found.results, its, options, task)
    if aloud and (ignored := [path for path in options.paths if path != "-"]):
        warn(f"Ignoring file {ignored[0]} in favor of standard input.")
    data = streams.standard_input().read()
    if annotation is not None:
        return 0  # there is no file to write
    result = lint_stdin(data, options.stdin_filename, settings_for, task)
    found = told(Found([result]), options, settings_for, task, known_before)
    if task.does is Does.FIX:
        sys.stdout.buffer.write(result.source.encode() if result.fixed else data)
        sys.stdout.buffer.flush()
    report(found, its, options, task, sys.stderr if task.fixes and out is sys.stdout else out)
    return _exit_code(found.results, its, options, task)


def _exit_code(results: Sequence[Result], its: Settings, options: Options, task: Task) -> int:
    from panicguard.diagnostic import Severity
    from panicguard.report.summary import fixed_count

    levels = list(Severity)
    failing = levels[: levels.index(Severity(its.fail_level)) + 1]
    fixed = fixed_count(results)
    if options.exit_zero:
        return 0
    if task.does is Does.DIFF:
        return 1 if fixed else 0
    if options.exit_non_zero_on_fix and fixed:
        return 1
    left = any(diagnostic.severity in failing for result in results for diagnostic in result.diagnostics)
    return 1 if left and not task.only else 0


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


def _added(results: Iterable[Result], options: Options, annotation: Annotation) -> int:
    """Say how many suppression comments were added, and to which files none could be."""
    for result in results:
        for diagnostic in result.diagnostics:
            if not diagnostic.is_rule and not options.silent:
                row = result.source.location(diagnostic.start)[0]
                tell(one_line(f"error: {result.source.path}:{row}: {diagnostic.message}"))
    count = sum(result.added for result in results)
    if count and not (options.quiet or options.silent):
        from panicguard.suppression.directives import Kind

        noun = "noqa directive" if annotation.kind is Kind.NOQA else "ignore comment"
        tell(f"Added {count} {noun}{'s' * (count != 1)}.")
    return 0
