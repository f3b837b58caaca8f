"""Both programs on one tree: what Ruff finds in a file that breaks two of its rules, and panicguard in one that breaks
two of its own.

Cases are written for Ruff, and translated: its selectors, the names of its files and tables.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import click
from ruff import find_ruff_bin

from panicguard.cli.commands import check as check_command
from panicguard.cli.flags import options_of
from panicguard.config import ConfigError, forget
from panicguard.config.options import settings_for_options
from panicguard.engine import check
from panicguard.files import discover
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SELECTORS = {"F": "PNC1", "F4": "PNC10", "F401": "PNC101", "E": "PNC3", "E7": "PNC30", "E711": "PNC304", "ALL": "ALL"}
"""Alike in their prefixes; F401 and PNC101 have a safe fix, E711 and PNC304 an unsafe one."""
THEIRS = "import os\n\n\ndef f(x):\n    return x == None\n"
OURS = (
    "import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n    while True:\n        try:\n"
    "            await g()\n        except asyncio.CancelledError:\n            print()\n"
)
_SELECTOR = re.compile(rf"(?<![\w.])(?:{'|'.join(sorted(SELECTORS, key=len, reverse=True))})(?![\w.])")

Found = dict[str, dict[str, str | None]]
"""Path -> Ruff's code -> the applicability of the fix."""


def translated(text: str) -> str:
    """What is written for Ruff, written for panicguard."""
    text = _SELECTOR.sub(lambda match: SELECTORS[match[0]], text)
    return text.replace("tool.ruff", "tool.panicguard").replace("ruff.toml", "panicguard.toml")


def write(folder: Path, texts: Mapping[str, str]) -> tuple[Path, Path]:
    """A tree for each program: texts by path, where that of a Python file is given by the program."""
    places = folder / "theirs", folder / "ours"
    for place in places:
        for name, text in texts.items():
            mine = place == places[1]
            path = place / (translated(name).replace("xdg/ruff", "xdg/panicguard") if mine else name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".toml"):
                path.write_text(translated(text) if mine else text)
            else:
                path.write_text(OURS if mine else THEIRS)
    return places


def theirs(folder: Path, *arguments: str) -> Found | str:
    """What Ruff finds; if it refuses, its message."""
    command = [find_ruff_bin(), "check", "--no-cache", "--output-format", "json", *arguments]
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder / "xdg")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode == 2:
        return done.stderr
    found: Found = {}
    for one in json.loads(done.stdout):
        if one["code"] in SELECTORS:
            fix: dict[str, Any] | None = one["fix"]
            path = os.path.relpath(one["filename"], folder)
            found.setdefault(path, {})[one["code"]] = fix and fix["applicability"]
    return found


def ours(folder: Path, *arguments: str) -> Found | str:
    """The same for panicguard, with arguments that are already translated."""
    names = {SELECTORS[code]: code for code in ("F401", "E711")}
    found: Found = {}
    try:
        with inside(folder), check_command.make_context("check", list(arguments)) as context:
            options = options_of(context.params)
            for path, its in discover.discover(options.paths or (".",), settings_for_options(options)):
                with open(path) as file:
                    diagnostics = check(Source(path, file.read()), its)
                said = {names[d.code]: d.fix and d.fix.applicability.value for d in diagnostics if d.code in names}
                if said:
                    found[os.path.relpath(path, folder)] = said
    except (ConfigError, click.UsageError) as error:
        return str(error)
    return found


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """In a directory, with nothing cached of others, and its `xdg` for the user's configuration."""
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "xdg")
    forget()
    cwd = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(cwd)
        del os.environ["XDG_CONFIG_HOME"]
        if before is not None:
            os.environ["XDG_CONFIG_HOME"] = before


def both(folder: Path, texts: Mapping[str, str], *arguments: str) -> tuple[Found | str, Found | str]:
    """What Ruff and panicguard find in trees that correspond."""
    place, own = write(folder, texts)
    return theirs(place, *arguments), ours(own, *map(translated, arguments))
