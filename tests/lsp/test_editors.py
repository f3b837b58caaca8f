"""What the README says for other editors: it starts the server, in those that are there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

README = (Path(__file__).parent.parent.parent / "README.md").read_text("utf-8")
SECTION = re.search(r"^## Editors\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)[1]
SCRIPTS = Path(sys.executable).parent
SEARCH_PATH = os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])
NVIM, EMACS = (shutil.which(name, path=SEARCH_PATH) for name in ("nvim", "emacs"))
BARE = "import asyncio\n\n\nasync def main():\n    asyncio.create_task(send())\n\n\nasync def send(): ...\n"
GO = "package app\n\nfunc main() {\n\tgo main()\n}\n"
COMMAND = ["panicguard", "server"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "panicguard.toml").touch()
    (tmp_path / "app.go").write_text(GO)
    file = tmp_path / "app.py"
    file.write_text(BARE)
    return file


def run(file: Path, *command: str) -> str:
    env = {**os.environ, "PATH": SEARCH_PATH, "HOME": str(file.parent), "LC_ALL": "C.UTF-8"}
    env |= {f"XDG_{name}_HOME": str(file.parent / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    done = subprocess.run(
        command,
        cwd=file.parent,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.skipif(NVIM is None, reason="needs nvim")
def test_neovim_without_the_plugin(file: Path) -> None:
    [settings] = blocks("lua")
    script = file.with_name("init.lua")
    script.write_text(
        f"""{settings}
        for _, name in ipairs({{ "app.py", "app.go" }}) do
          vim.cmd.edit(name)
          vim.wait(30000, function() return #vim.diagnostic.get(0) > 0 end, 20)
          for _, found in ipairs(vim.diagnostic.get(0)) do
            print(found.code .. " at " .. found.lnum .. ":" .. found.col .. " in " .. vim.lsp.get_clients()[1].root_dir)
          end
        end
        vim.cmd("qall!")
        """
    )
    output = run(file, NVIM, "--headless", "--clean", "-c", f"luafile {script}")
    assert f"PNC101 at 4:4 in {file.parent}" in output
    assert f"PNC120 at 3:1 in {file.parent}" in output


ELISP = """
(package-initialize)
(require 'eglot)
%s
(find-file "app.py")
(python-mode)
(call-interactively #'eglot)
(let ((end (+ (float-time) 30)))
  (while (and (null (flymake-diagnostics)) (< (float-time) end))
    (accept-process-output nil 0.05)))
(dolist (found (flymake-diagnostics))
  (princ (format "%%s at %%d\\n" (flymake-diagnostic-text found) (flymake-diagnostic-beg found))))
"""


@pytest.mark.skipif(EMACS is None, reason="needs emacs")
def test_emacs(file: Path) -> None:
    [settings] = blocks("elisp")
    script = file.with_name("init.el")
    script.write_text(ELISP % settings)
    output = run(file, EMACS, "--batch", "--load", str(script))
    if "eglot" in output and "Cannot open load file" in output:
        pytest.skip("needs eglot")
    assert re.search(rf"PNC101\W.* at {BARE.index('asyncio.create_task') + 1}\b", output, re.DOTALL), output


def test_the_rest_start_the_server() -> None:
    [helix] = map(tomllib.loads, blocks("toml"))
    server = helix["language-server"]["panicguard"]
    assert [server["command"], *server["args"]] == COMMAND
    assert {one["name"] for one in helix["language"] if "panicguard" in one["language-servers"]} == {"python", "go"}
    sublime, zed = map(json.loads, blocks("json"))
    assert sublime["clients"]["panicguard"]["command"] == COMMAND
    assert [zed["lsp"]["ruff"]["binary"]["path"], *zed["lsp"]["ruff"]["binary"]["arguments"]] == COMMAND
