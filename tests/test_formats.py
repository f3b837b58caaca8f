"""Every output format against Ruff's own: the same diagnostics must come out as the same bytes, up to the names."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from test_report import CASES, SELECT, ruff, text

from panicguard import __version__
from panicguard.diagnostic import Applicability, Diagnostic, Edit, Fix, Result
from panicguard.report import formats, summary
from panicguard.source import Source

FLAGS = ("--select", SELECT, ".", "../outside.py", "missing.py")
PREVIEW = ("--preview", "--config", "output-prefer-rule-codes=true", "--select", "PTH", "cells.ipynb")
"""Rules that fix several cells of a notebook at once."""


NOTEBOOKS: dict[str, list[tuple[str, str]]] = {
    "magics": [
        ("markdown", "# hi"),
        ("code", "%matplotlib inline\nimport os\nimport sys"),
        ("code", "%%bash\necho hi"),
        ("code", "!ls\nx = 1\nif x == None:\n    pass\nos?\ny = !pwd\n"),
        ("code", "z = dict(\n  a=1,\n)\n"),
        ("code", "%%timeit\nimport re\n"),
    ],
    "cells": [
        ("code", "import os\n\n\n\nx = os.getcwd()"),
        ("markdown", "a\nb"),
        ("code", "y = 1\n\n\nz = os.path.abspath('a')\n\n"),
        ("code", ""),
        ("code", "\n\ndef f(\n  a=[]):\n    return '😀', a == None\n\n"),
        ("code", "".join(f"x{i} = {i}\n" for i in range(60)) + "x == None\n"),
        ("code", "x0 = dict(\n a=1)"),
    ],
    "many rows": [
        ("code", "x = (\n1)\n" * 5 + "import os\nos"),
        ("code", "x = 1\n" * 100 + "\nx == None\n\nx"),
    ],
    "borders": [("code", "y"), ("code", "x == None"), ("code", "z")],
    "blank around": [("code", "y\n\n\n"), ("code", "\n\nx == None\n\n\n"), ("code", "\n\nz")],
    "blank at the end": [("code", "y\n\n\n"), ("code", "\n\n(x ==\n\nNone)"), ("code", ""), ("code", "")],
    "last lines": [("code", "x = 1\nimport os"), ("code", "z = dict(\n  a=1,\n)"), ("code", "import re")],
    "broken": [("code", "x = 1 \nif x:"), ("code", "y = (\n"), ("code", "print(y == None)")],
    "clean": [("code", "print()\n")],
}


def write(folder: Path) -> None:
    """All the inputs: sources and notebooks below `folder/here`, and one file beside it."""
    (folder / "here" / "a dir").mkdir(parents=True)
    for name, source in CASES.items():
        (folder / "here" / f"{name.replace(' ', '_')}.py").write_bytes(source.encode())
    for name, cells in NOTEBOOKS.items():
        document = {
            "cells": [
                {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
                | ({"outputs": [], "execution_count": None} if kind == "code" else {})
                for kind, source in cells
            ],
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 4,
        }
        (folder / "here" / f"{name}.ipynb").write_text(json.dumps(document))
    (folder / "here" / "a dir" / "ünï.v2.py").write_text("import os\n")
    (folder / "outside.py").write_text("x = '😀' == None\nimport os\n")


def rebuilt(folder: Path, plain: str, rdjson: str) -> list[Result]:
    """Ruff's findings as panicguard's results: from rdjson where they are in the text, from json the rest."""
    found: dict[str, list[Diagnostic]] = {}
    sources: dict[str, Source] = {}
    for said, placed in zip(json.loads(plain), json.loads(rdjson)["diagnostics"], strict=True):
        name = said["filename"]
        if name not in sources:
            path = os.path.relpath(name, folder)
            data = Path(name).read_bytes() if os.path.exists(name) else b""
            shown = name if path.startswith("..") else path
            sources[name] = Source.decode(shown, data, notebook=path.endswith(".ipynb"))
        found.setdefault(name, []).append(diagnostic(sources[name], said, placed))
    return [Result(sources[name], tuple(diagnostics)) for name, diagnostics in found.items()]


def diagnostic(source: Source, said: dict[str, Any], placed: dict[str, Any]) -> Diagnostic:
    def span(where: dict[str, Any]) -> tuple[int, int]:
        return tuple(source.offset(where[end]["line"], where[end]["column"]) for end in ("start", "end"))

    fix = None
    if said["fix"] is not None:
        edits = tuple(Edit(*span(s["range"]), s["text"]) for s in placed["suggestions"])
        fix = Fix(said["fix"]["message"], edits, Applicability(said["fix"]["applicability"]))
    start, end = span(placed["location"]["range"])
    row = said["noqa_row"]
    if row is not None and source.cells:
        cell = next(cell for cell in source.cells if cell.number == said["cell"])
        row += source.location(cell.start)[0] - 1
    return Diagnostic(said["code"], said["name"], said["message"], start, end, fix, row)


def without_foreign_titles(report: str, results: list[Result]) -> str:
    """Ruff's annotations without the titles of fixes that it does not have; panicguard has no such thing."""
    fixes = (d.fix for result in results for d in result.diagnostics)
    lines = report.splitlines(keepends=True)
    pairs = zip(lines, fixes, strict=True)
    return "".join(re.sub("%0A  help: .*", "", line) if fix is None else line for line, fix in pairs)


def renamed(name: str, report: str, results: list[Result]) -> str:
    """Ruff's report under panicguard's name, without its addresses and, for sarif, without its rules."""
    if name in ("json", "rdjson", "gitlab", "sarif"):
        document = json.loads(report)
        assert json.dumps(document, indent=2, ensure_ascii=False) == report
        return json.dumps(adapted(name, document), indent=2, ensure_ascii=False)
    if name == "full":
        return re.sub(r"^help: [^\n]*\n(?! *(?:\||::: cell \d+)\n)", "", report, flags=re.MULTILINE)
    if name == "json-lines":
        return re.sub(r'"url":"[^"]*"', '"url":null', report)
    if name == "github":
        return without_foreign_titles(report, results).replace("title=ruff (", "title=panicguard (")
    if name == "junit":
        return (
            report.replace('name="ruff"', 'name="panicguard"')
            .replace("org.ruff", "org.panicguard")
            .replace('classname="ruff"', 'classname="panicguard"')
        )
    return report


def adapted(name: str, document: Any) -> Any:
    if name == "json":
        return [one | {"url": None} for one in document]
    if name == "rdjson":
        for one in document["diagnostics"]:
            one["code"].pop("url", None)
        document["source"] = {"name": "panicguard"}
    if name == "gitlab":
        return [one | {"fingerprint": ""} for one in document]
    if name == "sarif":
        driver = document["runs"][0]["tool"]["driver"]
        del driver["informationUri"]
        driver |= {"name": "panicguard", "rules": [], "version": ""}
    return document


def ours(name: str, results: list[Result]) -> str:
    shown = [segment for piece in formats.render(results, name, unsafe=None) for segment in piece]
    if formats.FORMATS[name].people:
        shown += summary.summary(results, unsafe=None)
    report = text(shown)
    if name == "gitlab":
        report = re.sub(r'"fingerprint": "[0-9a-f]{16}"', '"fingerprint": ""', report)
    if name == "sarif":
        report = report.replace(f'"version": "{__version__}"', '"version": ""')
    return report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    write(folder)
    return folder / "here"


@pytest.fixture(scope="module", params=[FLAGS, PREVIEW], ids=["all", "cells"])
def found(folder: Path, request: pytest.FixtureRequest) -> tuple[tuple[str, ...], list[Result]]:
    """What to run Ruff with, and what it finds then."""
    plain, rdjson = (ruff(folder, "--output-format", name, *request.param) for name in ("json", "rdjson"))
    return request.param, rebuilt(folder, plain, rdjson)


def test_the_inputs_hold_what_the_formats_differ_in(found: tuple[tuple[str, ...], list[Result]]) -> None:
    places = [
        [result.source.place(offset) for offset in (d.start, d.end, *(e.start for e in (d.fix.edits if d.fix else ())))]
        for result in found[1]
        for d in result.diagnostics
    ]
    assert any(start.cell for start, *_ in places)
    if found[0] == PREVIEW:
        assert any(len({place.cell for place in edits}) > 1 for _, _, *edits in places)
        return
    fixes = [d.fix for result in found[1] for d in result.diagnostics if d.fix is not None]
    assert {fix.applicability for fix in fixes} == set(Applicability)
    assert any(end.row > start.row for start, end, *_ in places)
    assert {"a dir/ünï.v2.py", "missing.py", "bom.py"} <= {result.source.path for result in found[1]}
    assert any(result.source.path.startswith("/") for result in found[1])
    assert any(not d.is_rule for result in found[1] for d in result.diagnostics)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_a_report_is_as_ruff_prints_it(
    name: str, folder: Path, found: tuple[tuple[str, ...], list[Result]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)
    arguments, results = found
    expected = ruff(folder, "--output-format", name, *arguments)
    assert ours(name, results) == renamed(name, expected, results)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_a_clean_report_is_as_ruff_prints_it(name: str, folder: Path) -> None:
    expected = ruff(folder, "--select", "F", "--output-format", name, "clean.ipynb")
    assert ours(name, []) == renamed(name, expected, [])
