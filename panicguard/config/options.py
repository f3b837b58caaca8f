"""What the flags of `check` and `fix` ask for, and the settings that result."""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.config import chain, discovery
from panicguard.config.discovery import ConfigFiles
from panicguard.config.errors import ConfigError, FlagError
from panicguard.config.fields import FIELDS
from panicguard.config.keys import flags, override
from panicguard.config.resolve import resolve
from panicguard.files import runtime
from panicguard.report.width import one_line
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from panicguard.config.chain import Chain
    from panicguard.config.keys import Keys
    from panicguard.settings import Settings

_TIP = """

  tip: A `--config` flag must either be a path to a `.toml` configuration file
       or a TOML `<KEY> = <VALUE>` pair overriding a specific configuration
       option"""


class Options(NamedTuple):
    """The flags of `check`; None or () if one was not given."""

    paths: tuple[str, ...] = ()
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    extend_ignore: tuple[str, ...] | None = None
    fixable: tuple[str, ...] | None = None
    unfixable: tuple[str, ...] | None = None
    extend_fixable: tuple[str, ...] | None = None
    per_file_ignores: tuple[str, ...] | None = None
    extend_per_file_ignores: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] | None = None
    target_version: str | None = None
    line_length: int | None = None
    preview: bool | None = None
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
    extension: tuple[tuple[str, str], ...] = ()
    watch: bool = False
    baseline: str | None = None
    update_baseline: bool = False
    force_exclude: bool | None = None
    respect_gitignore: bool | None = None
    low_confidence: bool | None = None
    fail_level: str | None = None
    show_settings: bool = False
    show_files: bool = False
    verbose: bool = False
    quiet: bool = False
    silent: bool = False
    color: str = "auto"


def settings_for_options(
    options: Options, cwd: str | None = None, *, files_first: bool = False
) -> Callable[[str], Settings]:
    """Directory -> settings, with the flags overriding the configuration. Raises as `chain_for_options` does."""
    found_for, chain_of = chain_for_options(options, cwd, files_first=files_first)
    spawn_rules = frozenset(rule.code for rule in all_rules() if rule.spawn)

    @functools.cache
    def configured(files: ConfigFiles) -> Settings:
        settings = resolve(chain_of(files))
        module = settings.runtime_module or (None if options.isolated else runtime.runtime_in(settings.root))
        return replace(settings, runtime_module=module, ignore_noqa=bool(options.ignore_noqa))

    @functools.cache
    def settings_for(directory: str) -> Settings:
        settings = configured(found_for(directory))
        return (
            replace(settings, enabled=settings.enabled - spawn_rules)
            if runtime.is_runtime_copy(directory)
            else settings
        )

    return settings_for


def chain_for_options(
    options: Options, cwd: str | None = None, *, files_first: bool = False
) -> tuple[Callable[[str], ConfigFiles], Callable[[ConfigFiles], Chain]]:
    """Directory -> which configuration files apply to it -> all their keys, those of the command line on top.

    `cwd` is the directory that the command is assumed to run in; by default, the current one. With `files_first`, the
    files in the project override named files and flags. Raises FlagError for a bad `--config` and ConfigError for other
    mistakes; so do the functions returned, when they are called.
    """
    cwd = os.getcwd() if cwd is None else cwd
    named = [argument for argument in options.config if os.path.isfile(os.path.join(cwd, argument))]
    if len(named) > 1:
        raise ConfigError("You cannot specify more than one configuration file on the command line.")
    if named and options.isolated:
        raise ConfigError(f"The argument `--config={one_line(named[0])}` cannot be used with `--isolated`")
    above = [_override(argument, cwd) for argument in options.config if argument not in named]
    above.append(flags(_keys(options), cwd))
    if files_first:
        below = [
            keys for argument in named for keys in chain.of(discovery.named_file(os.path.join(cwd, argument), cwd)).own
        ]
        below += above
        return functools.partial(discovery.find, cwd=cwd), lambda files: chain.of(files).below(*below)

    def found_for(directory: str) -> ConfigFiles:
        if options.isolated:
            return ConfigFiles(None, None, cwd)
        return discovery.named_file(os.path.join(cwd, named[0]), cwd) if named else discovery.find(directory, cwd)

    return found_for, lambda files: chain.of(files).above(*above)


def _override(argument: str, cwd: str) -> Keys:
    """The keys of a `--config "key = value"`."""
    if "=" in argument:
        try:
            return override(argument, cwd)
        except ConfigError as error:
            why = "\n".join(cause.replace("TOML parse error at", "At") for cause in error.causes[1:] or error.causes)
    else:
        why = f"The path `{one_line(argument)}` does not point to a configuration file"
    raise FlagError(f"invalid value '{one_line(argument)}' for '--config <CONFIG_OPTION>'{_TIP}\n\n{why}")


def _keys(options: Options) -> dict[str, Any]:
    """The flags that stand for a key of the same name."""
    keys = {key: getattr(options, name) for key in FIELDS if hasattr(Options, name := key.replace("-", "_"))}
    keys["extension"] = dict(options.extension) or None
    for key in ("per-file-ignores", "extend-per-file-ignores"):
        if keys[key] is not None:
            table: dict[str, list[str]] = {}
            for pattern, _, code in (pair.rpartition(":") for pair in keys[key]):
                table.setdefault(pattern, []).append(code)
            keys[key] = table
    return {key: value for key, value in keys.items() if value is not None}
