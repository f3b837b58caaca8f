"""The hooks, installed by pre-commit itself into a project whose commit they refuse, fix and let through."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from checkout import checkout

if TYPE_CHECKING:
    from pathlib import Path

BARE = "import asyncio\n\n\nasync def main():\n    asyncio.create_task(send())\n\n\nasync def send(): ...\n"
GO = "package app\n\nfunc send() {}\n\nfunc main() {\n\tgo send()\n}\n"
CONFIG = "repos: [{{repo: '{}', rev: v0, hooks: [{{id: panicguard-check}}, {{id: panicguard-fix}}]}}]\n"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(folder: Path, *command: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *command], cwd=folder, capture_output=True, check=True)


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    """This repository as its working tree is, tagged v0."""
    copy = checkout(tmp_path / "hooks")
    git(copy, "init", "--quiet")
    git(copy, "add", ".")
    git(copy, "commit", "--quiet", "--no-verify", "-m", "Everything")
    git(copy, "tag", "v0")
    return copy


def test_a_commit_is_refused_fixed_and_let_through(tmp_path: Path, hooks: Path) -> None:
    project = tmp_path / "project"
    (project / "old").mkdir(parents=True)
    git(project, "init", "--quiet")
    (project / ".pre-commit-config.yaml").write_text(CONFIG.format(hooks))
    (project / "panicguard.toml").write_text("exclude = ['old']\ngo-runtime = 'example.test/app/mruntime'\n")
    file, excluded, notes = project / "app.py", project / "old" / "app.py", project / "notes.txt"
    for path in (file, excluded, notes):
        path.write_text(BARE)
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": BARE}
    notebook = project / "app.ipynb"
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    go = project / "app.go"
    go.write_text(GO)
    git(project, "add", ".")
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "environments")}

    def run() -> tuple[int, str]:
        command = [sys.executable, "-m", "pre_commit", "run", "--color=never"]
        done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, output = run()
    if "No matching distribution found for setuptools" in output:
        pytest.skip("needs a package index")
    check, _, fix = output.partition("- hook id: panicguard-fix")
    assert code == 1, output
    assert "app.py:5:5" in check
    assert "app.go:6:2" in check
    assert "Found 3 errors." in check  # not what the project excludes, and not the text file
    assert "files were modified by this hook" in fix
    assert "SafeGo" in file.read_text()
    assert "SafeGo" in notebook.read_text()
    assert "mruntime.SafeGoWithContextAndComponent(" in go.read_text()
    assert (excluded.read_text(), notes.read_text()) == (BARE, BARE)

    git(project, "add", ".")
    code, output = run()
    assert code == 0, output
    assert output.count("Passed") == 2
    assert len(list((tmp_path / "environments").glob("*/py_env-*"))) == 1
