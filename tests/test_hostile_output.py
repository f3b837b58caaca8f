"""Whatever stands in names, sources and settings: the output is controlled by panicguard alone, and shows nothing
foreign."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from test_consumers import github_commands

from panicguard.cli.commands import run
from panicguard.diagnostic import Applicability, Diagnostic, Edit, Fix, Result
from panicguard.report import formats, paint
from panicguard.report.formats import FORMATS
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="such names, and terminals")
ODD = "a\x1b=31m\nFound 0 errors.\r\u009b2J\u202e\tz\x7f"
NAME = f"{ODD}.py"
SOURCE = (
    "import asyncio\n\n\nasync def f():  # \x1b=31m \u009b2J \u202e \x07\n\x0c\n    asyncio.create_task(g())\n"
    "    x = '\x1b]0;t\x07'  # panicguard: ignore[\x1b=31m\u009b] because\n    asyncio.create_task(g())\n"
)
CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def assert_tame(text: str) -> None:
    """No control character but newlines and tabs, and no line that a name has begun."""
    assert CONTROL.findall(text) == []
    assert not re.search(r"^(?:Found 0|\ufffd?2J)", text, re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FORCE_COLOR", "NO_COLOR", "PANICGUARD_OUTPUT_FORMAT", "PANICGUARD_OUTPUT_FILE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / NAME).write_text(SOURCE, newline="")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def call(project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    def called(*arguments: str, text: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        capfd.readouterr()
        code = run(arguments)
        out, err = capfd.readouterr()
        return code, out, err

    return called


def on_a_terminal(*arguments: str) -> str:
    """What a command writes to a terminal, without what the terminal adds to the ends of lines."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "panicguard", *arguments, "--quiet"]  # or there may be a progress bar
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave) as process:
        os.close(slave)
        written = b""
        while True:
            try:
                more = os.read(master, 10_000)
            except OSError:
                break
            if not more:
                break
            written += more
        process.wait(60)
    os.close(master)
    return written.decode().replace("\r\n", "\n")


# What people read


@pytest.mark.parametrize("flags", [(), ("--fix", "--show-fixes"), ("--color", "always")], ids=str)
@pytest.mark.parametrize("name", [name for name, its in FORMATS.items() if its.people])
def test_what_people_read_obeys_nobody(call: Call, name: str, flags: tuple[str, ...]) -> None:
    code, out, err = call("check", "--select", "ALL", "--output-format", name, *flags, ".")
    assert out
    assert code in (0, 1)
    assert_tame(COLOURS.sub("", out) if "always" in flags else out)
    assert_tame(err)
    assert "a␛=31m␊Found 0 errors.␍\ufffd2J\ufffd␉z␡.py" in COLOURS.sub("", out)


@pytest.mark.parametrize("name", FORMATS)
def test_no_message_obeys_a_source_that_it_quotes(project: Path, name: str) -> None:
    fix = Fix(ODD, (Edit(0, 6, ODD.replace("\r", "")),), Applicability.SAFE)
    found = Diagnostic("PNC101", "a-rule", ODD, 0, 6, fix)
    [piece] = formats.render([Result(Source(NAME, SOURCE), (found,))], name, unsafe=None)
    printed = paint.paint(piece, "never", io.StringIO())
    assert_tame(printed)
    if FORMATS[name].json:
        assert ODD in values(name, printed)[1][0]
    elif name == "junit":
        assert values(name, printed)[1] == [ODD.replace("\x1b", "")]


@pytest.mark.parametrize("name", ["pylint", "github", "azure"])
def test_a_line_of_another_format_is_one_line_and_tame(call: Call, name: str) -> None:
    count = len(json.loads(call("check", "--select", "ALL", "--output-format", "json", ".")[1]))
    _, out, err = call("check", "--select", "ALL", "--output-format", name, ".")
    assert count == len(out.splitlines()) > 1
    assert_tame(out)
    assert_tame(err)


COMMANDS: dict[str, tuple[str, ...]] = {
    "a named file that is excluded": ("check", "--exclude", "*.py", NAME),
    "a file that is missing": ("check", f"missing{ODD}"),
    "standard input instead": ("check", "-", NAME),
    "the settings": ("check", "--show-settings", "--exclude", ODD, "."),
    "where the settings are from": ("check", "--verbose", "--config", f"{ODD}.toml", "."),
    "added comments": ("check", "--add-noqa", "."),
    "no such configuration": ("check", "--config", f"missing{ODD}", "."),
    "a bad value": ("check", "--config", f"x = '''{ODD}'''", "."),
    "two ways to configure": ("check", "--isolated", "--config", f"{ODD}.toml", "."),
    "no such format": ("check", "--output-format", ODD),
    "a pattern without a code": ("check", "--per-file-ignores", ODD),
    "no such selector": ("check", "--select", ODD),
    "a bad glob": ("check", "--exclude", f"[{ODD}"),
    "no such language": ("check", "--extension", ODD),
    "no such option": ("check", f"--{ODD}"),
    "no such command": (ODD,),
    "no help for it": ("help", ODD),
    "no such rule": ("rule", ODD),
    "too many rules": ("rule", "PNC101", ODD),
    "too many rules that begin oddly": ("rule", "PNC101", f"\n{ODD}"),
    "no such key": ("config", ODD),
    "a value for a flag": ("check", f"--diff={ODD}"),
    "no such file of arguments": (f"@{ODD}",),
    "a file of arguments that names itself": (f"@{ODD}.args",),
    "no such baseline": ("check", "--baseline", ODD, "."),
    "a new baseline": ("check", "--baseline", f"{ODD}.json", "--update-baseline", "."),
    "no place for the report": ("check", "--output-file", f"{NAME}/x", "."),
    "no name for a package": ("vendor", ODD, "--as", ODD),
    "no copy": ("vendor", ODD, "--check"),
    "a copy": ("vendor", ODD),
    "a copy for go": ("vendor", ODD, "--language", "go"),
    "no directory": ("vendor", NAME),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_no_remark_obeys_a_name(call: Call, project: Path, arguments: tuple[str, ...]) -> None:
    (project / f"{ODD}.toml").write_text("")
    (project / f"{ODD}.args").write_bytes(f"@{ODD}.args".encode())
    code, out, err = call(*arguments)
    assert out + err
    assert "This is a bug" not in err
    assert code in (0, 1, 2)
    assert_tame(out)
    assert_tame(err)


SETTINGS = {
    "an unknown key": 'a = 1 # \x7f\n"a\\u001b\\nFound 0 errors.\\u009b" = 1\n',
    "a bad value": f'output-format = "\\u001b\\nFound 0 errors.\\u009b" # {ODD[-4:]}\u009b\n',
    "an unknown selector": 'select = ["\\u001b\\nFound 0 errors.\\u009b"]\n',
    "an ignored selector": 'ignore = ["\\u001b\\nFound 0 errors.\\u009b"]\n',
    "a bad glob": 'exclude = ["[\\u001b\\nFound 0 errors.\\u009b"]\n',
    "another version": 'required-version = "==9\\u001b\\nFound 0 errors.\\u009b"\n',
    "a missing base": 'extend = "\\u001b\\nFound 0 errors.\\u009b"\n',
    "a missing baseline": 'baseline = "\\u001b\\nFound 0 errors.\\u009b"\n',
    "no toml": "x = \u009b\u202e\n",
}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_no_remark_obeys_a_setting(call: Call, project: Path, text: str) -> None:
    (project / "panicguard.toml").write_text(text)
    code, out, err = call("check", ".")
    assert code == (1 if text.startswith("ignore") else 2)
    assert err
    assert_tame(out)
    assert_tame(err)


def test_a_notebook_is_tame(call: Call, project: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": SOURCE}
    document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (project / NAME).unlink()
    (project / f"{ODD}.ipynb").write_text(json.dumps(document))
    for name in (name for name, its in FORMATS.items() if its.people):
        code, out, err = call("check", "--select", "ALL", "--output-format", name, ".")
        assert code == 1
        assert_tame(out)
        assert_tame(err)


def test_what_ruff_is_to_be_told_is_tame(call: Call, project: Path) -> None:
    (project / "a.py").write_text("import asyncio\nasync def f():\n    asyncio.create_task(g())  # noqa: PNC101\n")
    (project / "ruff.toml").write_text('[lint]\nexternal = ["\\u001b\\nFound 0 errors.\\u009b"]\n')
    _, _, err = call("check", "a.py")
    assert "external = [" in err
    assert_tame(err)


def test_the_removal_of_a_cache_is_told_on_one_line(call: Call, project: Path) -> None:
    (project / ODD).mkdir()
    call("check", "--cache-dir", f"{ODD}/.panicguard_cache", ".")
    code, out, err = call("clean")
    assert (code, out) == (0, "")
    assert_tame(err)


@pytest.mark.parametrize(
    "arguments",
    [("check", "--select", "ALL", "."), ("check", "--diff", "."), ("check", "--show-files", "."), ("fix", ".")],
    ids=str,
)
def test_a_terminal_is_never_told_what_to_do(project: Path, arguments: tuple[str, ...]) -> None:
    (project / "old.py").write_bytes(SOURCE.replace("\n", "\r").encode())
    shown = on_a_terminal(*arguments)
    assert "old.py" in shown
    assert_tame(COLOURS.sub("", shown))


# What programs read


def values(name: str, out: str) -> tuple[set[str], list[str]]:
    """The paths in a report and its messages, as a program reads them."""
    found: Any
    if name == "junit":
        cases = list(ET.fromstring(out))
        return {suite.attrib["name"] for suite in cases}, [
            f.attrib["message"] for f in ET.fromstring(out).iter("failure")
        ]
    if name == "json-lines":
        found = [json.loads(line) for line in out.splitlines()]
        return {one["filename"] for one in found}, [one["message"] for one in found]
    document = json.loads(out)
    if name == "json":
        return {one["filename"] for one in document}, [one["message"] for one in document]
    if name == "gitlab":
        return {str(Path.cwd() / one["location"]["path"]) for one in document}, [
            one["description"].partition(": ")[2] for one in document
        ]
    if name == "rdjson":
        found = document["diagnostics"]
        return {one["location"]["path"] for one in found}, [one["message"] for one in found]
    found = document["runs"][0]["results"]
    uris = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found}
    return {unquote(uri.removeprefix("file://")) for uri in uris}, [one["message"]["text"] for one in found]


@pytest.mark.parametrize("name", [name for name, its in FORMATS.items() if its.json or name == "junit"])
def test_a_program_reads_the_true_names(call: Call, project: Path, name: str) -> None:
    code, out, err = call("check", "--select", "ALL", "--output-format", name, ".")
    assert code == 1
    assert_tame(out)
    assert_tame(err)
    true = str(project / NAME)
    assert values(name, out)[0] == {true.replace("\x1b", "") if name == "junit" else true}, "XML cannot hold an ESC"


def test_github_reads_a_name_with_a_newline(call: Call, project: Path) -> None:
    (project / NAME).rename(project / "a\n,b.py")
    _, out, _ = call("check", "--output-format", "github", ".")
    assert {properties["file"] for _, properties, _ in github_commands(out)} == {str(project / "a\n,b.py")}


def test_files_are_listed_for_programs_as_they_are_called(call: Call, project: Path) -> None:
    assert call("check", "--show-files", ".")[1] == f"{project / NAME}\n"


@pytest.mark.parametrize("name", ["a.py", NAME, "a b.py", 'a"b.py', '"a".py', "a\\b\n.py", "ä\n.py"])
def test_a_diff_is_a_patch(call: Call, project: Path, name: str) -> None:
    (project / NAME).rename(project / name)
    code, out, _ = call("check", "--diff", ".")
    assert code == 1
    (project.parent / "patch").write_text(out, newline="")
    before = (project / name).read_bytes()
    subprocess.run(["git", "apply", "-p0", "--unsafe-paths", str(project.parent / "patch")], check=True, cwd=project)
    applied = (project / name).read_bytes()
    (project / name).write_bytes(before)
    call("fix", ".")
    assert before != applied == (project / name).read_bytes()
    assert b"\x0c" in applied


def test_a_name_adds_nothing_to_a_patch(call: Call, project: Path) -> None:
    (project / NAME).unlink()
    name = "a.py\n+++ other.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n.py"
    (project / "other.py").write_text("x = 1\n")
    (project / name).write_text(SOURCE, newline="")
    _, out, _ = call("check", "--diff", ".")
    assert out.count("\n+++ ") == 1
    (project.parent / "patch").write_text(out, newline="")
    subprocess.run(["git", "apply", "-p0", str(project.parent / "patch")], check=True, cwd=project)
    assert (project / "other.py").read_text() == "x = 1\n"
    assert "mruntime" in (project / name).read_text()
