"""`--output-format junit`: a test suite for each file, a failed test for each diagnostic."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from panicguard.report.location import absolute
from panicguard.report.width import CONTROLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Diagnostic, Result
    from panicguard.source import Source

ESCAPES = {code: f"&#{code};" for code in CONTROLS} | str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that XML cannot contain."""


def render(results: Sequence[Result]) -> str:
    """An XML document; if nothing was found, with a single test that says so."""
    return "".join(f"{line}\n" for line in _document([result for result in results if result.diagnostics]))


def _document(results: Sequence[Result]) -> Iterator[str]:
    total = sum(len(result.diagnostics) for result in results)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="panicguard" tests="{total or 1}" skipped="0" failures="{total}" errors="0">'
    for result in results:
        yield _suite(absolute(result.source), tests=len(result.diagnostics), failures=len(result.diagnostics))
        for diagnostic in result.diagnostics:
            yield from _case(result.source, diagnostic)
        yield "    </testsuite>"
    if not results:
        yield _suite("panicguard", tests=1, failures=0)
        yield '        <testcase name="No errors found" classname="panicguard"/>'
        yield "    </testsuite>"
    yield "</testsuites>"


def _suite(name: str, *, tests: int, failures: int) -> str:
    counts = f'tests="{tests}" skipped="0" errors="0" failures="{failures}"'
    return f'    <testsuite name="{_escaped(name)}" {counts} package="org.panicguard">'


def _case(source: Source, diagnostic: Diagnostic) -> Iterator[str]:
    cell, row, column = source.place(diagnostic.start)
    # Ruff gives no positions for findings in notebooks.
    attributes = f' line="{row}" column="{column}"' if cell is None else ""
    before = f"line {row}, col {column}, " if cell is None else ""
    message = _escaped(diagnostic.message)
    classname = _escaped(os.path.splitext(absolute(source))[0])
    yield f'        <testcase name="org.panicguard.{diagnostic.code}" classname="{classname}"{attributes}>'
    yield "            <properties>"
    yield f'                <property name="severity" value="{diagnostic.severity.value}"/>'
    yield "            </properties>"
    yield f'            <failure message="{message}">{before}{message}</failure>'
    yield "        </testcase>"


def _escaped(text: str) -> str:
    return _FORBIDDEN.sub("", text).translate(ESCAPES)
