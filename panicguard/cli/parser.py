"""click's commands, behaving as Ruff's do: global options, options that exclude each other, the wording of errors."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import TYPE_CHECKING, Any

import click

from panicguard.report.width import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Conflicts = Iterable[tuple[str, str]]

SECTIONS: Mapping[str, Sequence[str]] = {
    "Rule selection": (
        "select ignore extend_select per_file_ignores extend_per_file_ignores fixable unfixable extend_fixable"
    ).split(),
    "File selection": "exclude extend_exclude respect_gitignore force_exclude".split(),
    "Miscellaneous": "no_cache cache_dir stdin_filename exit_zero exit_non_zero_on_fix".split(),
    "Log levels": "verbose quiet silent".split(),
    "Global options": "config isolated color".split(),
}
"""Where the help lists which options; the others come first."""
GLOBAL_CONFLICTS = (("quiet", "verbose"), ("quiet", "silent"), ("verbose", "silent"))
WIDTH = 100


def global_options() -> list[click.Option]:
    """The options allowed before a command's name and after it; `given_globals` returns their values."""

    def option(*names: str, **attributes: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_note, **attributes)

    return [
        option("-v", "--verbose", is_flag=True, help="Print which settings are used."),
        option("-q", "--quiet", is_flag=True, help="Print diagnostics, but nothing else."),
        option("-s", "--silent", is_flag=True, help="Print nothing, but still exit with 1 if there are findings."),
        option(
            "--config",
            multiple=True,
            metavar="CONFIG_OPTION",
            help="A configuration file, or a `key = value` in TOML, which overrides any file.",
        ),
        option("--isolated", is_flag=True, help="Ignore all configuration files."),
        option("--color", type=click.Choice(("auto", "always", "never")), metavar="WHEN", help="When to use colours."),
    ]


def _note(context: click.Context, option: click.Parameter, value: Any) -> Any:
    if context.get_parameter_source(option.name or "") is not click.core.ParameterSource.DEFAULT:
        context.meta[f"panicguard.{option.name}"] = value
    return value


def given_globals(context: click.Context) -> dict[str, Any]:
    """The global options that were given; those after the command's name win."""
    prefix = "panicguard."
    return {key.removeprefix(prefix): value for key, value in context.meta.items() if key.startswith(prefix)}


class UsageError(click.UsageError):
    """A mistake in the arguments, with a tip; `usage` replaces the options in the usage; None: no usage."""

    def __init__(self, message: str, context: click.Context, tip: str = "", usage: str | None = "[OPTIONS]") -> None:
        super().__init__(message, context)
        self.tip = tip
        self.usage = usage


class Command(click.Command):
    """A command with the global options, that refuses an option given twice and options that exclude each other."""

    def __init__(self, *arguments: Any, conflicts: Conflicts = (), **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += global_options()
        self.conflicts = (*conflicts, *GLOBAL_CONFLICTS)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _check_order(self, ctx, args, self.conflicts)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_help(self, ctx, formatter)


class Group(click.Group):
    """The commands, and the global options before them."""

    command_class = Command

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += global_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _check_order(self, ctx, args, GLOBAL_CONFLICTS)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None:
            close = _closest(args[0], [name for name, command in self.commands.items() if not command.hidden])
            tip = f"a similar subcommand exists: '{close}'" if close else ""
            raise UsageError(f"unrecognized subcommand '{one_line(args[0])}'", ctx, tip)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_help(self, ctx, formatter)


def _closest(word: str, words: Iterable[str]) -> str | None:
    import difflib

    return next(iter(difflib.get_close_matches(word, words, n=1, cutoff=0.7)), None)


def _check_order(command: click.Command, context: click.Context, arguments: list[str], conflicts: Conflicts) -> None:
    """Refuse an option given twice, and options that exclude each other. Raises UsageError, and click's own."""
    if context.resilient_parsing:  # a shell asks what may come next
        return
    try:
        values, _, order = command.make_parser(context).parse_args(args=list(arguments))
    except click.UsageError as error:
        error.ctx = context
        raise
    for option in order:
        if not isinstance(option, click.Option) or option.multiple or order.count(option) == 1:
            continue
        spelled = [
            a.partition("=")[0] for a in arguments if a.partition("=")[0] in (*option.opts, *option.secondary_opts)
        ]
        if option.secondary_opts and all(one != other for one, other in itertools.pairwise(spelled)):
            continue  # --fix --no-fix: the last one counts
        name = spelled[-1] if spelled and option.secondary_opts else shown(option)
        raise UsageError(f"the argument '{name}' cannot be used multiple times", context)
    given = [
        option
        for option in order
        if isinstance(option, click.Option) and values.get(option.name or "") not in (None, False)
    ]
    for at, option in enumerate(given):
        for other in given[at + 1 :]:
            if (option.name, other.name) in conflicts or (other.name, option.name) in conflicts:
                message = f"the argument '{shown(option)}' cannot be used with '{shown(other)}'"
                raise UsageError(message, context, usage=shown(option))


def shown(option: click.Parameter) -> str:
    """An option or an argument as errors name it: `--output-file <OUTPUT_FILE>`, `[RULE]`."""
    if isinstance(option, click.Argument):
        name = option.metavar or (option.name or "").upper()
        return name if name[0] in "[<" else f"<{name}>" if option.required else f"[{name}]"
    return f"{max(option.opts, key=len)}{_value(option)}"


def _value(option: click.Parameter) -> str:
    if not isinstance(option, click.Option) or option.is_flag or option.count:
        return ""
    name = (option.metavar or option.name or "").upper()
    return f"[=<{name[2:-1]}>]" if name.startswith("[=") else f" <{name}>"


def _write_help(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """What the command does, its usage, what it takes, and an epilog."""
    formatter.width = WIDTH
    formatter.write_text(inspect.cleandoc(command.help or ""))
    formatter.write_paragraph()
    command.format_usage(context, formatter)
    if isinstance(command, click.Group):
        commands = [(name, subcommand) for name, subcommand in command.commands.items() if not subcommand.hidden]
        with formatter.section("Commands"):
            formatter.write_dl([(name, subcommand.get_short_help_str(WIDTH)) for name, subcommand in commands])
    _write_options(command, context, formatter)
    if command.epilog:
        formatter.write_paragraph()
        formatter.write_text(command.epilog)


def _write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    section_of = {name: section for section, names in SECTIONS.items() for name in names}
    rows: dict[str, list[tuple[str, str]]] = {name: [] for name in ("Options", *SECTIONS)}
    for option in command.get_params(context):
        if not isinstance(option, click.Option) or option.hidden:
            continue
        short = next((f"{name}, " for name in option.opts if not name.startswith("--")), "    ")
        text = [option.help or ""]
        if option.secondary_opts:
            text.append(f"Use `{option.secondary_opts[0]}` to disable.")
        if option.envvar:
            text.append(f"[env: {option.envvar}]")
        if isinstance(option.type, click.Choice):
            text.append(f"[possible values: {', '.join(map(str, option.type.choices))}]")
        rows[section_of.get(option.name or "", "Options")].append((f"{short}{shown(option)}", " ".join(text)))
    for section, records in rows.items():
        if records:
            with formatter.section(section):
                formatter.write_dl(records, col_max=32)


def error_text(error: click.UsageError) -> str:
    """What went wrong, what may have been meant, and how to use the command."""
    message, tip, usage = _words(error)
    lines = [f"error: {message}"]
    if tip:
        lines += ["", f"  tip: {tip}"]
    if usage is not None and error.ctx is not None:
        lines += ["", error.ctx.get_usage().replace("[OPTIONS]", usage)]
    return "\n".join([*lines, "", "For more information, try '--help'."])


def _words(error: click.UsageError) -> tuple[str, str, str | None]:
    """The message of an error, a tip, and what the usage shows in place of the options; None: no usage."""
    message = error.format_message()  # click's own quotes arguments unescaped, and they may be names of files
    if isinstance(error, UsageError):
        return message, error.tip, error.usage
    if isinstance(error, click.NoSuchOption):
        name = one_line(error.option_name)
        options = error.ctx.command.get_params(error.ctx) if error.ctx else []
        known = {spelled: option for option in options for spelled in option.opts}
        close = _closest(name, known) if name.startswith("--") else None
        if close:
            tip = f"a similar argument exists: '{close}'"
            return f"unexpected argument '{name}' found", tip, shown(known[close])
        tip = f"to pass '{name}' as a value, use '-- {name}'" if _takes_paths(error.ctx) else ""
        return f"unexpected argument '{name}' found", tip, "[OPTIONS]"
    if isinstance(error, click.BadOptionUsage) and error.ctx is not None:
        option = next((p for p in error.ctx.command.params if error.option_name in p.opts), None)
        if option is not None and "requires an argument" in message:
            return f"a value is required for '{shown(option)}' but none was supplied{_choices(option)}", "", None
        return f"unexpected value for '{one_line(error.option_name)}' found; no more were expected", "", "[OPTIONS]"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return f"the following required arguments were not provided:\n  {shown(error.param)}", "", "[OPTIONS]"
    if isinstance(error, click.BadParameter) and error.param is not None:
        what = f"'{shown(error.param)}'"
        value = re.match(r"'(.*)' is not one of ", error.message, re.DOTALL)
        if value is None and (other := re.match(r"('.*'): (.*)", error.message, re.DOTALL)):
            return one_line(f"invalid value {other[1]} for {what}: {other[2]}"), "", None
        if value is None:
            return f"invalid value for {what}: {one_line(error.message)}", "", None
        if not value[1]:
            return f"a value is required for {what} but none was supplied{_choices(error.param)}", "", None
        return f"invalid value '{one_line(value[1])}' for {what}{_choices(error.param)}", "", None
    if message == "Missing command." and error.ctx is not None and isinstance(error.ctx.command, click.Group):
        names = ", ".join(error.ctx.command.commands)
        return f"'panicguard' requires a subcommand but one was not provided\n  [subcommands: {names}]", "", "[OPTIONS]"
    if message.startswith("invalid value"):
        return message, "", None
    if extra := re.match(r"Got unexpected extra arguments? \((\S+)", one_line(message)):
        return f"unexpected argument '{extra[1].rstrip(')')}' found", "", "[OPTIONS]"
    return one_line(message), "", "[OPTIONS]"


def _choices(option: click.Parameter) -> str:
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    return f"\n  [possible values: {', '.join(map(str, choices))}]" if choices else ""


def _takes_paths(context: click.Context | None) -> bool:
    return context is not None and any(isinstance(p, click.Argument) and p.nargs == -1 for p in context.command.params)
