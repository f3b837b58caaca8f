"""The command line: arguments to settings, settings to results, results to a report and an exit code."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

import click

from panicguard import __version__, files, settings
from panicguard.commands import WIDTH, Group, UsageError, error_text
from panicguard.options import (
    CONFLICTS,
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

    from panicguard import ratchet
    from panicguard.model import Result
    from panicguard.pool import Mode
    from panicguard.settings import Settings
    from panicguard.vendor import Comparison

COMPLETION = "_PANICGUARD_COMPLETE"
"""The environment variable through which a shell asks what may come next."""
SLOW = 1.0
"""Seconds after which a run on a terminal shows its progress."""


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
    subcommand_metavar="<COMMAND>",
    epilog="For help with a specific command, see: `panicguard help <command>`.",
)
@click.version_option(__version__, "-V", "--version", prog_name="panicguard", message="%(prog)s %(version)s")
def cli() -> None:
    """No bare spawns: find unsafe concurrency spawns and rewrite them into SafeGo calls."""


@cli.command(conflicts=CONFLICTS)
@check_options
def check(**flags: Any) -> int:
    """Report the unsafe spawns in files and directories, or in `-`: standard input. Default: here."""
    options = options_of(flags)
    return _watch(options) if options.watch else _check(options)


@cli.command(conflicts=CONFLICTS)
@check_options
def fix(**flags: Any) -> int:
    """Fix the unsafe spawns in files and directories, and list what was fixed."""
    options = options_of(flags)
    for flag, value in (("--add-noqa", options.add_noqa), ("--add-ignore", options.add_ignore)):
        if value is not None:
            message = f"the argument '{flag}[=<REASON>]' cannot be used with '--fix'"
            raise UsageError(message, click.get_current_context())
    options = replace(options, fix=True, show_fixes=options.show_fixes is not False)
    return _watch(options) if options.watch else _check(options)


@cli.command()
@click.argument("rule", required=False, metavar="<RULE|--all>")
@click.option("--all", "every", is_flag=True, help="Explain all rules.")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def rule(rule: str | None, every: bool, output_format: str) -> int:
    """Explain a rule, by its code or its name."""
    context = click.get_current_context()
    found = [r for r in all_rules() if every or rule in (r.code, r.name)]
    if every and rule is not None:
        raise UsageError("the argument '--all' cannot be used with '[RULE]'", context)
    if not found:
        if rule is None:
            raise UsageError("the following required arguments were not provided:\n  <RULE|--all>", context)
        import difflib

        close = difflib.get_close_matches(rule, [n for r in all_rules() for n in (r.code, r.name)], n=1)
        tip = f"a similar value exists: '{close[0]}'" if close else ""
        raise UsageError(f"invalid value '{rule}' for '[RULE]'", context, tip, usage=None)
    from panicguard.report.rules import to_json, to_markdown

    _write(to_json(found, every=every) if output_format == "json" else "\n".join(map(to_markdown, found)))
    return 0


@cli.command()
@click.argument("key", required=False, metavar="[OPTION]")
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
        import difflib

        close = difflib.get_close_matches(key, settings.FIELDS, n=1)
        tip = f"a similar value exists: '{close[0]}'" if close else ""
        raise UsageError(f"invalid value '{key}' for '[OPTION]'", click.get_current_context(), tip, usage=None)
    return 0


@cli.command()
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def linter(output_format: str) -> int:
    """List the families of rules."""
    from panicguard.report.rules import families_json, families_text

    _write(families_json() if output_format == "json" else families_text())
    return 0


@cli.command(short_help="Copy the runtime into a project, or bring a copy up to date.")
@click.argument("destination", metavar="<DESTINATION>", type=click.Path(file_okay=False))
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
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def version(output_format: str) -> int:
    """Print the version."""
    import json

    as_json = json.dumps({"version": __version__, "commit_info": None}, indent=2)
    _write(as_json if output_format == "json" else f"panicguard {__version__}\n")
    return 0


@cli.command("generate-shell-completion", hidden=True)
@click.argument("shell", metavar="<SHELL>", type=click.Choice(("bash", "zsh", "fish")))
def generate_shell_completion(shell: str) -> int:
    """Print what a shell needs to complete panicguard's arguments."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    assert completion is not None
    _write(completion(cli, {}, "panicguard", COMPLETION).source())
    return 0


@cli.command("help")
@click.argument("command", nargs=-1, metavar="[COMMAND]...")
def help_(command: tuple[str, ...]) -> int:
    """Print this, or the help of a command."""
    context = click.get_current_context().find_root()
    shown: click.Command = cli
    for name in command:
        found = shown.get_command(context, name) if isinstance(shown, click.Group) else None
        if found is None:
            raise UsageError(f"unrecognized subcommand '{name}'", context)
        shown, context = found, click.Context(found, context, info_name=name)
    _write(f"{shown.get_help(context)}\n")
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run the command line: the exit code. Whatever is the user's mistake is said in words, with 2."""
    for stream in (sys.stdout, sys.stderr):  # a path that is no text must not end the run
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        if not arguments and COMPLETION not in os.environ:
            with click.Context(cli, info_name="panicguard", **cli.context_settings) as context:
                click.echo(cli.get_help(context), err=True)
            return 2
        whole = with_values(_expanded(arguments))
        main = cli.main(whole, prog_name="panicguard", complete_var=COMPLETION, standalone_mode=False)
        return int(main or 0)
    except click.exceptions.Abort:
        return 130
    except click.UsageError as error:
        click.echo(error_text(error), err=True, nl=False)
        return 2
    except ConfigError as error:
        _failed(error)
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


def _failed(error: ConfigError) -> None:
    click.echo("panicguard failed", err=True)
    for cause in error.causes:
        click.echo(f"  Cause: {cause}", err=True)


def _write(text: str) -> None:
    sys.stdout.write(text)


def _check(options: Options) -> int:
    """Check or fix, report, and say with which code to exit."""
    from panicguard.model import Severity
    from panicguard.report.summary import fixed_count

    settings_for = settings_for_options(options)
    if options.show_settings or options.show_files:
        return _show(options, settings_for)
    its = settings_for(os.getcwd())
    mode = _mode(its, options)
    annotation = mode.annotation
    told = not (options.quiet or options.silent)
    if told and annotation is not None and (its.fix or its.fix_only):
        click.echo(f"warning: --fix is incompatible with --add-{annotation.kind.value}.", err=True)
    baseline = _baseline(its, options)
    if options.verbose and told:
        found_for, _ = chain_for_options(options)
        click.echo(f"panicguard {__version__}, settings from {found_for(os.getcwd()).path or 'nowhere'}", err=True)
    out = _file(options.output_file) if options.output_file is not None else None
    stdin = echo = None
    if options.paths == ("-",) or options.stdin_filename is not None:
        if told and (ignored := [path for path in options.paths if path != "-"]):
            click.echo(f"warning: Ignoring file {ignored[0]} in favor of standard input.", err=True)
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
            progress=told and sys.stderr.isatty(),
        )
        if told and count == 0:
            click.echo("warning: No Python files found under the given path(s)", err=True)
        if told:
            _hint(files.excluded_but_named(options.paths, settings_for))
    known = 0
    if baseline is not None:
        from panicguard import ratchet

        results, known, said = ratchet.hold(baseline, results, options, settings_for)
        _say(said, options)
    if told:
        for warning in (*its.warnings, *(w for result in results for w in result.warnings)):
            click.echo(f"warning: {warning}", err=True)
        if advice := _advice(results):
            click.echo(f"warning: {advice}", err=True)
    if annotation is not None:
        return _added(list(map(_shown, results)), options)
    out = out or (sys.stdout if stdin is None or not mode.fix else sys.stderr)
    _report(list(map(_shown, results)), its, options, out, echo, known)
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


def _baseline(its: Settings, options: Options) -> ratchet.Loaded | None:
    """The baseline, read before anything is written. Raises ConfigError and UsageError."""
    if its.baseline is not None:
        from panicguard import ratchet

        return ratchet.load(its.baseline, update=options.update_baseline)
    if options.update_baseline:
        message = "the following required arguments were not provided:\n  --baseline <FILE>"
        raise UsageError(message, click.get_current_context())
    return None


def _hint(excluded: Sequence[str]) -> None:
    if excluded:
        more = f" and {len(excluded) - 1} more are" if excluded[1:] else " is"
        flag = "checked all the same when named: `--force-exclude` leaves such files out"
        click.echo(f"hint: `{excluded[0]}`{more} excluded, but {flag}", err=True)


def _say(said: str | None, options: Options) -> None:
    if said and not (options.quiet or options.silent):
        click.echo(said, err=True)


def _mode(its: Settings, options: Options) -> Mode:
    from panicguard.pool import Mode

    annotation = annotation_of(options)
    fixing = annotation is None and (its.fix or its.fix_only or options.diff)
    return Mode(fixing, unsafe=bool(its.unsafe_fixes), write=not options.diff, annotation=annotation)


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


def _watch(options: Options) -> int:
    """Check, and again after each change; ends with KeyboardInterrupt. Raises ConfigError for a path that is none."""
    import time

    from panicguard import watch
    from panicguard.report import paint

    if not all(map(os.path.exists, options.paths)):
        raise ConfigError("No path was found.")
    settings_for_options(options)(os.getcwd())  # who starts with a broken configuration is told at once
    out = _file(options.output_file) if options.output_file is not None else sys.stdout
    told = not (options.quiet or options.silent)
    paths: list[str] = []

    def notice(text: str) -> None:
        if told:
            clock = (time.strftime("[%H:%M:%S %p] "), "clock")
            _write(paint.paint([clock, (f"{text}\n", "")], options.color, sys.stdout))

    def look() -> watch.Stamps:
        """What there is to check now; what may have changed on the disk is not remembered."""
        settings.forget()
        for cache in (files.is_runtime_copy, files.runtime_in):
            cache.cache_clear()
        with contextlib.suppress(ConfigError):  # until it is mended, the files are those of before
            found = files.discover(options.paths or (".",), settings_for_options(options), warn=lambda _: None)
            paths[:] = [path for path, _ in found]
        return watch.stamps(paths, filter(os.path.isfile, options.config))

    said = "Starting linter in watch mode...\n"
    while True:
        seen = look()
        _write("\x1b[H\x1b[2J\x1b[3J")
        notice(said)
        try:
            if out is not sys.stdout:
                out.seek(0)
                out.truncate()
            _check_once(options, notice, out)
        except ConfigError as error:
            _failed(error)
        sys.stdout.flush()
        watch.wait(seen, look)
        said = "File change detected...\n"


def _check_once(options: Options, notice: Callable[[str], None], out: TextIO) -> None:
    """One round of `--watch`."""
    settings_for = settings_for_options(options)
    its = settings_for(os.getcwd())
    baseline = _baseline(its, options)
    results, count = _run(
        files.discover(options.paths or (".",), settings_for),
        _mode(its, options),
        cached=not options.no_cache,
        progress=False,
    )
    if baseline is not None:
        from panicguard import ratchet

        results, _, said = ratchet.hold(baseline, results, options, settings_for)
        _say(said, options)
    if not (options.quiet or options.silent):
        for warning in (*its.warnings, *(w for result in results for w in result.warnings)):
            click.echo(f"warning: {warning}", err=True)
        if count == 0:
            click.echo("warning: No Python files found under the given path(s)", err=True)
    shown = list(map(_shown, results))
    plain, only = replace(its, fix_only=False, show_fixes=False), replace(options, quiet=True)
    if options.diff:
        _report(shown, plain, only, out, None, 0)
    left = 0 if options.diff else sum(len(result.diagnostics) for result in results)
    notice(f"Found {left} {'error' if left == 1 else 'errors'}. Watching for file changes.")
    if left and not options.silent:
        if not options.quiet:
            _write("\n")
        _report(shown, plain, only, out, None, 0)


def _report(
    results: list[Result], its: Settings, options: Options, stream: TextIO, echo: bytes | None, known: int
) -> None:
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
