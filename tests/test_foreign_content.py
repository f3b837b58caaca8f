"""A project's settings may lead to any file of the user's: the content of such a file is not printed."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from panicguard import config
from panicguard.cli.commands import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links")
SECRET = "hunter2"
BARE = "import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n"
TEXTS = {
    "no toml": f"token {SECRET}\n",
    "a string without an end": f'token = "{SECRET}\n',
    "a key twice": f"{SECRET} = 1\n{SECRET} = 2\n",
    "an unknown key": f"{SECRET} = 1\n",
    "an unknown key of lint": f"[lint]\n{SECRET} = 1\n",
    "a bad type": f'fix = "{SECRET}"\n',
    "a bad variant": f'output-format = "{SECRET}"\n',
    "a bad integer": "line-length = -4711\n",
    "a bad item": f'exclude = ["a", ["{SECRET}"]]\n',
    "a bad glob": f'exclude = ["[{SECRET}"]\n',
    "a bad key of a table": f'per-file-ignores = {{ "[{SECRET}" = ["ALL"] }}\n',
    "a bad module": f'runtime-module = "{SECRET} {SECRET}"\n',
    "a bad call": f'go-call = "{SECRET}"\n',
    "an unknown selector": f'select = ["{SECRET}"]\n',
    "an unknown severity": f'severity = {{ "{SECRET}" = "error" }}\n',
    "another version": f'required-version = "==4711+{SECRET}"\n',
    "no version": f'required-version = "{SECRET}"\n',
    "a base that is missing": f'extend = "{SECRET}.toml"\n',
    "a base of that name which is broken": 'extend = "hunter2-base.toml"\n',
    "a circle": 'extend = ["hunter2-circle.toml"]\n',
}
WARNED = {
    "an ignored selector": f'ignore = ["{SECRET}"]\n',
    "a selector for files": f'per-file-ignores = {{ a = ["{SECRET}"] }}\n',
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text(BARE)
    (tmp_path / "hunter2-base.toml").write_text("not toml\n")
    (tmp_path / "hunter2-circle.toml").write_text('extend = "foreign file.toml"\n')
    monkeypatch.chdir(folder)
    return folder


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capfd.readouterr()
    config.forget()
    code = run(["check", *arguments])
    out, err = capfd.readouterr()
    return code, out + err


def extend(project: Path, text: str) -> Path:
    """The settings extend a foreign file."""
    foreign = project.parent / "foreign file.toml"
    foreign.write_text(text)
    (project / "panicguard.toml").write_text('extend = "../foreign file.toml"\n')
    return foreign


def link(project: Path, text: str) -> Path:
    """The settings are a link to a foreign file."""
    (project.parent / "foreign file.toml").write_text(text)
    (project / "panicguard.toml").symlink_to("../foreign file.toml")
    return project / "panicguard.toml"


def extend_a_link(project: Path, text: str) -> Path:
    """The settings extend what is a link in the project."""
    (project.parent / "foreign file.toml").write_text(text)
    (project / "base.toml").symlink_to("../foreign file.toml")
    (project / "panicguard.toml").write_text('extend = "base.toml"\n')
    return project / "base.toml"


def through_a_directory(project: Path, text: str) -> Path:
    """The settings extend a file in a directory that is a link."""
    (project.parent / "foreign file.toml").write_text(text)
    (project / "up").symlink_to("..")
    (project / "panicguard.toml").write_text('extend = "up/foreign file.toml"\n')
    return project / "up" / "foreign file.toml"


WAYS = [extend, link, extend_a_link, through_a_directory]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_an_error_says_where_and_not_what(
    project: Path, capfd: pytest.CaptureFixture[str], way: object, text: str
) -> None:
    path = way(project, text)  # type: ignore[operator]
    code, shown = said(capfd, ".")
    assert code == 2
    assert SECRET not in shown
    assert "4711" not in shown
    assert str(path) in shown
    assert f"the file is outside of `{project}`" in shown
    assert "At line " in shown
    command = f"panicguard check --config {shlex.quote(str(path))}"
    assert f"see it with `{command}`." in shown
    code, shown = said(capfd, *shlex.split(command)[2:])
    assert code == 2
    assert SECRET in shown or "4711" in shown


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", WARNED.values(), ids=WARNED)
def test_a_warning_says_where_and_not_what(
    project: Path, capfd: pytest.CaptureFixture[str], way: object, text: str
) -> None:
    path = way(project, text)  # type: ignore[operator]
    code, shown = said(capfd, ".")
    assert code == 1
    assert SECRET not in shown
    assert "warning: Unknown rule selector in `" in shown
    assert f"the file is outside of `{project}`" in shown
    assert SECRET in said(capfd, "--config", str(path))[1]


@pytest.mark.parametrize(
    "text", ["[tool.panicguard\n{}", '[tool.panicguard]\nfix = "{}"\n', "[tool.panicguard]\n{} = 1\n"]
)
def test_a_pyproject_that_is_a_link_is_not_shown(project: Path, capfd: pytest.CaptureFixture[str], text: str) -> None:
    (project.parent / "foreign.toml").write_text(text.format(SECRET))
    (project / "pyproject.toml").symlink_to("../foreign.toml")
    code, shown = said(capfd, ".")
    assert (code, SECRET in shown) == (2, False)
    assert f"Cause: Failed to parse {project / 'pyproject.toml'}" in shown
    code, shown = said(capfd, "--config", str(project / "pyproject.toml"))
    assert (code, "TOML parse error at line" in shown) == (2, True)


@pytest.mark.parametrize("text", {**TEXTS, **WARNED}.values(), ids={**TEXTS, **WARNED})
def test_what_lies_in_the_project_is_shown(project: Path, capfd: pytest.CaptureFixture[str], text: str) -> None:
    (project / "conf").mkdir()
    for name in ("base", "circle"):
        (project.parent / f"hunter2-{name}.toml").rename(project / "conf" / f"hunter2-{name}.toml")
    (project / "conf" / "foreign file.toml").write_text(text)
    (project / "panicguard.toml").write_text('extend = "conf/foreign file.toml"\n')
    shown = said(capfd, ".")[1]
    assert SECRET in shown or "4711" in shown
    assert "is outside of" not in shown


def test_what_the_user_has_linked_into_the_own_directory_is_shown(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = project.parent / "home" / "panicguard"
    home.mkdir(parents=True)
    for name, text in (("panicguard.toml", f"{SECRET} = 1\n"), ("pyproject.toml", f"[tool.panicguard\n{SECRET}\n")):
        (project.parent / "dotfile").write_text(text)
        (home / name).symlink_to(project.parent / "dotfile")
        code, shown = said(capfd, ".")
        assert (code, "is outside of" in shown) == (2, False)
        assert SECRET in shown or "[tool.panicguard" in shown
        (home / name).unlink()


def test_a_parent_of_the_project_configures_it_as_before(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project.parent / "panicguard.toml").write_text('ignore = ["PNC101"]\n')
    (project / "panicguard.toml").write_text('extend = "../panicguard.toml"\n')
    assert said(capfd, ".")[0] == 0
    (project / "panicguard.toml").unlink()
    (project.parent / "panicguard.toml").write_text(f"{SECRET} = 1\n")
    assert f"unknown field `{SECRET}`" in said(capfd, ".")[1]


def test_a_damaged_entry_of_a_baseline_is_not_shown(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project.parent / "x.json").write_text(f'[{{"token": "{SECRET}"}}, {{"version": 1}}]')
    (project / "panicguard.toml").write_text('baseline = "../x.json"\n')
    code, shown = said(capfd, ".")
    assert (code, SECRET in shown) == (2, False)
    assert shown.endswith("  Cause: item 1 of the array is not a valid entry\n")


def test_what_a_foreign_file_tells_ruff_is_not_shown(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "a.py").write_text(BARE.replace("g())", "g())  # noqa: PNC101"))
    (project.parent / "x.toml").write_text(f'lint.external = ["{SECRET}"]\n')
    (project / "ruff.toml").write_text('extend = "../x.toml"\n')
    shown = said(capfd, ".")[1]
    assert SECRET not in shown
    assert "Add to ruff.toml, in addition to what the file that it extends says:" in shown
    assert 'external = ["PNC"]' in shown
    os.replace(project.parent / "x.toml", project / "x.toml")
    (project / "ruff.toml").write_text('extend = "x.toml"\n')
    assert f'external = ["{SECRET}", "PNC"]' in said(capfd, ".")[1]
