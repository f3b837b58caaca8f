"""Inputs that grow with a number: what a run costs on them at n and at 2n shows whether it is linear.

Each is a function of n that returns the files of a folder: their paths and their texts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Files = Mapping[str, str]

ASYNC = "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n\n\n"
THREADS = "import threading\n\n\n"
GO = "package p\n\nfunc work() {}\n\n"
SPAWN = "asyncio.create_task(f())"


class Input(NamedTuple):
    """A row of the table: `n` is the smaller of the two numbers, chosen so that the work outweighs the start."""

    files: Callable[[int], Files]
    n: int
    flags: str = ""


def _repeated(n: int, text: str, head: str = ASYNC, name: str = "a.py", tail: str = "") -> Files:
    """`text` n times, with its number in place of `@`."""
    return {name: head + "".join(text.replace("@", str(number)) for number in range(n)) + tail}


def _elif(n: int) -> Files:
    chain = "".join(f"    elif x == {number}:\n        {SPAWN}\n" for number in range(n))
    return {"a.py": f"{ASYNC}async def main(x):\n    if x < 0:\n        pass\n{chain}"}


def _notebook(n: int, cell: str) -> Files:
    def code(text: str) -> dict[str, object]:
        lines = text.splitlines(keepends=True)
        return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines}

    cells = [code(ASYNC), *(code(cell.replace("@", str(number))) for number in range(n))]
    return {"a.ipynb": json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, indent=1)}


def _nested_literals(n: int) -> Files:
    return {"a.go": f"{GO}type T []T\n\nvar x = {'T{' * n}{'}' * n}\n\nfunc f() {{\n\tgo work()\n}}\n"}


def _nested_functions(n: int) -> Files:
    """Goroutines in goroutines."""
    body, ends = "go func() {\n" * n, "}()\n" * n
    return {"a.go": f"{GO}func f() {{\n{body}work()\n{ends}}}\n"}


def _folders(n: int) -> Files:
    return {f"{'d/' * number}a.py": "x = 1\n" for number in range(n)}


_HANDLER = """async def g@():
    while True:
        try:
            await f()
        except asyncio.CancelledError:
            print(@)
"""
_HANDLERS = """    try:
        await t
    except asyncio.CancelledError:
        print(@)
"""
_HELPER = """def h@():
    print(sys.exc_info())


try:
    print(@)
except ValueError:
    h@()
"""
_WORKER = """def w@():
    try:
        print(@)
    except Exception:
        pass


threading.Thread(target=w@).start()
"""
_SUBCLASS = """class T@(threading.Thread):
    def run(self):
        print(@)


"""
_POOL = "from concurrent.futures import ThreadPoolExecutor\n\n\n"
_WORK = "    asyncio.sleep(@)\n"
_NOLINT = "func f@() {\n\twork() //nolint: panicguard // why\n}\n"
_RANGES = "    # panicguard: disable[PNC101]\n    asyncio.create_task(f())\n    # panicguard: enable[PNC101]\n"
_STRINGS = "    s = '''\n    @\n    '''\n    asyncio.create_task(f())\n"

INPUTS: Mapping[str, Input] = {
    "elif chain, a spawn in each": Input(_elif, 1000),
    "notebook cells, a spawn in each": Input(lambda n: _notebook(n, SPAWN), 1000),
    "notebook cells with magics": Input(lambda n: _notebook(n, f"%time\n{SPAWN}"), 1000),
    "Thread subclasses": Input(lambda n: _repeated(n, _SUBCLASS, THREADS), 1000),
    "Thread(target=)": Input(lambda n: _repeated(n, _WORKER, THREADS), 1000),
    "self.t = create_task in one class": Input(
        lambda n: _repeated(
            n, "        self.t@ = asyncio.create_task(f())\n", f"{ASYNC}class A:\n    async def m(self):\n"
        ),
        1000,
    ),
    "spawns in one function": Input(lambda n: _repeated(n, f"    {SPAWN}\n", f"{ASYNC}async def m():\n"), 1000),
    "spawns in one function among lines": Input(
        lambda n: _repeated(n, f"    {SPAWN}\n" + "    print('a line of no matter')\n" * 9, f"{ASYNC}async def m():\n"),
        1000,
    ),
    "functions with a dropped spawn": Input(lambda n: _repeated(n, f"async def g@():\n    {SPAWN}\n\n\n"), 1000),
    "functions with an awaited spawn": Input(lambda n: _repeated(n, f"async def g@():\n    await {SPAWN}\n\n\n"), 2000),
    "swallowed cancellations": Input(lambda n: _repeated(n, _HANDLER), 1000),
    "submits in one `with`": Input(
        lambda n: _repeated(
            n, "        pool.submit(print, @)\n", f"{_POOL}def m():\n    with ThreadPoolExecutor() as pool:\n"
        ),
        1000,
    ),
    "unused noqa": Input(lambda n: _repeated(n, "x@ = 1  # noqa: PNC101\n"), 4000),
    "spawns with noqa": Input(
        lambda n: _repeated(n, f"    {SPAWN}  # noqa: PNC101\n", f"{ASYNC}async def m():\n"), 1000
    ),
    "spawns disabled and enabled": Input(lambda n: _repeated(n, _RANGES, f"{ASYNC}async def m():\n"), 1000),
    "spawns below ignored lines": Input(
        lambda n: _repeated(n, f"    # panicguard: ignore[PNC101]\n    {SPAWN}\n", f"{ASYNC}async def m():\n"), 1000
    ),
    "spawns between strings of lines": Input(lambda n: _repeated(n, _STRINGS, f"{ASYNC}async def m():\n"), 1000),
    "codes in one noqa": Input(
        lambda n: {"a.py": f"x = 1  # noqa: {', '.join(['PNC101', 'PNC102'] * (n // 2))}\n"}, 5000
    ),
    "noqa after noqa in one comment": Input(lambda n: {"a.py": f"x = 1  {'# noqa: PNC101 ' * n}\n"}, 2000),
    "disabled, never enabled": Input(lambda n: _repeated(n, "# panicguard: disable[PNC101]\n"), 2000),
    "enabled, never disabled": Input(lambda n: _repeated(n, "# panicguard: enable[PNC101]\n"), 2000),
    "create_task( in one line": Input(
        lambda n: {"a.py": f"{ASYNC}async def m():\n    {f'{SPAWN}; ' * n}\n"}, 500, "--output-format=concise"
    ),
    "create_task( in one list": Input(
        lambda n: {"a.py": f"{ASYNC}async def m():\n    x = [{f'{SPAWN}, ' * n}]\n"}, 500, "--output-format=concise"
    ),
    "create_task( in one string": Input(
        lambda n: {"a.py": f"{ASYNC}async def m():\n    x = '{f'{SPAWN} ' * n}'\n    {SPAWN}\n"}, 20_000
    ),
    "handlers in one function": Input(lambda n: _repeated(n, _HANDLERS, f"{ASYNC}async def m(t):\n"), 500),
    "threads started on the next line": Input(
        lambda n: _repeated(
            n,
            "    t@ = threading.Thread(target=w)\n    t@.start()\n",
            f"{THREADS}def w():\n    print(1)\n\n\ndef m():\n",
        ),
        1000,
    ),
    "threads of one name, by functions": Input(
        lambda n: _repeated(
            n,
            "def m@():\n    t = threading.Thread(target=w)\n    t.start()\n\n\n",
            f"{THREADS}def w():\n    print(1)\n\n\n",
        ),
        1000,
    ),
    "threads imported where they are started": Input(
        lambda n: _repeated(
            n,
            "def m@():\n    from threading import Thread\n\n    Thread(target=w).start()\n\n\n",
            "def w():\n    print(1)\n\n\n",
        ),
        500,
    ),
    "tasks of one name in one function": Input(
        lambda n: _repeated(n, "    t = asyncio.create_task(f())\n    print(t)\n", f"{ASYNC}async def m():\n"), 500
    ),
    "closures in one loop": Input(
        lambda n: _repeated(
            n,
            "        asyncio.get_running_loop().create_task(g(lambda: x))\n",
            f"{ASYNC}async def g(y):\n    y()\n\n\nasync def m(xs):\n    for x in xs:\n",
        ),
        500,
    ),
    "helpers that ask for the error": Input(lambda n: _repeated(n, _HELPER, "import sys\n\n\n"), 1000),
    "tiny files": Input(lambda n: {f"{number}.py": f"{ASYNC}x = {number}\n" for number in range(n)}, 2000),
    "folders in folders": Input(_folders, 200),
    "a big generated file": Input(
        lambda n: _repeated(n, "def g@(x):\n    return x + @\n\n\n", tail=f"async def m():\n    {SPAWN}\n"), 50_000
    ),
    "assignments and one spawn": Input(
        lambda n: _repeated(n, "x@ = @\n", tail=f"async def m():\n    {SPAWN}\n"), 50_000
    ),
    "functions that call each other": Input(
        lambda n: _repeated(n, f"async def g@():\n    await g@()\n    t = {SPAWN}\n    await t\n\n\n"), 1000
    ),
    "200,000 findings (n of 200)": Input(
        lambda n: {f"{k}.py": _repeated(1000, f"    {SPAWN}\n", f"{ASYNC}async def m():\n")["a.py"] for k in range(n)},
        5,
        "--output-format=concise",
    ),
    "Go: nested literals": Input(_nested_literals, 500),
    "Go: functions in functions": Input(_nested_functions, 150, "--output-format=concise"),
    "Go: malformed nolint": Input(lambda n: _repeated(n, _NOLINT, GO, "a.go"), 1000),
    "Go: nolint above statements": Input(
        lambda n: _repeated(n, "\t//nolint:panicguard // why\n\tgo work()\n", f"{GO}func f() {{\n", "a.go", "}\n"), 1000
    ),
    "Go: spawns in one function": Input(
        lambda n: _repeated(n, "\tgo work()\n", f"{GO}func f() {{\n", "a.go", "}\n"), 1000
    ),
    "Go: functions with a spawn": Input(lambda n: _repeated(n, "func f@() {\n\tgo work()\n}\n\n", GO, "a.go"), 1000),
    "Go: spawned function literals": Input(
        lambda n: _repeated(n, "\tgo func() {\n\t\tx += @\n\t}()\n", f"{GO}func f() {{\n\tx := 0\n", "a.go", "}\n"),
        1000,
    ),
}
