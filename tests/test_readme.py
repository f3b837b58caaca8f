"""The README's programs run and print what it says they do, and what it links to is there."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
RUNTIME = re.search(r"^## The runtime\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)[1]
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", RUNTIME, re.MULTILINE | re.DOTALL)
LIBRARIES = {
    "otel": "opentelemetry",
    "prometheus": "prometheus_client",
    "sentry": "sentry_sdk",
    "Starlette": "starlette",
}
FRAMES = re.compile(r"(?<=\(most recent call last\):\n)(?:  .*\n)+")
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def panicguard(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "panicguard", *command], cwd=cwd, env=ENV, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a copy of the runtime, made as the README says."""
    path = tmp_path_factory.mktemp("project")
    (path / "myapp").mkdir()
    panicguard("vendor", "myapp", cwd=path)
    return path


def test_the_section_has_programs():
    assert len(PROGRAMS) == RUNTIME.count("```python\n") >= 6
    assert sum(1 for _, printed in PROGRAMS if printed) == RUNTIME.count("```text\n") >= 5


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_prints_what_the_readme_says(project, number):
    program, printed = PROGRAMS[number]
    imported = {
        alias.name for node in ast.walk(ast.parse(program)) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    for name, library in LIBRARIES.items():
        if name in imported and importlib.util.find_spec(library) is None:
            pytest.skip(f"needs {library}")
    script = project / f"program_{number}.py"
    script.write_text(program, "utf-8")
    assert panicguard("check", "--isolated", script.name, cwd=project) == "All checks passed!\n"
    env = {**os.environ, "PYTHONPATH": str(project), "PYTHONUNBUFFERED": "1"}
    if "\ndef test_" in program:
        command = [sys.executable, "-m", "pytest", "-p", "myapp.mruntime.pytest_plugin", script.name]
        done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
        assert re.search(r"^=+ 1 passed in ", done.stdout, re.MULTILINE), done
        return
    before, stopped, after = printed.partition("^C\n")
    if stopped and sys.platform == "win32":
        pytest.skip("there Ctrl-C is no signal for one process")
    process = subprocess.Popen(
        [sys.executable, "-W", "always", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
    )
    try:
        if stopped:
            assert process.stdout.readline() == before
            process.send_signal(signal.SIGINT)
            before = ""
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert FRAMES.sub("  ...\n", out) == before + after
    assert process.returncode == 0


def test_what_it_names_of_the_runtime_is_there():
    from panicguard import mruntime

    names = set(re.findall(r"`(Safe\w+|Recover\w+|with\w*_\w+|set_\w+|on_\w+|install_\w+|observe_\w+)\b", RUNTIME))
    assert len(names) > 12
    assert not {name for name in names if not hasattr(mruntime, name)}


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert not [link for link in links if "://" not in link and not (ROOT / link).exists()]
