"""The extension for VS Code: its manifest, its types, and everything that it does in a real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from panicguard import __version__

EXTENSION = Path(__file__).parent.parent.parent / "lsp" / "editors" / "vscode"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
SECONDS = 180
"""What each command may take."""
MANIFEST = json.loads((EXTENSION / "package.json").read_text("utf-8"))
LOCK = json.loads((EXTENSION / "package-lock.json").read_text("utf-8"))


def test_it_has_the_version_of_the_linter() -> None:
    assert MANIFEST["version"] == LOCK["version"] == LOCK["packages"][""]["version"] == __version__


def test_the_lock_file_names_no_registry() -> None:
    packages = {name: package for name, package in LOCK["packages"].items() if name}
    assert len(packages) > 10
    assert not [name for name, package in packages.items() if "resolved" in package or "integrity" not in package]


def test_every_setting_and_command_is_described() -> None:
    contributes = MANIFEST["contributes"]
    settings = contributes["configuration"]["properties"]
    assert [name for name, setting in settings.items() if not setting["markdownDescription"].endswith(".")] == []
    assert {command["category"] for command in contributes["commands"]} == {"panicguard"}
    restricted = MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert {"panicguard.path", "panicguard.interpreter"} <= set(restricted) <= set(settings)


def run(*command: str | Path, **environment: str) -> tuple[int, str]:
    """The exit code of a command, and what it printed. One that takes too long is stopped with all that it started."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, printed


def install(*command: str | Path) -> None:
    """Install packages, or skip the test if they are unavailable; a wrong lock file is not a reason to skip."""
    patience = {"npm_config_fetch_retries": "1", "npm_config_fetch_retry_mintimeout": "1000"}
    try:
        code, printed = run(*command, **patience)
    except subprocess.TimeoutExpired:
        pytest.skip(f"what is needed was not installed within {SECONDS} seconds")
    assert "EUSAGE" not in printed, printed
    if code:
        reason = re.search(r"(?<=npm error )code .*", printed)
        pytest.skip(f"what is needed cannot be installed: {reason[0] if reason else printed[-200:]}")


@pytest.fixture(scope="module")
def npm() -> str:
    """npm, once the packages that the extension is made with are there."""
    found = shutil.which("npm")
    if found is None:
        pytest.skip("needs npm")
    if not (EXTENSION / "node_modules" / ".package-lock.json").exists():
        install(found, "--prefix", EXTENSION, "ci")
    return found


@pytest.mark.parametrize("script", ["check", "test"])
def test_types_and_which_panicguard_is_run(npm: str, script: str) -> None:
    code, printed = run(npm, "--prefix", EXTENSION, "run", "--silent", script)
    assert code == 0, printed


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_real_vs_code(npm: str) -> None:
    install("bash", EXTENSION / "test" / "setup.sh", EXTENSION / ".vscode-test")
    before = git_status()
    panicguard = Path(sys.executable).with_name("panicguard")
    for _ in range(2):  # a browser on a busy machine may miss a step; what is broken fails twice
        code, printed = run("node", EXTENSION / "test" / "run.mjs", CHROMIUM=CHROMIUM, PANICGUARD=str(panicguard))
        if code == 0:
            break
    assert code == 0, printed
    assert git_status() == before


def git_status() -> str:
    return run("git", "-C", EXTENSION, "status", "--short")[1]
