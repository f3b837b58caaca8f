"""What is left out before a file is parsed changes no verdict: the same findings and fixes as of the whole text.

    python tests/test_slim.py DIRECTORY

compares them over a code base.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from panicguard.engine import check
from panicguard.python.slim import Slim
from panicguard.rule import all_rules
from panicguard.settings import Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Diagnostic

SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()), spawn_exempt=())
LIBRARY, INSTALLED = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))


def whole(text: str, *_: object) -> Slim:
    return Slim(text, range(text.count("\n") + 1))


def findings(source: Source) -> set[Diagnostic]:
    """Without syntax errors and the like: what is left out is not looked at."""
    return {diagnostic for diagnostic in check(source, SETTINGS) if diagnostic.is_rule}


def differing(paths: Iterator[Path]) -> Iterator[tuple[Path, set[Diagnostic]]]:
    """The files whose results differ, and the diagnostics that only one of the two has."""
    for path in paths:
        try:
            source = Source.decode(str(path), path.read_bytes())
        except (OSError, UnicodeError, LookupError):
            continue
        slim = findings(source)
        with mock.patch("panicguard.python.module.slim", whole):
            full = findings(source)
        if slim != full:
            yield path, slim ^ full


def test_the_standard_library() -> None:
    tried = [path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts]
    assert len(tried) > 500
    assert dict(differing(iter(tried))) == {}


def test_what_is_installed() -> None:
    tried = [path for path in INSTALLED.rglob("*.py") if "panicguard" not in path.parts]
    assert len(tried) > 500
    assert dict(differing(iter(tried))) == {}


if __name__ == "__main__":
    for path, found in differing(Path(sys.argv[1]).rglob("*.py")):
        print(path, *found, sep="\n  ")
