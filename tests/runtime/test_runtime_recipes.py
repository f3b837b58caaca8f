"""The recipes that the README points to: each is run by the commands in its docstring, and told to stop."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from server_runs import available

ROOT = Path(__file__).parents[2]
RECIPES = Path(__file__).parent / "recipes"
RUNS = [
    (path.stem, command)
    for path in sorted(RECIPES.glob("*_*.py"))
    for command in re.findall(r"^(python .+)$", path.read_text("utf-8").split('"""')[1], re.MULTILINE)
]
NEEDS = {"fastapi_app": "fastapi", "django_asgi": "django", "django_wsgi": "django"}


def interpreter() -> str:
    """The one whose packages are tried."""
    return os.environ.get("SERVERS_PYTHON", sys.executable)


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal ends the process")
@pytest.mark.parametrize(("recipe", "command"), RUNS, ids=lambda value: value.removeprefix("python "))
def test_the_work_of_a_recipe_ends_in_order(recipe, command):
    python = interpreter()
    server = command.split()[2] if " -m " in command else recipe.partition("_")[0]
    needs = f"{server} {NEEDS.get(recipe, '')}"
    if not available(python, needs):
        pytest.skip(f"needs {needs}")
    process = subprocess.Popen(
        [python, *command.split()[1:]],
        cwd=RECIPES,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    text, told, until = "", False, time.monotonic() + 30
    try:
        while time.monotonic() < until:
            if select.select([process.stdout], [], [], 0.1)[0]:
                got = os.read(process.stdout.fileno(), 65536).decode("utf-8", "replace")
                if not got:
                    break
                text += got
            if not told and "working\n" in text and (started(server, text)):
                told = True
                process.send_signal(signal.SIGTERM)
        status = process.wait(10)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert "saved\n" in text, text
    assert status == (-signal.SIGTERM if server == "uvicorn" else 0), text


def started(server: str, text: str) -> bool:
    """Whether the server says that it serves, so that a signal is for it."""
    words = {
        "uvicorn": "Uvicorn running",
        "hypercorn": "Running on",
        "daphne": "Listening on",
        "gunicorn": "Booting worker",
        "celery": " ready.",
        "aiohttp": "Running on",
        "waitress": "working",
    }
    if server == "daphne" and (port := re.search(r"Listening on TCP address 127.0.0.1:(\d+)", text)):
        # It says so before it can be told to stop.
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(f"http://127.0.0.1:{port[1]}"):
            pass
    return words[server] in text
