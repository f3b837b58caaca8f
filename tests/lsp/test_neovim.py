"""The plugin for Neovim, in a real Neovim, with the real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PLUGIN = ROOT / "lsp" / "editors" / "nvim"
SCRIPTS = Path(sys.executable).parent
NVIM = shutil.which("nvim", path=os.pathsep.join([str(SCRIPTS), os.environ["PATH"]]))
BARE = """\
import asyncio

from app import mruntime


async def main():
    asyncio.create_task(send("é"))
    asyncio.create_task(send("ü"))


async def send(text): ...
"""
GO = "package app\n\nfunc send() {}\n\nfunc main() {\n\tgo send()\n}\n"
FIRST = BARE.replace('asyncio.create_task(send("é"))', 'mruntime.SafeGo("send", mruntime.KeepRunning, send("é"))')
FIXED = FIRST.replace(
    'asyncio.create_task(send("ü"))', 'mruntime.SafeGo("send", mruntime.KeepRunning, send("ü"))'
).removeprefix("import asyncio\n\n")

pytestmark = pytest.mark.skipif(NVIM is None, reason="needs nvim")


def test_diagnostics_quick_fix_and_fix_all(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    (project / "src").mkdir(parents=True)
    home.mkdir()
    (project / "panicguard.toml").write_text(
        "runtime-module = 'app.mruntime'\ngo-runtime = 'example.test/app/mruntime'\n"
    )
    file = project / "src" / "app.py"
    file.write_text(BARE, "utf-8")
    file.with_suffix(".go").write_text(GO, "utf-8")
    plugin = shutil.copytree(PLUGIN, tmp_path / "plugin")
    result = tmp_path / "result.json"
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(SCRIPTS), os.environ["PATH"]]),
        "HOME": str(home),
        "RESULT": str(result),
        "TAGS": str(plugin / "doc"),
    } | {name: str(home) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    script = Path(__file__).parent / "neovim.lua"
    command = [NVIM, "--headless", "--clean", "--cmd", f"set runtimepath^={plugin}", "-c", f"luafile {script}"]
    subprocess.run(command, cwd=file.parent, env=env, stdin=subprocess.DEVNULL, timeout=120, check=True)
    seen = json.loads(result.read_text("utf-8"))
    assert "problem" not in seen, seen["problem"]
    assert seen["error"] == ""

    assert seen["root"] == str(project)
    assert seen["server"]["name"] == "panicguard"
    assert [found[:5] for found in seen["diagnostics"]] == [
        ["PNC101", 6, 4, 23, "panicguard"],
        ["PNC101", 7, 4, 23, "panicguard"],
    ]
    assert seen["diagnostics"][0][5]
    title, kind = seen["actions"][0]
    assert title.startswith("panicguard (PNC101): ")
    assert kind == "quickfix"
    assert "source.fixAll.panicguard" in [kind for _, kind in seen["actions"]]
    assert seen["after_quick_fix"] == FIRST.splitlines()
    assert seen["after_fix_all"] == FIXED.splitlines()
    assert file.read_text("utf-8") == FIXED
    assert seen["go"] == ["PNC120", 5, 1, 8]
    assert seen["go_clients"] == 1
    assert "mruntime.SafeGoWithContextAndComponent(" in file.with_suffix(".go").read_text("utf-8")
    assert f"settings from {project / 'panicguard.toml'}" in seen["debug"]
    tags = (plugin / "doc" / "tags").read_text()
    assert all(tag in tags for tag in (":PanicguardFixAll", "panicguard.fix_all()", "panicguard-settings"))
