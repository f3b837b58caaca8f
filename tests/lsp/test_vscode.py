"""The extension for VS Code, so far as it can be tested without one: `node lsp/editors/vscode/test/run.mjs` uses it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from panicguard import __version__

EXTENSION = Path(__file__).parent.parent.parent / "lsp" / "editors" / "vscode"
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


@pytest.mark.skipif(
    shutil.which("npm") is None or not (EXTENSION / "node_modules").is_dir(), reason="needs `npm ci` in the extension"
)
@pytest.mark.parametrize("script", ["check", "test"])
def test_types_and_which_panicguard_is_run(script: str) -> None:
    command = [shutil.which("npm"), "--prefix", str(EXTENSION), "run", "--silent", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
