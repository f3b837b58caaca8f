"""The import that a fix adds leaves a module as sorted as it was for Ruff, and each comment above its import."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from test_ruff_cli import RUFF

from panicguard.python.fixes.imports import insertion
from panicguard.source import Source

if TYPE_CHECKING:
    from pathlib import Path

IMPORTS = (
    *("import asyncio", "import os", "import threading", "from typing import Any", "import os.path as path"),
    *("from functools import (\n    partial,\n    wraps,\n)", "from collections import deque"),
    *("import zeep", "import attr as a, yaml", "from panda import x", "from anyio import y", "from zmq import Context"),
    *("from app import core", "import app.models", "from . import z", "from .sub import w"),
)
COMMENTS = ("# must come first", "# needs the path", "# the types are missing")
HEADS = ("", '"""Doc."""\n', "#!/usr/bin/env python", "# Copyright A\n", "from __future__ import annotations\n")
STATEMENTS = (
    "x = 1",
    '__author__ = "A"',
    "if Any:\n    import ujson",
    "try:\n    import ujson\nexcept ImportError: ...",
)


def module(chance: random.Random) -> str:
    """A module with its imports in any order, comments above some and other statements between."""
    rows = [chance.choice(HEADS), *chance.choices((*STATEMENTS[1:2], ""), (1, 3))]
    for statement in chance.sample(IMPORTS, chance.randint(1, 9)):
        rows += chance.choices(COMMENTS, k=chance.random() < 0.15)
        rows += [statement, *[""] * (chance.random() < 0.2), *chance.choices(STATEMENTS, k=chance.random() < 0.06)]
    return "\n".join((*rows, chance.choice(STATEMENTS), "", "", "def f(): ...\n"))


def unsorted(folder: Path, *, fix: bool = False) -> Counter[str]:
    """How often Ruff finds the imports of a file unsorted."""
    command = [RUFF, "check", "--isolated", "--no-cache", "--exit-zero", "--output-format=json", "--select=I001"]
    done = subprocess.run([*command, *["--fix"] * fix, "."], cwd=folder, capture_output=True, text=True, check=True)
    return Counter(found["filename"] for found in json.loads(done.stdout))


def spoken_of(text: str) -> list[tuple[str, str]]:
    """The comments of a module, and what stands below each."""
    rows = text.splitlines()
    return [pair for pair in itertools.pairwise(rows) if pair[0] in COMMENTS]


@pytest.mark.parametrize("is_sorted", [True, False])
def test_the_import_leaves_the_order_and_the_comments(tmp_path: Path, is_sorted: bool) -> None:
    chance = random.Random(27)
    paths = [tmp_path / "app" / f"m{number}.py" for number in range(300)]
    paths[0].parent.mkdir()
    for name in ("__init__", "models"):
        (paths[0].parent / f"{name}.py").touch()
    for path in paths:
        path.write_text(module(chance))
    before = unsorted(tmp_path, fix=is_sorted)
    for path in paths:
        text = path.read_text()
        edit = insertion(Source(str(path), text), "from panicguard import mruntime")
        fixed = f"{text[: edit.start]}{edit.content}{text[edit.end :]}"
        assert spoken_of(fixed) == spoken_of(text), fixed
        assert "__author__" not in text or fixed.index("mruntime") > text.index("__author__") or is_late(text)
        path.write_text(fixed)
    after = unsorted(tmp_path)
    assert [path for path in after if after[path] > before[path]] == []


def is_late(text: str) -> bool:
    """Whether imports stand above what a module says of itself."""
    return any(row.startswith(("import", "from")) for row in text.partition("__author__")[0].splitlines())
