"""`--show-files` and `--show-settings`: what a run would go by, in place of the run."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from panicguard.cli.remarks import warn
from panicguard.config import ConfigError
from panicguard.config.options import chain_for_options
from panicguard.files import discover
from panicguard.files.stamp import PACKAGE
from panicguard.report.width import one_line
from panicguard.settings import CONFIG_FILES, INCLUDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from panicguard.config.options import Options
    from panicguard.settings import Settings


def told_hooks(path: str, settings: Settings) -> list[str]:
    """Which hooks are told of the errors of threads and tasks, and where they are set, for a file or a directory."""
    if settings.error_hooks is not None:
        return []
    from panicguard.run import hooks  # most runs print neither

    packages = (
        (os.path.join(path, name, PACKAGE) for name in ("", *sorted(os.listdir(path)))) if os.path.isdir(path) else ()
    )
    files = [path] if os.path.isfile(path) else [package for package in packages if os.path.isfile(package)]
    found = dict.fromkeys(hook for file in files for hook in hooks.known(file, settings)[0])
    return [one_line(f"{hook.kind} is set in {hook.path}:{hook.row}") for hook in found]


def show(options: Options, settings_for: Callable[[str], Settings]) -> int:
    """Print the files that would be checked, their configuration among them, or the settings of the first one."""

    def with_configuration(directory: str) -> Settings:
        its = settings_for(directory)
        return replace(its, include=(*its.include, *CONFIG_FILES)) if its.include == INCLUDE else its

    arguments = options.paths or (".",)
    if options.show_files:
        found = discover.discover(arguments, with_configuration, warn)
        shown = one_line if sys.stdout.isatty() else str  # a program needs the names as they are
        sys.stdout.write("".join(f"{shown(path)}\n" for path, _ in found))
        return 0
    from panicguard.config import describe

    first = next((path for path, _ in discover.discover(arguments, settings_for, warn)), None)
    if first is None:
        raise ConfigError("No files found under the given path")
    directory = os.path.dirname(first)
    found_for, chain_of = chain_for_options(options)
    its = settings_for(directory)
    sys.stdout.write(describe.show_settings(first, chain_of(found_for(directory)), its))
    sys.stdout.write("".join(f"# {said}\n" for said in told_hooks(os.path.abspath(first), its)))
    return 0
