"""The runtime in Go: its own tests, and a copy of it in a module as the README shows it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from panicguard.cli.vendor import RUNTIMES, vendor

ROOT = Path(__file__).parent.parent
GO = shutil.which("go", path=os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", ""))))
ENV = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOWORK": "off"}
CRASH = """package main

import "example.com/myapp/internal/mruntime"

func main() {
	mruntime.SafeGo("mailer", mruntime.CrashProcess, func() { panic("boom") })
	select {}
}
"""

pytestmark = pytest.mark.skipif(GO is None, reason="needs go")


def go(*arguments: str, cwd: Path = RUNTIMES["go"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(GO), *arguments], cwd=cwd, env=ENV, capture_output=True, text=True, check=False)


def test_its_benchmarks_run() -> None:
    done = go("test", "-run", "^$", "-bench", ".", "-benchtime", "10x", "-benchmem")
    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.findall(r"^Benchmark(\w+?)(?:-\d+)?\s", done.stdout, re.MULTILINE)
    assert ran == ["Go", "SafeGo", "SafeGoPanics", "Group", "Supervise", "Running"]


def test_it_is_formatted() -> None:
    gofmt = Path(go("env", "GOROOT").stdout.strip(), "bin", "gofmt")
    done = subprocess.run([gofmt, "-l", "."], cwd=RUNTIMES["go"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_vet_has_nothing_to_say() -> None:
    done = go("vet", "./...")
    assert done.returncode == 0, done.stderr


def test_its_own_tests_pass() -> None:
    cgo, compiler = go("env", "CGO_ENABLED", "CC").stdout.splitlines()
    race = ["-race"] if cgo == "1" and shutil.which(compiler) else []
    done = go("test", *race, "./...")
    assert done.returncode == 0, done.stdout + done.stderr
    if not race:
        pytest.skip("passed, but without -race, which needs a C compiler")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module with a copy of the runtime, and the README's program."""
    readme = (ROOT / "README.md").read_text("utf-8")
    [(program, printed)] = re.findall(r"^```go\n(.*?)^```\n\n```text\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    (tmp_path / "go.mod").write_text("module example.com/myapp\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text(program)
    (tmp_path / "printed").write_text(printed)
    return tmp_path


def test_a_program_prints_what_the_readme_says(module: Path) -> None:
    vendor(module / "internal", language="go")
    done = go("run", ".", cwd=module)
    assert (done.returncode, done.stdout) == (0, (module / "printed").read_text()), done.stderr
    assert "ERROR panic recovered in mailer/main.main.func1: no route to ann panic_component=mailer" in done.stderr


def test_a_copy_works_under_another_name(module: Path) -> None:
    vendor(module / "internal", "safe", "go")
    program = (module / "main.go").read_text()
    (module / "main.go").write_text(program.replace("mruntime", "safe"))
    assert go("vet", "./...", cwd=module).returncode == 0
    done = go("run", ".", cwd=module)
    assert (done.returncode, done.stdout) == (0, (module / "printed").read_text()), done.stderr
    assert go("doc", "./internal/safe", cwd=module).stdout.startswith("package safe // import")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pipe that can be full")
def test_a_crash_needs_nobody_who_reads_standard_error(module: Path) -> None:
    vendor(module / "internal", language="go")
    (module / "main.go").write_text(CRASH)
    assert go("build", "-o", "crash", ".", cwd=module).returncode == 0
    read, write = os.pipe()
    try:
        os.set_blocking(write, False)
        for size in (4096, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(write, b"-" * size)
        os.set_blocking(write, True)
        done = subprocess.run([module / "crash"], stderr=write, timeout=20, check=False)
    finally:
        os.close(read)
        os.close(write)
    assert done.returncode == 2
