"""What is test code: what pytest or unittest would collect, and what a mock calls or raises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.calls import mocked
from panicguard.python.cst import cst
from panicguard.python.tree import last_name
from panicguard.settings import is_test

if TYPE_CHECKING:
    from panicguard.python.file import PythonFile

_SERVING = re.compile(r"(?:^|[/\\_])(?:testing|test_?utils?|test_?helpers?)(?:[/\\][^/\\]*|\.py)$")
"""The ends of the paths of modules that serve tests."""
_COLLECTED = re.compile(r"Test(?![a-z])")
_CASE = re.compile(r"Test(?:s|Case|Base)?$")
"""The ends of the names of classes that tests are derived from."""


def is_test_code(module: PythonFile, function: cst.FunctionDef) -> bool:
    """Whether a function stands in a test, or in what serves one, is called by a mock, or stands in a module of which a
    mock raises cancellations."""
    path = module.source.path
    if is_test(module.settings, path) or _SERVING.search(path) is not None:
        return True
    if not mocked(module.source.text).isdisjoint((function.name.value, "CancelledError")):
        return True
    classes = (above for above, _ in module.tree.frames(function) if isinstance(above, cst.ClassDef))
    return any(
        _COLLECTED.match(above.name.value) is not None
        or any(_CASE.search(module.names.qualified(base.value) or last_name(base.value)) for base in above.bases)
        for above in classes
    )
