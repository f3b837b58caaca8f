"""The command line: arguments to settings, settings to results, results to a report and an exit code."""

from __future__ import annotations

import functools
import io
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

import click

from panicguard import __version__, files, settings
from panicguard.options import (
    Options,
    annotation_of,
    chain_for_options,
    check_options,
    options_of,
    settings_for_options,
    with_values,
)
from panicguard.rule import all_rules
from panicguard.settings import ConfigError
from panicguard.settings.fields import INCLUDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.progress import Progress

    from panicguard.model import Result
    from panicguard.pool import Mode
    from panicguard.settings import Settings
    from panicguard.vendor import Comparison

SLOW = 1.0
"""Seconds after which a run on a terminal shows its progress."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="panicguard", message="%(prog)s %(version)s")
def cli() -> None:
    """No bare spawns: find unsafe concurrency spawns and rewrite them into SafeGo calls."""


@cli.command()
@check_options
def check(**flags: Any) -> int:
    """Report the unsafe spawns in files and directories (default: here)."""
    return _check(options_of(flags))


@cli.command()
@check_options
def fix(**flags: Any) -> int:
    """Fix the unsafe spawns in files and directories, and list what was fixed."""
    options = options_of(flags | {"fix": True})
    return _check(replace(options, show_fixes=options.show_fixes is not False))


@cli.command()
@click.argument("rule", required=False)
@click.option("--all", "every", is_flag=True, help="Explain all rules.")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def rule(rule: str | None, every: bool, output_format: str) -> int:
    """Explain a rule, by its code or its name."""
    found = [r for r in all_rules() if every or rule in (r.code, r.name)]
    if not found:
        if rule is None:
            raise click.UsageError("the following required arguments were not provided: <RULE|--all>")
        raise click.UsageError(f"invalid value '{rule}' for '[RULE]'")
    from panicguard.report.rules import to_json, to_markdown

    _write(to_json(found, every=every) if output_format == "json" else "\n".join(map(to_markdown, found)))
    return 0


@cli.command()
@click.argument("key", required=False)
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def config(key: str | None, output_format: str) -> int:
    """List the keys of the configuration, or describe one."""
    from panicguard.settings import describe

    as_json = output_format == "json"
    if key is None or key == "lint":
        _write(describe.list_keys(key, as_json=as_json))
    elif (name := key.removeprefix("lint.") if key not in settings.FIELDS else key) in settings.FIELDS:
        _write(describe.describe_key(name, as_json=as_json))
    else:
        raise click.UsageError(f"invalid value '{key}' for '[KEY]'")
    return 0


@cli.command()
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def linter(output_format: str) -> int:
    """List the families of rules."""
    from panicguard.report.rules import families_json, families_text

    _write(families_json() if output_format == "json" else families_text())
    return 0


@cli.command()
@click.argument("destination", type=click.Path(file_okay=False))
@click.option("--as", "name", default="mruntime", help="The name of the copied package.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the copy is outdated or was edited.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited.")
def vendor(destination: str, name: str, check: bool, force: bool) -> int:
    """Copy the runtime into a project, as a package in the directory DESTINATION, or bring a copy up to date."""
    from pathlib import Path

    from panicguard.vendor import VendorError, compare
    from panicguard.vendor import vendor as copy

    try:
        if check:
            return _vendored(Path(destination) / name, compare(Path(destination), name))
        package = copy(Path(destination), name, force=force)
    except VendorError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"Failed to write {destination}", error.strerror or str(error)) from None
    module = files.dotted(str(package.resolve()))
    _write(f"Copied the runtime to {package}\n\nSay so in panicguard.toml, or in [tool.panicguard]:\n\n")
    _write(f'runtime-module = "{module}"\n')
    return 0


def _vendored(package: Path, copy: Comparison) -> int:
    for state, names in (("edited", copy.edited), ("outdated", copy.outdated), ("missing", copy.missing)):
        for name in names:
            _write(f"{package / name}: {state}\n")
    if copy.same:
        _write(f"{package} is mruntime {copy.version}, as this panicguard has it\n")
        return 0
    force = " --force" if copy.edited else ""
    _write(f"`panicguard vendor{force}` with the same arguments brings it up to date\n")
    return 1


@cli.command()
def clean() -> int:
    """Remove the caches here and below."""
    from panicguard import cache

    for path in cache.clean(os.getcwd()):
        click.echo(f"Removing cache at: {os.path.relpath(path)}", err=True)
    return 0


@cli.command()
def version() -> int:
    """Print the version."""
    _write(f"panicguard {__version__}\n")
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run the command line: the exit code. Whatever is the user's mistake is said in words, with 2."""
    for stream in (sys.stdout, sys.stderr):  # a path that is no text must not end the run
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        if not arguments:
            with click.Context(cli, info_name="panicguard") as context:
                click.echo(cli.get_help(context), err=True)
            return 2
        return int(cli.main(with_values(_expanded(arguments)), prog_name="panicguard", standalone_mode=False) or 0)
    except click.exceptions.Abort:
        return 130
    except click.UsageError as error:
        _usage_error(error)
        return 2
    except ConfigError as error:
        click.echo("panicguard failed", err=True)
        for cause in error.causes:
            click.echo(f"  Cause: {cause}", err=True)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except Exception as error:
        click.echo(f"panicguard failed\n  Cause: {type(error).__name__}: {error}", err=True)
        click.echo("This is a bug in panicguard: please report it, with the command that led here.", err=True)
        return 2


def _expanded(arguments: Iterable[str], within: tuple[str, ...] = ()) -> list[str]:
    """The arguments with each `@file` replaced by those in the file, one on a line; empty lines do not count."""
    found: list[str] = []
    for argument in arguments:
        path = argument[1:]
        if not (argument.startswith("@") and path):
            found.append(argument)
            continue
        failed = "Failed to read CLI arguments from files"
        if path in within:
            raise ConfigError(failed, f"file `{path}` names itself")
        try:
            with open(path, encoding="utf-8") as file:
                lines = [line for line in file.read().splitlines() if line]
        except OSError as error:
            raise ConfigError(failed, f"failed to open file `{path}`: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(failed, f"failed to open file `{path}`: it is not UTF-8") from None
        found += _expanded(lines, (*within, path))
    return found


def _usage_error(error: click.UsageError) -> None:
    click.echo(f"error: {error.format_message()}", err=True)
    if error.ctx is not None:
        click.echo(f"\n{error.ctx.get_usage()}", err=True)
    click.echo("\nFor more information, try '--help'.", err=True)


def _write(text: str) -> None:
    sys.stdout.write(text)


def _check(options: Options) -> int:
    """Check or fix, report, and say with which code to exit."""
    from panicguard.model import Severity
    from panicguard.pool import Mode
    from panicguard.report.summary import fixed_count

    settings_for = settings_for_options(options)
    if options.show_settings or options.show_files:
        return _show(options, settings_for)
    its = settings_for(os.getcwd())
    annotation = annotation_of(options)
    fixing = its.fix or its.fix_only or options.diff
    if fixing and annotation is not None and not options.silent:
        click.echo(f"warning: --fix is incompatible with --add-{annotation.kind.value}.", err=True)
    mode = Mode(
        fixing and annotation is None, unsafe=bool(its.unsafe_fixes), write=not options.diff, annotation=annotation
    )
    if options.verbose:
        found_for, _ = chain_for_options(options)
        click.echo(f"panicguard {__version__}, settings from {found_for(os.getcwd()).path or 'nowhere'}", err=True)
    out = _file(options.output_file) if options.output_file is not None else None
    stdin = echo = None
    if options.paths == ("-",) or (options.stdin_filename is not None and not options.paths):
        stdin = sys.stdin.buffer.read()
        if annotation is not None:
            return 0  # there is no file to write
        results = [_lint_stdin(stdin, options.stdin_filename, settings_for, mode)]
        if mode.fix and mode.write:
            echo = results[0].source.encode() if results[0].fixed else stdin
    else:
        results, count = _run(
            files.discover(options.paths or (".",), settings_for),
            mode,
            cached=not options.no_cache,
            progress=sys.stderr.isatty() and not (options.quiet or options.silent),
        )
        if count == 0 and not options.silent:
            click.echo("warning: No Python files found under the given path(s)", err=True)
    if not options.silent:
        for warning in (*its.warnings, *(w for result in results for w in result.warnings)):
            click.echo(f"warning: {warning}", err=True)
        if not options.quiet and (advice := _advice(results)):
            click.echo(f"warning: {advice}", err=True)
    if annotation is not None:
        return _added(list(map(_shown, results)), options)
    if not options.silent:
        out = out or (sys.stdout if stdin is None or not mode.fix else sys.stderr)
        _report(list(map(_shown, results)), its, options, out, echo)
    fixed = fixed_count(results)
    levels = list(Severity)
    failing = levels[: levels.index(Severity(its.fail_level)) + 1]
    left = sum(diagnostic.severity in failing for result in results for diagnostic in result.diagnostics)
    if options.exit_zero:
        return 0
    if options.diff:
        return 1 if fixed else 0
    if options.exit_non_zero_on_fix and fixed:
        return 1
    return 1 if left and not its.fix_only else 0


def _show(options: Options, settings_for: Callable[[str], Settings]) -> int:
    """Print the files that would be checked, their configuration among them, or the settings of the first one."""

    def with_configuration(directory: str) -> Settings:
        its = settings_for(directory)
        return replace(its, include=(*its.include, *settings.FILES)) if its.include == INCLUDE else its

    arguments = options.paths or (".",)
    if options.show_files:
        found = files.discover(arguments, with_configuration)
        _write("".join(f"{path}\n" for path, _ in found))
        return 0
    from panicguard.settings import describe

    first = next((path for path, _ in files.discover(arguments, settings_for)), None)
    if first is None:
        raise ConfigError("No files found under the given path")
    directory = os.path.dirname(first)
    found_for, chain_of = chain_for_options(options)
    _write(describe.show_settings(first, chain_of(found_for(directory)), settings_for(directory)))
    return 0


def _lint_stdin(data: bytes, name: str | None, settings_for: Callable[[str], Settings], mode: Mode) -> Result:
    """What comes from standard input, as the file of that name; an excluded one is read and not looked at."""
    from panicguard.model import Result
    from panicguard.pool import lint_bytes
    from panicguard.source import Source

    if name is None:
        return lint_bytes("-", data, settings_for(os.getcwd()), mode)
    for path, its in files.discover((name,), settings_for):
        return lint_bytes(path, data, its, mode)
    return Result(Source(name, ""), ())


def _run(
    found: Iterable[tuple[str, Settings]], mode: Mode, *, cached: bool, progress: bool
) -> tuple[list[Result], int]:
    """The results that say something, and the number of files; with `progress`, a long run shows how far it is."""
    import time

    from panicguard import cache
    from panicguard.pool import run as run_all

    said: list[Result] = []
    count = 0
    bar = None
    started = time.monotonic()

    def counted() -> Iterator[tuple[str, Settings]]:
        nonlocal count
        for file in found:
            count += 1
            yield file

    lint = functools.partial(run_all, mode=mode)
    try:
        remaking = mode.fix or mode.annotation is not None
        for result in cache.run(counted(), lint, fixing=remaking) if cached else lint(counted()):
            if result.diagnostics or result.original or result.warnings or result.noqa_codes:
                said.append(result)
            if progress and bar is None and time.monotonic() - started > SLOW:
                bar = _progress_bar()
            if bar is not None:
                bar.update(bar.task_ids[0], completed=count)
    finally:
        if bar is not None:
            bar.stop()
    return sorted(said, key=lambda result: files.parts(result.source.path)), count


def _advice(results: Iterable[Result]) -> str | None:
    """What Ruff, if it is configured, has to be told of the `# noqa` comments that name our codes."""
    named: dict[str, set[str]] = {}
    for result in results:
        if result.noqa_codes:
            named.setdefault(os.path.dirname(result.source.path), set()).update(result.noqa_codes)
    if not named:
        return None
    from panicguard.ruff import advice

    return next((said for directory, codes in named.items() if (said := advice(directory, codes))), None)


def _added(results: Iterable[Result], options: Options) -> int:
    """Say how many suppression comments were added, and to which files none could be."""
    for result in results:
        for diagnostic in result.diagnostics:
            if not diagnostic.is_rule and not options.silent:
                row = result.source.location(diagnostic.start)[0]
                click.echo(f"error: {result.source.path}:{row}: {diagnostic.message}", err=True)
    count = sum(result.added for result in results)
    if count and not (options.quiet or options.silent):
        noun = "noqa directive" if options.add_noqa is not None else "ignore comment"
        click.echo(f"Added {count} {noun}{'s' * (count != 1)}.", err=True)
    return 0


def _progress_bar() -> Progress:
    """A started bar, which leaves nothing behind when it is stopped: the files are found while they are checked."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("Checked {task.completed} files"), BarColumn(bar_width=20))
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("", total=None)
    bar.start()
    return bar


def _shown(result: Result) -> Result:
    """The result under the path that is shown: relative where the file is below the current directory."""
    path = result.source.path
    below = f"{os.getcwd().rstrip('/')}/"
    if not path.startswith(below):
        return result
    return replace(result, source=replace(result.source, path=path[len(below) :]))


def _report(results: list[Result], its: Settings, options: Options, stream: TextIO, echo: bytes | None) -> None:
    """Print what was found to a stream; to standard output the fixed source of standard input, or the diff."""
    from panicguard.report import formats, paint, summary

    if echo is not None:
        sys.stdout.buffer.write(echo)
        sys.stdout.buffer.flush()
    name, unsafe = its.output_format, its.unsafe_fixes
    mode = "diff" if options.diff else "fix-only" if its.fix_only else "check"
    shown: list[tuple[str, str]] = []
    if mode == "diff":
        from panicguard.report import diff

        _write(paint.paint(diff.diff(results), options.color, sys.stdout))
    elif mode == "check" and options.statistics:
        try:
            shown += formats.count(results, name, unsafe=unsafe)
        except ValueError as error:
            raise ConfigError(str(error)) from None
    elif mode == "check":
        shown += formats.render(results, name, unsafe=unsafe)
    if formats.FORMATS[name].people and not options.quiet:
        if its.show_fixes and mode != "diff" and (its.fix or its.fix_only):
            shown += summary.show_fixes(results)
        shown += summary.summary(results, mode=mode, unsafe=unsafe, statistics=options.statistics)
    stream.write(paint.paint(shown, "never" if options.output_file else options.color, stream))
    stream.flush()


def _file(path: str) -> TextIO:
    """The file that the report goes to, with the directories it needs; closed when the command ends.

    Raises ConfigError where there can be none: better before the work than after it.
    """
    from pathlib import Path

    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "w", encoding="utf-8", errors="backslashreplace", newline="")  # noqa: SIM115 (click closes it)
    except OSError as error:
        raise ConfigError(f"Failed to write {path}", error.strerror or str(error)) from None
    return click.get_current_context().with_resource(file)
