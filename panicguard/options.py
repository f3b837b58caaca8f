"""The flags of `check` and `fix`: what they are, what goes together, and the settings they come to."""

from __future__ import annotations

import functools
import itertools
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from panicguard import files, settings
from panicguard.report.formats import FORMATS
from panicguard.rule import all_rules
from panicguard.settings import ConfigError, Layer, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from panicguard.annotate import Annotation

SETTINGS = (
    "fix fix_only unsafe_fixes show_fixes output_format force_exclude respect_gitignore low_confidence ignore_noqa"
).split()
"""The flags that stand for a setting of the same name."""
ADDING = {"add_noqa": "noqa", "add_ignore": "ignore"}
"""The flags that add suppression comments, and the kind of those."""
CONFLICTS = (
    ("statistics", "diff"),
    ("exit_zero", "exit_non_zero_on_fix"),
    *itertools.combinations(ADDING, 2),
    *itertools.product(ADDING, ("fix", "diff", "watch", "statistics", "ignore_noqa")),
)
"""Flags that do not go together."""


@dataclass(frozen=True, slots=True)
class Options:
    """The flags of `check`; None or () where one was not given."""

    paths: tuple[str, ...] = ()
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    fix: bool | None = None
    fix_only: bool | None = None
    unsafe_fixes: bool | None = None
    diff: bool = False
    ignore_noqa: bool | None = None
    add_noqa: str | None = None
    add_ignore: str | None = None
    show_fixes: bool | None = None
    output_format: str | None = None
    output_file: str | None = None
    statistics: bool = False
    exit_zero: bool = False
    exit_non_zero_on_fix: bool = False
    no_cache: bool = False
    cache_dir: str | None = None
    isolated: bool = False
    config: tuple[str, ...] = ()
    stdin_filename: str | None = None
    force_exclude: bool | None = None
    respect_gitignore: bool | None = None
    low_confidence: bool | None = None
    verbose: bool = False
    quiet: bool = False
    silent: bool = False
    color: str = "auto"


class _Selectors(click.ParamType[Any, Any]):
    """A list with commas."""

    name = "selectors"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def check_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `check` and `fix` share."""
    listed = functools.partial(click.option, type=_Selectors(), multiple=True)
    options = [
        click.argument("paths", nargs=-1),
        listed("--select", help="Rules to run: codes, prefixes, names or ALL."),
        listed("--ignore", help="Rules not to run."),
        listed("--extend-select", help="Rules to run beside the selected ones."),
        listed("--exclude", help="Files and directories to leave out."),
        listed("--extend-exclude", help="Files and directories to leave out as well."),
        click.option("--fix/--no-fix", default=None, help="Fix what can be fixed."),
        click.option("--fix-only/--no-fix-only", default=None, help="Fix, and do not report what is left."),
        click.option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Apply, or do not mention, unsafe fixes."),
        click.option("--diff", is_flag=True, help="Show what would be fixed, and write nothing."),
        click.option("--ignore-noqa", is_flag=True, default=None, help="Heed no suppression comments."),
        click.option("--add-noqa", metavar="[=REASON]", help="Add `# noqa` comments to the lines that fail."),
        click.option("--add-ignore", metavar="[=REASON]", help="Add `# panicguard: ignore` comments instead."),
        click.option("--show-fixes/--no-show-fixes", default=None, help="List what was fixed."),
        click.option(
            "--output-format",
            type=click.Choice(tuple(FORMATS)),
            envvar="PANICGUARD_OUTPUT_FORMAT",
            help="How to print diagnostics.",
        ),
        click.option(
            "-o", "--output-file", envvar="PANICGUARD_OUTPUT_FILE", help="Where to print them: a file. Default: stdout."
        ),
        click.option("--statistics", is_flag=True, help="Count by rule."),
        click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 even where something was found."),
        click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 where something was fixed."),
        click.option("-n", "--no-cache", is_flag=True, envvar="PANICGUARD_NO_CACHE", help="Read and write no cache."),
        click.option("--cache-dir", envvar="PANICGUARD_CACHE_DIR", help="The directory of the cache."),
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
        click.option("--config", multiple=True, help="A configuration file, or a `key = value` in TOML."),
        click.option("--stdin-filename", help="The name of the file that comes from standard input."),
        click.option("--force-exclude/--no-force-exclude", default=None, help="Exclude named files too."),
        click.option("--respect-gitignore/--no-respect-gitignore", default=None, help="Leave out what git ignores."),
        click.option("--low-confidence/--no-low-confidence", default=None, help="Report what is likely, too."),
        click.option("-v", "--verbose", is_flag=True, help="Say which settings are used."),
        click.option("-q", "--quiet", is_flag=True, help="Print diagnostics only."),
        click.option("-s", "--silent", is_flag=True, help="Print nothing."),
        click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="Colours."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def options_of(flags: dict[str, Any]) -> Options:
    """The options of a command line, comma lists joined. Raises click.UsageError for what does not go together."""
    for name in ("select", "ignore", "extend_select", "exclude", "extend_exclude"):
        flags[name] = tuple(part for value in flags[name] for part in value)
    context = click.get_current_context()
    for name in ("select", "exclude"):
        if context.get_parameter_source(name) is click.core.ParameterSource.DEFAULT:
            flags[name] = None
    given = [name for name, value in flags.items() if value not in (None, False)]  # in the order of the command line
    for pair in CONFLICTS:
        if set(pair) <= set(given):
            one, other = (
                f"--{name.replace('_', '-')}{'[=<REASON>]' * (name in ADDING)}"
                for name in sorted(pair, key=given.index)
            )
            raise click.UsageError(f"the argument '{one}' cannot be used with '{other}'")
    return Options(**flags)


def with_values(arguments: Sequence[str]) -> list[str]:
    """The arguments with an empty value for a flag that has one only behind a `=`: what follows it is a path."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    bare = {f"--{name.replace('_', '-')}" for name in ADDING}
    return [f"{argument}=" if argument in bare else argument for argument in arguments[:end]] + [*arguments[end:]]


def annotation_of(options: Options) -> Annotation | None:
    """What suppression comments to add, if any. Raises ConfigError for a reason that a comment cannot hold."""
    from panicguard.annotate import Annotation
    from panicguard.directives import Kind

    for name, kind in ADDING.items():
        reason = getattr(options, name)
        if reason is not None:
            if len(reason.splitlines()) > 1:
                raise ConfigError(f"--{name.replace('_', '-')} <reason> cannot contain newline characters")
            return Annotation(Kind(kind), reason.strip())
    return None


def settings_for_options(options: Options) -> Callable[[str], Settings]:
    """Directory -> settings, with the flags over what the configuration says. Raises ConfigError."""
    named = [c for c in options.config if "=" not in c]
    overrides = [c for c in options.config if "=" in c]
    if len(named) > 1:
        raise ConfigError("You cannot specify more than one configuration file on the command line.")
    if named and options.isolated:
        raise ConfigError("The argument `--config=<FILE>` cannot be used with `--isolated`")
    layer = Layer(options.select, options.ignore, options.extend_select, "the CLI")
    cwd = os.getcwd()

    @functools.cache
    def configured(path: str | None) -> Settings:
        base, its = settings.load(path, overrides) if path is not None else settings.default(cwd, overrides)
        flags = {key: value for key in SETTINGS if (value := getattr(options, key)) is not None}
        if options.cache_dir is not None:
            flags["cache_dir"] = os.path.join(cwd, options.cache_dir)
        exclude = options.exclude if options.exclude is not None else base.exclude
        root = cwd if named else base.root
        runtime = base.runtime_module or (None if options.isolated else files.runtime_in(root))
        return replace(
            base,
            root=root,
            enabled=settings.enabled_codes((its, layer)),
            exclude=(*exclude, *options.extend_exclude),
            runtime_module=runtime,
            **flags,
        )

    spawn_rules = frozenset(rule.code for rule in all_rules() if rule.spawn)

    @functools.cache
    def settings_for(directory: str) -> Settings:
        path = None if options.isolated else named[0] if named else settings.nearest(directory)
        its = configured(path)
        if files.is_runtime_copy(directory):
            return replace(its, enabled=its.enabled - spawn_rules)
        return its

    return settings_for
