"""The table of what panicguard has of Ruff, compared with both programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from compat import ACCEPTED, BETTER, KINDS, OTHER, ROWS, SAME, Row, table

from panicguard import config
from panicguard.cli.commands import cli
from panicguard.config import FIELDS
from panicguard.engine import check
from panicguard.report.formats import FORMATS
from panicguard.source import Source

RUFF = str(Path(sys.executable).parent / "ruff")
PROMISED = [row for row in ROWS if row.verdict != OTHER]


def ruff(*arguments: str, text: str = "") -> str:
    return subprocess.run([RUFF, *arguments], input=text, capture_output=True, text=True, check=False).stdout


def names(kind: str, rows: tuple[Row, ...] | list[Row] = ROWS) -> set[str]:
    return {row.name for row in rows if row.kind == kind}


def flags() -> set[str]:
    named = {name for option in cli.commands["check"].params for name in (*option.opts, *option.secondary_opts)}
    return {*named, *cli.context_settings["help_option_names"]}


def keys() -> set[str]:
    return {*FIELDS, *(f"lint.{name}" for name, field in FIELDS.items() if field.lint)}


OURS = {"flag": flags, "command": lambda: set(cli.commands), "key": keys, "format": lambda: set(FORMATS)}


def test_every_flag_of_ruff_is_in_it() -> None:
    said = ruff("check", "--help")
    known = set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", said, re.MULTILINE))
    known |= set(re.findall(r"`(--no-[\w-]+)`", re.sub(r"\s+", " ", said)))
    assert len(known) > 40
    assert names("flag") == known


def test_every_format_of_ruff_is_in_it() -> None:
    [choices] = re.findall(
        r"--output-format <OUTPUT_FORMAT>.*?\[possible values: (.*?)\]", ruff("check", "--help"), re.S
    )
    assert names("format") == set(re.split(r",\s+", choices))


def test_every_command_of_ruff_is_in_it() -> None:
    listed = re.findall(r"^  (\w+)  ", ruff("--help").partition("Commands:")[2].partition("Options:")[0], re.MULTILINE)
    assert names("command") == {*listed, "generate-shell-completion"}


def test_every_key_of_ruff_is_in_it() -> None:
    listed = set(json.loads(ruff("config", "--output-format", "json")))
    assert len(listed) > 150
    grouped = {"lint.<plugin>.*": r"lint\.[\w-]+\..*", "format.*": r"format\..*", "analyze.*": r"analyze\..*"}
    for name, pattern in grouped.items():
        these = {key for key in listed if re.fullmatch(pattern, key)}
        assert these
        listed = listed - these | {name}
    assert names("key") == listed


@pytest.mark.parametrize("kind", OURS)
def test_what_it_promises_is_there_and_nothing_else(kind: str) -> None:
    ours = OURS[kind]()
    missing = names(kind, PROMISED) - ours
    assert not missing, f"promised, and not there: {', '.join(sorted(missing))}"
    denied = names(kind) - names(kind, PROMISED)
    assert not denied & ours, f"there, and not promised: {', '.join(sorted(denied & ours))}"


def test_every_row_is_one() -> None:
    assert len({row[:2] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.kind in KINDS
        assert row.verdict in (SAME, BETTER, ACCEPTED, OTHER)
        assert bool(row.how) == (row.verdict != SAME), row


def test_the_readme_has_it() -> None:
    assert table() in (Path(__file__).parent.parent / "README.md").read_text("utf-8")


SPAWN = "asyncio.create_task(g())"


def silenced(comment: str, finding: str) -> str:
    """The text with the comment where it silences the finding, on a line of its own if it is not a trailing one."""
    if comment.endswith(": enable[CODE]"):
        return f"{comment.replace('enable', 'disable')}\n{finding}\n{comment}\n"
    return (
        f"{finding}  {comment}\n" if "ignore[" in comment[:14] or "noqa" in comment[:6] else f"{comment}\n{finding}\n"
    )


@pytest.mark.parametrize("comment", [row.name for row in PROMISED if row.kind == "comment"])
def test_a_comment_silences_in_both(comment: str) -> None:
    def theirs(text: str) -> str:
        text = text.replace("TOOL", "ruff").replace("CODE", "F401")
        return ruff("check", "--isolated", "--quiet", "--select", "F401", "--output-format", "concise", "-", text=text)

    def mine(text: str) -> list[str]:
        text = "import asyncio\n" + text.replace("TOOL", "panicguard").replace("CODE", "PNC101")
        return [found.code for found in check(Source("a.py", text), config.default("/"))]

    assert theirs(silenced("# nothing", "import os"))
    assert mine(silenced("# nothing", SPAWN)) == ["PNC101"]
    assert theirs(silenced(comment, "import os")) == ""
    assert mine(silenced(comment, SPAWN)) == []
