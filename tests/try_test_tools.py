"""Run a lost panic under each test tool, without and with the runtime's pytest plugin.

    python tests/try_test_tools.py [--venv FOLDER] [NAME ...]

Makes a virtual environment with the tools, or takes one that has them. In each program a test whose name has `bad` in
it spawns work that panics and that nobody waits for; the tests around it are fine. Prints a table of what becomes of
`bad`. Exits with 1 if it passes in spite of the plugin, or if another test does not pass.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ENV = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
PLUGIN = ("-p", "panicguard.mruntime.pytest_plugin")
TOOLS = (
    "pytest pytest-asyncio anyio trio pytest-trio pytest-aiohttp tornado starlette fastapi httpx django twisted "
    "pytest-twisted hypothesis pytest-rerunfailures flaky pytest-xdist nose2"
)
PRELUDE = """
import asyncio, sys, threading, time, unittest
from panicguard.mruntime import *
from panicguard.mruntime.testing import no_panics

def boom():
    raise ValueError("the reason")

async def aboom():
    boom()

async def lose():
    SafeGo("lost", KeepRunning, aboom())
    await asyncio.sleep(0.01)

def lose_thread():
    SafeGo("lost", KeepRunning, boom).join()
"""


class Case(NamedTuple):
    """A test file, and how it is run."""

    program: str
    flags: str = ""
    command: str = "pytest"
    """A module to run; without pytest there is no plugin, and `bad` is to fail by `no_panics`."""


def asyncio_tests(mark: str, anyio_backend: str = "") -> str:
    fixture = f"@pytest.fixture({anyio_backend})\n    def anyio_backend(): return 'asyncio'" if anyio_backend else ""
    return f"""
    import pytest
    pytestmark = {mark}
    {fixture}
    async def test_first(): await asyncio.sleep(0)
    async def test_bad(): await lose()
    async def test_last(): await asyncio.sleep(0)
    """


def unittests(base: str, setup: str = "") -> str:
    step = "await lose()" if "Async" in base else "lose_thread()"
    return f"""
    class Tests(unittest.{base}):
        def setUp(self): {setup or "pass"}
        {"async " if "Async" in base else ""}def test_bad(self): {step}
        def test_fine(self): pass
    if __name__ == "__main__": unittest.main(verbosity=2)
    """


GUARD = "guard = no_panics(); guard.__enter__(); self.addCleanup(guard.__exit__, None, None, None)"
WEB = """
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive(); await send({"type": "lifespan.startup.complete"})
            await receive(); await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/bad": SafeGo("lost", KeepRunning, aboom())
        await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
"""
CASES = {
    "pytest": Case(
        """
        def test_first(): pass
        def test_bad(): lose_thread()
        def test_bad_task(): asyncio.run(lose())
        def test_last(): pass
        """
    ),
    "unittest under pytest": Case(unittests("TestCase")),
    "IsolatedAsyncioTestCase under pytest": Case(unittests("IsolatedAsyncioTestCase")),
    "pytest-asyncio strict": Case(asyncio_tests("pytest.mark.asyncio"), "--asyncio-mode=strict"),
    "pytest-asyncio auto": Case(asyncio_tests("[]"), "--asyncio-mode=auto"),
    "pytest-asyncio module loop": Case(asyncio_tests("pytest.mark.asyncio(loop_scope='module')")),
    "pytest-asyncio session loop": Case(
        asyncio_tests("[]"), "--asyncio-mode=auto -o asyncio_default_test_loop_scope=session"
    ),
    "pytest-asyncio session fixture's task": Case(
        """
        import pytest, pytest_asyncio
        pytestmark = pytest.mark.asyncio(loop_scope="session")
        @pytest_asyncio.fixture(scope="session", loop_scope="session")
        async def server():
            calls = asyncio.Queue()
            async def serve():
                while True: SafeGo("request", KeepRunning, await calls.get())
            task = SafeGo("server", KeepRunning, serve())
            yield calls
            task.cancel()
        async def test_first(server): await asyncio.sleep(0.01)
        async def test_bad(server):
            server.put_nowait(aboom())
            await asyncio.sleep(0.01)
        async def test_last(server): await asyncio.sleep(0.01)
        """
    ),
    "anyio asyncio": Case(asyncio_tests("pytest.mark.anyio", "scope='function'")),
    "anyio asyncio session": Case(asyncio_tests("pytest.mark.anyio", "scope='session'")),
    "anyio trio": Case(
        """
        import pytest, trio
        pytestmark = pytest.mark.anyio
        @pytest.fixture(scope="module")
        def anyio_backend(): return "trio"
        async def test_first(): await trio.sleep(0)
        async def test_bad(): lose_thread()
        async def test_last(): await trio.sleep(0)
        """
    ),
    "pytest-trio": Case(
        """
        import pytest, trio
        @pytest.mark.trio
        async def test_bad(nursery): lose_thread()
        @pytest.mark.trio
        async def test_last(nursery): await trio.sleep(0)
        """
    ),
    "pytest-aiohttp": Case(
        """
        from aiohttp import web
        async def bad(request):
            await lose()
            return web.Response()
        async def good(request): return web.Response()
        async def client_of(aiohttp_client):
            app = web.Application()
            app.add_routes([web.get("/bad", bad), web.get("/good", good)])
            return await aiohttp_client(app)
        async def test_bad(aiohttp_client): assert (await (await client_of(aiohttp_client)).get("/bad")).status == 200
        async def test_good(aiohttp_client): assert (await (await client_of(aiohttp_client)).get("/good")).status == 200
        """,
        "--asyncio-mode=auto",
    ),
    "tornado gen_test": Case(
        """
        from tornado.testing import AsyncTestCase, gen_test
        class Tests(AsyncTestCase):
            @gen_test
            async def test_bad(self): await lose()
            @gen_test
            async def test_fine(self): await asyncio.sleep(0)
        del AsyncTestCase
        """
    ),
    "tornado AsyncHTTPTestCase": Case(
        """
        import tornado.testing, tornado.web
        class Handler(tornado.web.RequestHandler):
            async def get(self, what):
                if what == "bad": await lose()
        class Tests(tornado.testing.AsyncHTTPTestCase):
            def get_app(self): return tornado.web.Application([("/(.*)", Handler)])
            def test_bad(self): assert self.fetch("/bad").code == 200
            def test_fine(self): assert self.fetch("/fine").code == 200
        """
    ),
    "starlette TestClient": Case(
        WEB
        + """
    from starlette.testclient import TestClient
    def test_bad(): TestClient(app).get("/bad")
    def test_fine(): TestClient(app).get("/")
    def test_bad_in_with():
        with TestClient(app) as client: client.get("/bad")
    def test_fine_in_with():
        with TestClient(app) as client: client.get("/")
    """
    ),
    "starlette TestClient of a module": Case(
        WEB
        + """
    import pytest
    from starlette.testclient import TestClient
    @pytest.fixture(scope="module")
    def client():
        with TestClient(app) as client: yield client
    def test_first(client): client.get("/")
    def test_bad(client): client.get("/bad")
    def test_last(client): client.get("/")
    """
    ),
    "fastapi TestClient": Case(
        """
        from fastapi import BackgroundTasks, FastAPI
        from fastapi.testclient import TestClient
        app = FastAPI()
        @app.get("/bad")
        async def bad(): await lose()
        @app.get("/bad_sync")
        def bad_sync(): lose_thread()
        @app.get("/bad_later")
        async def bad_later(tasks: BackgroundTasks): tasks.add_task(lose_thread)
        @app.get("/fine")
        async def fine(): pass
        def test_bad(): TestClient(app).get("/bad")
        def test_bad_sync(): TestClient(app).get("/bad_sync")
        def test_bad_later(): TestClient(app).get("/bad_later")
        def test_fine(): TestClient(app).get("/fine")
        """
    ),
    "django": Case(
        """
        from django.conf import settings
        settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
        import django; django.setup()
        from django.http import HttpResponse
        from django.test import SimpleTestCase
        from django.urls import path
        def bad(request): lose_thread(); return HttpResponse()
        async def abad(request): await lose(); return HttpResponse()
        def fine(request): return HttpResponse()
        urlpatterns = [path("bad", bad), path("abad", abad), path("fine", fine)]
        class Tests(SimpleTestCase):
            def test_bad(self): assert self.client.get("/bad").status_code == 200
            def test_bad_async_view(self): assert self.client.get("/abad").status_code == 200
            async def test_bad_async(self): assert (await self.async_client.get("/abad")).status_code == 200
            async def test_bad_sync_view(self): assert (await self.async_client.get("/bad")).status_code == 200
            def test_fine(self): assert self.client.get("/fine").status_code == 200
            async def test_fine_async(self): assert (await self.async_client.get("/fine")).status_code == 200
        """
    ),
    "trial's TestCase under pytest": Case(
        """
        import twisted.trial.unittest as trial
        class Tests(trial.TestCase):
            def test_bad(self): lose_thread()
            def test_fine(self): pass
        """
    ),
    "pytest-twisted": Case(
        """
        import pytest_twisted
        from twisted.internet import threads
        @pytest_twisted.ensureDeferred
        async def test_bad(): await threads.deferToThread(lose_thread)
        @pytest_twisted.ensureDeferred
        async def test_fine(): pass
        """,
        "--reactor=default",
    ),
    "hypothesis": Case(
        """
        from hypothesis import given, strategies
        @given(strategies.integers())
        def test_bad(n):
            if n > 100: lose_thread()
        @given(strategies.integers())
        def test_fine(n): pass
        """
    ),
    "pytest-rerunfailures": Case(
        """
        runs = []
        def test_bad(): lose_thread()
        def test_mended():
            runs.append(1)
            if len(runs) == 1: lose_thread()
        def test_last(): pass
        """,
        "--reruns=2",
    ),
    "flaky": Case(
        """
        from flaky import flaky
        runs = []
        @flaky(max_runs=2)
        def test_bad(): lose_thread()
        @flaky(max_runs=2)
        def test_mended():
            runs.append(1)
            assert len(runs) == 2
        """
    ),
    "xdist": Case(
        """
        def test_first(): pass
        def test_bad(): lose_thread()
        def test_last(): pass
        """,
        "-n 2",
    ),
    "unittest alone": Case(unittests("TestCase", GUARD), command="test_it"),
    "IsolatedAsyncioTestCase alone": Case(unittests("IsolatedAsyncioTestCase", GUARD), command="test_it"),
    "nose2": Case(unittests("TestCase", GUARD), "-v test_it", command="nose2"),
    "trial": Case(unittests("TestCase", GUARD), "test_it", command="twisted.trial"),
}
LATE = """
    import pytest
    gate = threading.Event()
    def late():
        gate.wait(5)
        boom()
    threads = []
    @pytest.mark.mruntime(running="allow")
    def test_bad(): threads.append(SafeGo("lost", KeepRunning, late))
    def test_last():
        gate.set()
        threads[0].join()
"""
CASES["a panic after its test"] = Case(LATE)
CASES["a panic after its test, xdist"] = Case(LATE, "-n 1")


def outcomes(output: str, command: str) -> dict[str, set[str]]:
    """What became of each test."""
    found: dict[str, set[str]] = {}
    by_pytest = r"^(PASSED|FAILED|ERROR|SUBFAILED\S*) (?:\S+::)?(test_\w+)"
    others = r"^ *(test_\w+) .*?(?:^|\.\.\. |\[)(ok|FAIL|ERROR|OK)\b"
    if command == "pytest":
        for how, name in re.findall(by_pytest, output, re.MULTILINE):
            found.setdefault(name, set()).add(how.lower())
        for name in re.findall(r"^(?:\S+::)?(test_\w+): \S+ panicked", output, re.MULTILINE):
            found.setdefault(name, set()).add("told at the end")
    else:
        for name, how in re.findall(others, output, re.MULTILINE | re.DOTALL):
            found.setdefault(name, set()).add({"ok": "passed", "fail": "failed"}.get(how.lower(), "error"))
    return found


def run(python: str, case: Case, *flags: str) -> tuple[dict[str, set[str]], int, str]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_it.py").write_text(PRELUDE + textwrap.dedent(case.program))
        command = [python, "-m", case.command, *case.flags.split(), *flags]
        if case.command == "pytest":
            command += ["-p", "no:cacheprovider", "-rA", "-W", "ignore", "test_it.py"]
        # Kept from run to run, for pytest rewrites all of its plugins.
        cache = Path(tempfile.gettempdir()) / "try_test_tools"
        env = {**ENV, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "PYTHONPYCACHEPREFIX": str(cache)}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
        output = done.stdout + done.stderr
        return outcomes(output, case.command), done.returncode, output


def in_words(found: dict[str, set[str]], code: int) -> str:
    bad = {how for name, hows in found.items() if "bad" in name for how in hows}
    return f"{' and '.join(sorted(bad)) or 'nothing'}, exit {code}"


def try_case(python: str, name: str, case: Case) -> bool:
    """Whether the plugin did what it is for."""
    without = in_words(*run(python, case)[:2]) if case.command == "pytest" else "-"
    flags = PLUGIN if case.command == "pytest" else ()
    found, code, output = run(python, case, *flags)
    bad = [hows for test, hows in found.items() if "bad" in test]
    fine = [hows for test, hows in found.items() if "bad" not in test]
    right = bool(bad) and bool(fine) and code != 0 and all(hows - {"passed"} for hows in bad)
    right = right and all(
        hows <= {"passed", "error"} if test == "test_mended" else hows == {"passed"}
        for test, hows in found.items()
        if "bad" not in test
    )
    print(f"{name:<40} {without:<28} {in_words(found, code):<40} {'' if right else 'WRONG'}", flush=True)
    if not right:
        print(textwrap.indent(f"{found}\n{output[-3000:]}", "    "), flush=True)
    return right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(CASES)}")
    parser.add_argument("--venv", type=Path, help="an environment that has the tools")
    its = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = its.venv or Path(folder) / "venv"
        python = str(home.absolute() / "bin" / "python")
        if its.venv is None:
            venv.create(home, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "-q", *TOOLS.split()], check=True)
        print(f"{'':<40} {'without the plugin':<28} with it")
        right = [try_case(python, name, CASES[name]) for name in its.names or CASES]
        return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
