"""The flags of `check` and `fix`: what they are, which exclude each other, and the settings they result in."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import click

from panicguard import settings
from panicguard.cli.parser import given_globals
from panicguard.config.options import Options
from panicguard.report.formats import FORMATS
from panicguard.settings import SEVERITIES, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


LISTS = (
    "select ignore extend_select extend_ignore fixable unfixable extend_fixable exclude extend_exclude "
    "per_file_ignores extend_per_file_ignores"
).split()
"""The flags that take a list with commas."""
ADDING = {"add_noqa": "noqa", "add_ignore": "ignore"}
"""The flags that add suppression comments, and the kind of those."""
CONFLICTS = (
    ("statistics", "diff"),
    ("diff", "show_fixes"),
    ("exit_zero", "exit_non_zero_on_fix"),
    ("watch", "statistics"),
    ("watch", "update_baseline"),
    ("diff", "update_baseline"),
    *itertools.combinations(ADDING, 2),
    *itertools.product(ADDING, ("fix", "diff", "watch", "statistics", "ignore_noqa", "update_baseline")),
)
"""Flags that exclude each other."""


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any, Any]
else:
    _ParamType = click.ParamType  # in older versions of click it takes no type parameters


class _Commas(_ParamType):
    """A comma-separated list. Spaces around items and superfluous commas are ignored."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip()) or ("",)


class _PatternsAndCodes(_Commas):
    """A comma-separated list of `pattern:CODE`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        pairs = super().convert(value, param, ctx)
        for pair in pairs:
            pattern, colon, code = pair.rpartition(":")
            if not (pattern and colon and code):
                self.fail(f"{value!r}: Expected <FilePattern>:<RuleCode> pattern", param, ctx)
        return pairs


class _Extension(_ParamType):
    """`extension:language`."""

    name = "extension:language"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        extension, _, language = value.partition(":")
        if language.lower() not in settings.LANGUAGES.values():
            known = ", ".join(f"`{extension or 'ipy'}:{known}`" for known in settings.LANGUAGES.values())
            self.fail(f"{value!r}: expected an extension and a language, one of {known}", param, ctx)
        return extension.removeprefix("."), language.lower()


def check_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `check` and `fix` share."""
    listed = functools.partial(click.option, type=_Commas(), multiple=True)
    by_file = functools.partial(click.option, type=_PatternsAndCodes(), multiple=True)
    options = [
        click.argument("paths", nargs=-1, metavar="[FILES]..."),
        listed("--select", metavar="RULE_CODE", help="Rules to run: codes, prefixes, names or ALL."),
        listed("--ignore", metavar="RULE_CODE", help="Rules not to run."),
        listed("--extend-select", metavar="RULE_CODE", help="Rules to run in addition to the selected ones."),
        listed("--extend-ignore", hidden=True),
        listed("--fixable", metavar="RULE_CODE", help="Rules whose findings may be fixed."),
        listed("--unfixable", metavar="RULE_CODE", help="Rules whose findings are only reported."),
        listed(
            "--extend-fixable", metavar="RULE_CODE", help="Rules that may be fixed in addition to the fixable ones."
        ),
        by_file("--per-file-ignores", help="Rules not to run in some files: pattern:CODE."),
        by_file("--extend-per-file-ignores", help="The same, in addition to the configuration."),
        click.option("--target-version", type=click.Choice(VERSIONS), help="The oldest Python to support."),
        click.option("--line-length", type=click.IntRange(1), hidden=True),
        click.option("--preview/--no-preview", default=None, help="Accepted; no rule is in preview."),
        listed("--exclude", metavar="FILE_PATTERN", help="Files and directories to leave out."),
        listed("--extend-exclude", metavar="FILE_PATTERN", help="Files and directories to leave out as well."),
        click.option("--fix/--no-fix", default=None, help="Fix what can be fixed."),
        click.option("--fix-only/--no-fix-only", default=None, help="Fix, and do not report what is left."),
        click.option(
            "--unsafe-fixes/--no-unsafe-fixes",
            default=None,
            help="Apply unsafe fixes too; if disabled, do not mention them.",
        ),
        click.option("--diff", is_flag=True, help="Show what would be fixed, and write nothing."),
        click.option("--ignore-noqa", is_flag=True, default=None, help="Ignore suppression comments."),
        click.option("--add-noqa", metavar="[=REASON]", help="Add `# noqa` comments to the lines with findings."),
        click.option("--add-ignore", metavar="[=REASON]", help="Add `# panicguard: ignore` comments instead."),
        click.option("--show-fixes/--no-show-fixes", default=None, help="List what was fixed."),
        click.option(
            "--output-format",
            type=click.Choice(tuple(FORMATS)),
            envvar="PANICGUARD_OUTPUT_FORMAT",
            help="How to print diagnostics.",
        ),
        click.option("-w", "--watch", is_flag=True, help="Check again whenever a file changes."),
        click.option("--baseline", metavar="FILE", help="Leave out the findings listed in this file."),
        click.option("--update-baseline", is_flag=True, help="Write the findings to the baseline."),
        click.option(
            "-o",
            "--output-file",
            envvar="PANICGUARD_OUTPUT_FILE",
            help="The file to print diagnostics to. Default: stdout.",
        ),
        click.option("--statistics", is_flag=True, help="Count by rule."),
        click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 even if there are findings."),
        click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 if anything was fixed."),
        click.option(
            "-n", "--no-cache", is_flag=True, envvar="PANICGUARD_NO_CACHE", help="Neither read nor write the cache."
        ),
        click.option("--cache-dir", envvar="PANICGUARD_CACHE_DIR", help="The directory of the cache."),
        click.option("--stdin-filename", help="The file name to assume for standard input."),
        click.option("--extension", type=_Extension(), multiple=True, help="How to read files: `ipy:ipynb`."),
        click.option("--force-exclude/--no-force-exclude", default=None, help="Exclude named files too."),
        click.option("--respect-gitignore/--no-respect-gitignore", default=None, help="Leave out what git ignores."),
        click.option("--low-confidence/--no-low-confidence", default=None, help="Report likely problems too."),
        click.option(
            "--fail-level", type=click.Choice(SEVERITIES), help="The lowest severity that makes the run fail."
        ),
        click.option("--show-settings", is_flag=True, help="Print the settings of the first file, and their origins."),
        click.option("--show-files", is_flag=True, help="Print the files that would be checked."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def options_of(flags: dict[str, Any]) -> Options:
    """The options of a command line, comma-separated lists joined."""
    context = click.get_current_context()
    for name in LISTS:
        listed = context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        flags[name] = tuple(part for value in flags[name] for part in value) if listed else None
    return Options(**flags, **given_globals(context))


def with_values(arguments: Sequence[str]) -> list[str]:
    """The arguments, with an empty value for a flag that takes one only after a `=`: the next argument is a path."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    bare = {f"--{name.replace('_', '-')}" for name in ADDING}
    return [f"{argument}=" if argument in bare else argument for argument in arguments[:end]] + [*arguments[end:]]
