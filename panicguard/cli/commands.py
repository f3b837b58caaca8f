"""The command line: arguments to settings, settings to results, results to a report and an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from panicguard import __version__
from panicguard.cli import streams
from panicguard.cli.flags import CONFLICTS, check_options, options_of, with_values
from panicguard.cli.parser import WIDTH, Group, UsageError, error_text
from panicguard.cli.remarks import tell
from panicguard.config import FIELDS, ConfigError
from panicguard.config.errors import FlagError
from panicguard.config.options import Options, settings_for_options
from panicguard.config.selectors import nearest
from panicguard.files import runtime
from panicguard.files.reading import SETTINGS, read
from panicguard.report.width import harmless, one_line
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from panicguard.cli.vendor import Comparison

COMPLETION = "_PANICGUARD_COMPLETE"
"""The environment variable through which a shell asks what may come next."""


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
    """Report unsafe spawns in files and directories, or in standard input (`-`). Default: the current directory."""
    return _run(options_of(flags))


@cli.command(conflicts=CONFLICTS)
@check_options
def fix(**flags: Any) -> int:
    """Fix unsafe spawns in files and directories, and list what was fixed."""
    options = options_of(flags)
    for flag, value in (("--add-noqa", options.add_noqa), ("--add-ignore", options.add_ignore)):
        if value is not None:
            message = f"the argument '{flag}[=<REASON>]' cannot be used with '--fix'"
            raise UsageError(message, click.get_current_context())
    return _run(options._replace(fix=True, show_fixes=options.show_fixes is not False))


def _run(options: Options) -> int:
    if options.watch:
        from panicguard.cli.watch import watch

        return watch(options)
    from panicguard.cli.check import check

    return check(options)


@cli.command()
@click.argument("rule", required=False, metavar="<RULE|--all>")
@click.option("--all", "every", is_flag=True, help="Explain all rules.")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def rule(rule: str | None, every: bool, output_format: str) -> int:
    """Explain a rule, by its code or its name."""
    context = click.get_current_context()
    rules = [r for r in all_rules() if every or rule in (r.code, r.name)]
    if every and rule is not None:
        raise UsageError("the argument '--all' cannot be used with '[RULE]'", context)
    if not rules:
        if rule is None:
            raise UsageError("the following required arguments were not provided:\n  <RULE|--all>", context)
        close = nearest(rule, [n for r in all_rules() for n in (r.code, r.name)])
        tip = "" if close is None else f"a similar value exists: '{close}'"
        raise UsageError(f"invalid value '{one_line(rule)}' for '[RULE]'", context, tip, usage=None)
    from panicguard.report.rules import to_json, to_markdown

    _write(to_json(rules, every=every) if output_format == "json" else "\n".join(map(to_markdown, rules)))
    return 0


@cli.command()
@click.argument("key", required=False, metavar="[OPTION]")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def config(key: str | None, output_format: str) -> int:
    """List the keys of the configuration, or describe one."""
    from panicguard.config import describe

    as_json = output_format == "json"
    if key is None or key == "lint":
        _write(describe.list_keys(key, as_json=as_json))
    elif (name := key.removeprefix("lint.") if key not in FIELDS else key) in FIELDS:
        _write(describe.describe_key(name, as_json=as_json))
    else:
        import difflib

        close = difflib.get_close_matches(key, FIELDS, n=1)
        tip = f"a similar value exists: '{close[0]}'" if close else ""
        raise UsageError(
            f"invalid value '{one_line(key)}' for '[OPTION]'", click.get_current_context(), tip, usage=None
        )
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
@click.option("--language", type=click.Choice(("python", "go")), default="python", help="The language of the project.")
@click.option("--as", "name", default="mruntime", help="The name of the copied package.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the copy is outdated or was edited.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited.")
def vendor(destination: str, language: str, name: str, check: bool, force: bool) -> int:
    """Copy the runtime into a project, as a package in the directory DESTINATION, or bring a copy up to date."""
    from pathlib import Path

    from panicguard.cli.vendor import VendorError, compare, import_path
    from panicguard.cli.vendor import vendor as copy
    from panicguard.files import links

    if not check and links.escapes(destination):
        target = one_line(os.path.realpath(destination))
        raise ConfigError(
            f"Failed to write {one_line(destination)}", f"it is a link to {target}, outside of the current directory"
        )
    try:
        if check:
            return _vendored(Path(destination) / name, compare(Path(destination), name, language))
        package = copy(Path(destination), name, language, force=force)
    except VendorError as error:
        raise ConfigError(one_line(str(error))) from None
    except OSError as error:
        raise ConfigError(f"Failed to write {one_line(destination)}", error.strerror or str(error)) from None
    _write(f"Copied the runtime to {one_line(str(package))}\n\n")
    if language == "go":
        path = import_path(package)
        there = f'Import it:\n\nimport "{path}"\n' if path else "No go.mod above it names a module to import it from.\n"
        _write(there)
        return 0
    module = runtime.dotted(str(package.resolve()))
    _write(f'Add this to panicguard.toml, or to [tool.panicguard] in pyproject.toml:\n\nruntime-module = "{module}"\n')
    return 0


def _vendored(package: Path, copy: Comparison) -> int:
    for state, names in (("edited", copy.edited), ("outdated", copy.outdated), ("missing", copy.missing)):
        for name in names:
            _write(f"{one_line(str(package / name))}: {state}\n")
    if copy.same:
        _write(f"{one_line(str(package))} is mruntime {copy.version}, as this panicguard has it\n")
        return 0
    force = " --force" if copy.edited else ""
    _write(f"`panicguard vendor{force}` with the same arguments brings it up to date\n")
    return 1


@cli.command()
def clean() -> int:
    """Remove the caches in the current directory and below it."""
    from panicguard.run import cache

    here = os.getcwd()
    named = here
    with contextlib.suppress(ConfigError):  # a broken configuration does not name a cache
        configured = settings_for_options(Options())(here)
        named = os.path.join(configured.root, configured.cache_dir)
    for path in cache.clean(here, named):
        tell(f"Removing cache at: {one_line(os.path.relpath(path))}")
    return 0


@cli.command()
@click.option("--stdio", is_flag=True, hidden=True)
@click.option("--preview", is_flag=True, hidden=True)
def server(stdio: bool, preview: bool) -> int:
    """Run the language server, on standard input and output."""
    from panicguard_lsp.main import serve

    streams.standard_input()
    code: int = serve()
    return code


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
    """Print the script with which a shell completes panicguard's arguments."""
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
        subcommand = shown.get_command(context, name) if isinstance(shown, click.Group) else None
        if subcommand is None:
            raise UsageError(f"unrecognized subcommand '{one_line(name)}'", context)
        shown, context = subcommand, click.Context(subcommand, context, info_name=name)
    _write(f"{shown.get_help(context)}\n")
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code. A mistake of the user is explained, with exit code 2.

    Raises OSError, ImportError and MemoryError where the system refuses what a command needs.
    """
    for stream in (sys.stdout, sys.stderr):  # a path that is not valid text must not end the run
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
        tell(error_text(error))
        return 2
    except FlagError as error:
        tell(error_text(click.UsageError(str(error))))
        return 2
    except ConfigError as error:
        tell(error.report)
        return 2
    except KeyboardInterrupt:
        return 130
    except (
        SystemExit
    ) as ended:  # raised by click: it has completed a word for a shell, or the reader of the output has gone
        return int(ended.code or 0) if COMPLETION in os.environ else streams.GONE
    except (OSError, ImportError, MemoryError):  # not a bug: `main` reports what the system refused
        raise
    except Exception as error:
        tell(f"panicguard failed\n  Cause: {type(error).__name__}: {one_line(str(error))}")
        click.echo("This is a bug in panicguard: please report it, with the command that led here.", err=True)
        return 2


def _expanded(arguments: Iterable[str], within: tuple[str, ...] = ()) -> list[str]:
    """The arguments with each `@file` replaced by those in the file, one on a line; empty lines do not count."""
    expanded: list[str] = []
    for argument in arguments:
        path = argument[1:]
        if not (argument.startswith("@") and path):
            expanded.append(argument)
            continue
        failed = "Failed to read CLI arguments from files"
        if path in within:
            raise ConfigError(failed, f"file `{one_line(path)}` names itself")
        try:
            lines = [line for line in read(path, SETTINGS).decode().splitlines() if line]
        except OSError as error:
            raise ConfigError(failed, f"failed to open file `{one_line(path)}`: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(failed, f"failed to open file `{one_line(path)}`: it is not UTF-8") from None
        expanded += _expanded(lines, (*within, path))
    return expanded


def _write(text: str) -> None:
    sys.stdout.write(harmless(text))
