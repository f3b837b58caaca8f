"""Notebooks beside Ruff: the same cells, rows and texts for the same spans; and what a fix leaves as it was."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fixtures import FIXTURES
from panicguard import config, notebook
from panicguard.diagnostic import Diagnostic, Edit, Fix, Result
from panicguard.engine import check
from panicguard.fix import converge, fix
from panicguard.python.magics import Magics, as_python
from panicguard.report import diff, full
from panicguard.rule import rule_names
from panicguard.run.lint import lint_bytes
from panicguard.run.task import Does, Task
from panicguard.source import Cell, Place, Source
from panicguard.suppression import match

RUFF = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache"]
OURS = [sys.executable, "-m", "panicguard", "check", "--isolated"]
BOMB = "asyncio.create_task(h())"
"""What Ruff and panicguard both flag, with the same start."""
IMPORT = "import asyncio"
PYTHON = {"language_info": {"name": "python"}}
SETTINGS = config.default("")


def document(cells: list[Any], metadata: object = PYTHON) -> dict[str, Any]:
    """A notebook with the given cells: code as text, others as they are."""
    made = [
        {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": {}, "outputs": [], "source": cell}
        if isinstance(cell, str)
        else {"id": f"c{i}"} | cell
        for i, cell in enumerate(cells)
    ]
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def decoded(cells: list[Any]) -> Source:
    return Source.decode("a.ipynb", json.dumps(document(cells)).encode(), notebook=True)


def text(segments: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in segments)


def run(command: list[str], folder: Path, *arguments: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    done = subprocess.run([*command, *arguments], cwd=folder, input=stdin, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def ruff_json(folder: Path, select: str) -> dict[str, list[dict[str, Any]]]:
    """What Ruff finds, by the name of the file."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(run(RUFF, folder, "--select", select, "--output-format", "json", ".")[1]):
        found.setdefault(Path(each["filename"]).name, []).append(each)
    return found


# Which lines and cells are Python

LINES = [
    "%magic", "  %magic", "!ls", "!!ls", "?x", "??x", "x?", "x??", "x.y?", "x[0]?", "x ?", "x?  ", "x? # c", "f(1)?",
    "%x?", "!ls?", "x???", "x = !ls", "x = %time y", "x, y = !ls", "x.a = !ls", "x: int = !ls", "a = b = !ls", "x=!ls",
    "x =! ls", "x = !", "x = %", "x = !!ls", "x = %%time", "x += !ls", "x == !ls", "f(x=!ls)", "x = (!ls)", "x = 5 % 3",
    "x != 3", "x = y?", "x = ?y", "x = /f", "print(x?)", "x = 1; !ls", "if 1: %time x", "lambda: !ls", "%", "!", "?",
    "/f x", ",f a b", ";f a b", "  ;f a", "!echo \"it's", "!ls # noqa \\", "!ls \\\n  foo 'x", "%time \\\n foo(",
    "x = !ls \\\n  -la (", "x = \\\n!ls", "x = \\\n  1", "[\n%x\n]", "(\n!ls)", "x = [1,\n  !ls\n]", "(\n%x\n)?",
    "x = '''\n%a\n!ls\n'''", "x = '''\na?\n'''", "x = 'a?'", "x = f'{y = !r}'", "# what?", "x = 1 # b?",
    "if 1:\n    %time x", "if 1:\n    x = !ls\n    y?", "for i in x:\n    !ls\n    pass", "def f():\n    x = !ls",
    "if 1:\n    1\n!ls\nelse:\n    2", "@x\n%foo\ndef g(): pass", "%%time", "%%time x\n?x", "x\n%%time\ny = 2",
    "%%bash\necho it's", "x = 1\n%%bash\necho it's", "\n# c\n%%bash\necho it's", "  %%bash\necho it's", "%%!\nls it's",
    "%%", "a\n?\nb", "\tx = 1", "async?", "x\r\n!ls\r\ny?\r\nz = 1", "", "\n\n", "%time\r\n!ls",
    "f(\n  1, # what?\n  2)\n!ls '",
]  # fmt: skip
MAGICS = """capture debug ipytest prun pypy python python3 python2 time timeit bash sh html javascript js latex markdown
    perl ruby script sx system svg writefile file cython memit mprun lprun sql R julia cpp async cached""".split()
FIRST_LINES = """alias cd cat conda config debug edit env hist history load_ext ls magic pip precision print pwd run
    save store system time timeit who whos xmode foo""".split()
LENIENT = {
    "async?",
    "if 1:\n    1\n!ls\nelse:\n    2",
    "f(1)?",
    "x???",
    "(\n%x\n)?",
    "x = y?",
    "print(x?)",
    "@x\n%foo\ndef g(): pass",
}
"""What Ruff takes for a syntax error and panicguard does not."""


def noqa_row(source: Source, diagnostic: Diagnostic) -> int:
    assert diagnostic.noqa_row is not None
    return source.place(source.offset(diagnostic.noqa_row, 1)).row


def parses(source: Source) -> bool:
    try:
        ast.parse(as_python(source).text)
    except SyntaxError:
        return False
    return True


def test_what_is_python_is_what_is_python_to_ruff(tmp_path: Path) -> None:
    cases = [
        *LINES,
        *(f"%%{name} x\n{BOMB}" for name in MAGICS),
        *(f"{name} a b" for name in FIRST_LINES),
        *(f"{name} = 3" for name in FIRST_LINES),
        *FIRST_LINES,
        "time: int = 3",
        "time(3)",
        "pip install a==1\n1 1",
    ]
    here: dict[str, Source] = {}
    for index, case in enumerate(cases):
        cells = [IMPORT, {"cell_type": "markdown", "metadata": {}, "source": "# a"}, f"{case}\n{BOMB}", f"'é'; {BOMB}"]
        data = json.dumps(document(cells)).encode()
        (tmp_path / f"{index}.ipynb").write_bytes(data)
        here[f"{index}.ipynb"] = Source.decode(case, data, notebook=True)
    theirs = ruff_json(tmp_path, "RUF006")
    for name, source in here.items():
        found = check(source, SETTINGS)
        is_broken = any(each["code"] == "invalid-syntax" for each in theirs[name])
        assert is_broken == (not parses(source) or source.path in LENIENT), source.path
        if not is_broken:
            expected = [(e["cell"], *e["location"].values(), e["noqa_row"]) for e in theirs[name]]
            ours = [
                (place.cell, place.column, place.row, noqa_row(source, d))
                for d in found
                if (place := source.place(d.start))
            ]
            assert ours == expected, source.path


@hypothesis_settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(LINES), st.text("x=!%?,;/\\'\"#()[] \t\r\n"))))
def test_the_text_that_is_read_is_as_long_and_has_as_many_lines(cells: list[str]) -> None:
    source = decoded(cells)
    read = as_python(source)
    assert len(read.text) == len(source.text)
    assert read.line_starts == source.line_starts
    assert as_python(read) == read


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([IMPORT, "(asyncio", ".create_task(f()))", "z"], "PNC101"),
        ([IMPORT, f"{BOMB}\nx = '''\n", "y\n'''\n'''", "z"], "invalid-syntax"),
    ],
)
def test_what_is_found_in_a_cell_ends_in_it(cells: list[str], code: str) -> None:
    source = decoded(cells)
    [found] = check(source, SETTINGS)
    assert (found.code, found.fix) == (code, None)
    assert source.cell(found.start)[2] >= found.end
    [paragraph] = full.render([Result(source, (found,))], unsafe=None)
    assert "z" not in text(paragraph).replace("ipynb", "")


# What is a notebook

GOOD = document([f"{IMPORT}\n{BOMB}"])
CELL = GOOD["cells"][0]


def without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in mapping.items() if k != key}


NOTEBOOKS: dict[str, bytes | dict[str, Any]] = {
    "empty": b"",
    "blank": b"  \n",
    "text": b"hello",
    "list": b"[]",
    "object": b"{}",
    "number": b"4",
    "truncated": json.dumps(GOOD).encode()[:-5],
    "trailing": json.dumps(GOOD).encode() + b" x",
    "deep": b"[" * 100_000,
    "surrogate": document(["x = '\ud800'\n"]),
    "format 3": GOOD | {"nbformat": 3},
    "format 5": GOOD | {"nbformat": 5},
    "format as text": GOOD | {"nbformat": "4"},
    "metadata in a list": GOOD | {"metadata": []},
    "cells in an object": GOOD | {"cells": {}},
    "cell as text": GOOD | {"cells": ["x"]},
    **{f"no {key}": without(GOOD, key) for key in GOOD},
    **{f"cell without {key}": GOOD | {"cells": [without(CELL, key)]} for key in ("source", "cell_type", "id")},
    "unknown type": GOOD | {"cells": [CELL | {"cell_type": "heading"}]},
    **{f"source {value}": GOOD | {"cells": [CELL | {"source": value}]} for value in (3, None, [1], {})},
    "markdown without source": GOOD | {"cells": [CELL, {"cell_type": "markdown", "metadata": {}}]},
    **{
        f"metadata {value}": GOOD | {"metadata": value}
        for value in (
            {},
            *({"language_info": {"name": name}} for name in ("R", "python", "Python", "ipython")),
            *({"kernelspec": {"language": name, "name": "x", "display_name": "x"}} for name in ("R", "python")),
            {"kernelspec": {"name": "ir", "display_name": "x"}},
            {"kernelspec": {"language": "R"}, "language_info": {"name": "python"}},
            {"kernelspec": {"language": "python"}, "language_info": {"name": "R"}},
        )
    },
    **{
        f"cell's metadata {value}": GOOD | {"cells": [CELL | {"metadata": value}]}
        for value in ({"vscode": {"languageId": "sql"}}, {"vscode": {"languageId": "python"}}, {"tags": ["x"]})
    },
}


def test_what_is_a_notebook_is_one_to_ruff(tmp_path: Path) -> None:
    here = {}
    for index, (name, made) in enumerate(NOTEBOOKS.items()):
        data = made if isinstance(made, bytes) else json.dumps(made).encode()
        (tmp_path / f"{index}.ipynb").write_bytes(data)
        here[f"{index}.ipynb"] = (name, lint_bytes("a.ipynb", data, SETTINGS, Task()))
    theirs = ruff_json(tmp_path, "RUF006")
    for file, (name, result) in here.items():
        codes = {"PNC101": "RUF006", "invalid-syntax": "invalid-syntax"}
        ours = [(codes[d.code], *result.source.place(d.start)) for d in result.diagnostics]
        assert ours == [
            (e["code"], e["cell"], e["location"]["row"], e["location"]["column"]) for e in theirs.get(file, ())
        ], name


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        json.dumps(GOOD | {"unknown": 1}).encode(),
        json.dumps(GOOD | {"cells": [CELL | {"unknown": 1}]}).encode(),
        json.dumps(GOOD | {"metadata": {"kernelspec": {"name": "python3", "display_name": "x"}}}).encode(),
    ],
)
def test_what_ruff_does_not_read_but_could(data: bytes) -> None:
    result = lint_bytes("a.ipynb", data, SETTINGS, Task(Does.FIX))
    assert result.fixed == ("PNC101",)
    assert result.original is not None
    assert result.original.encode() == data


def test_bytes_that_are_not_utf_8_are_an_error_of_reading() -> None:
    [found] = lint_bytes("a.ipynb", b'{"a": "\xe9"}', SETTINGS, Task()).diagnostics
    assert (found.code, "line 1" in found.message) == ("io-error", True)


# Reports

SHOWN = [
    ["%matplotlib inline\nimport os\nimport sys", "%%bash\necho hi", "x = 1\nif x == None:\n    pass\nos?\ny = !pwd\n"],
    ["z = dict(\n  a=1,\n)\n", {"cell_type": "markdown", "metadata": {}, "source": ["# hi"]}, "%%timeit\nimport re\n"],
    ["import os\nos", "\n".join(f"x{i} = {i}" for i in range(12)) + "\nexit()"],
    ["\n".join(f"x{i} = {i}" for i in range(12)) + "\nexit()\n" + "y = 1\n" * 9 + "exit()", "z"],
    ["y", "", "x == None", "z\n\n"],
    ["x", "import os", "z = dict(\n  a=1,\n)", "x"],
]


def test_a_diff_is_as_ruff_prints_it_but_for_cells_that_stay(tmp_path: Path) -> None:
    for index, cells in enumerate(SHOWN):
        (tmp_path / f"{index}.ipynb").write_text(json.dumps(document(cells)))
    old = {path: Source.decode(path.name, path.read_bytes(), notebook=True) for path in tmp_path.iterdir()}
    flags = ("--select", "F401,E711,C408,PLR1722", "--unsafe-fixes", ".")
    expected = run(RUFF, tmp_path, *flags, "--diff")[1]
    run(RUFF, tmp_path, *flags, "--fix")
    found = [Result(Source.decode(p.name, p.read_bytes(), notebook=True), (), ("F401",), old[p]) for p in old]
    headers = re.compile(r"^--- .*\n\+\+\+ .*\n(?=--- |\n|\Z)", re.MULTILINE)

    def by_file(report: str) -> list[str]:
        return sorted(part for part in headers.sub("", report).split("\n\n") if part.startswith("---"))

    assert by_file(text(diff.diff(found))) == by_file(expected)


def test_a_warning_names_the_cell() -> None:
    source = decoded(
        ["x = 1", "!ls  # noqa: PNC101: y\nx = 2  # noqa: PNC101: y", "x = 3  # panicguard: nothing[PNC101]"]
    )
    said = match.warnings(source, rule_names())
    assert [re.search(r"a\.ipynb:(.*?): ", each)[1] for each in said] == ["cell 2:2", "cell 3:1"]  # type: ignore[index]


# Fixes

VALUES = [
    ('"a\\nb"', "a\nc", '"a\\nc"'),
    ('["a\\n", "b"]', "a\nc", '["a\\n", "c"]'),
    ('["a\\n","b"]', "a\nx\nb", '["a\\n","x\\n","b"]'),
    ('[\n  "a\\n",\n  "b"\n ]', "x\nb", '[\n  "x\\n",\n  "b"\n ]'),
    ('[\n  "b"\n ]', "x\nb", '[\n  "x\\n",\n  "b"\n ]'),
    ('["b"]', "x\nb", '["x\\n", "b"]'),
    ('["b"]', "", "[]"),
    ("[]", "x\ny", '["x\\n", "y"]'),
    ('["\\u00e9\\n", "b"]', "\xe9\n\xe9", '["\\u00e9\\n", "\\u00e9"]'),
    ('["\xe9\\n", "b"]', "\xe9\n\xe8", '["\xe9\\n", "\xe8"]'),
    ('["\\u0061\\n", "b"]', "a\nc", '["\\u0061\\n", "c"]'),
    ('["a\\nb\\n", "", "c"]', "a\nb\nd", '["a\\n", "b\\n", "d"]'),
    ('["a\\n", "a\\n", "a\\n"]', "a\na\n", '["a\\n", "a\\n"]'),
]


@pytest.mark.parametrize(("value", "changed", "expected"), VALUES)
def test_a_source_is_written_in_the_manner_it_was_kept(value: str, changed: str, expected: str) -> None:
    def whole(value: str) -> str:
        cell = f'{{"cell_type": "code", "source": {value}, "metadata": {{"source": [1]}}}}'
        return f' {{"cells": [{{"cell_type": "raw", "source": []}}, {cell}], "nbformat": 4 }}\r\n'

    assert notebook.write(whole(value), {2: changed}) == whole(expected)
    assert notebook.write(whole(value), {2: "".join(json.loads(value))}) == whole(value)


CELLS = [
    "x = '''\n%a\n'''", "%load_ext x", "# a", "", "\n", "!ls 'x", "await f()", "async def f():\n    pass\n",
    "%%time\nx = 1", "%%bash\nasyncio.create_task(f())", f"%%timeit\n{BOMB}", IMPORT, f"{IMPORT}\n",
    "import os\nx = !ls", f"{BOMB}", f"{BOMB}\n", f"if x:\n    %time y\n    {BOMB}\n?x",
    f"x = !ls 'é\\\n(\n{BOMB}  # 'é\n!ls", f"{BOMB};x?",
    "x = 1  # noqa: PNC101", "# panicguard: ignore[PNC101]", "# panicguard: file-ignore[PNC303]\n", "pip install x",
    f"import re\r\n{BOMB}\r\n", "'doc'\n%matplotlib inline", "import threading\nthreading.Thread(target=f).start()",
    {"cell_type": "markdown", "metadata": {}, "source": "# asyncio.create_task(é)"}, "from a import (\n    b\n)\n%x",
]  # fmt: skip
MARK = "<source of {}>"


@hypothesis_settings(deadline=None)
@given(
    st.lists(st.sampled_from(CELLS), max_size=6).map(lambda cells: [IMPORT, *cells]),
    st.sampled_from([None, 1, 4]),
    st.sampled_from([(",", ":"), (", ", ": "), (",", ": ")]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "\n", "\r\n \n"]),
)
def test_a_fix_touches_only_the_sources_of_changed_cells(
    cells: list[Any], indent: int | None, separators: tuple[str, str], escaped: bool, as_list: bool, end: str
) -> None:
    def dump(value: object, level: int = 0) -> str:
        made = json.dumps(value, indent=indent, separators=separators, ensure_ascii=escaped)
        return made.replace("\n", "\n" + " " * level * (indent or 0))

    made = document(cells)
    values = []
    for index, cell in enumerate(made["cells"]):
        source = cell["source"]
        values.append(dump(notebook.lines(source) if as_list else source, level=3))
        cell["source"] = MARK.format(index)
    template = dump(made) + end
    whole = template
    for index, value in enumerate(values):
        whole = whole.replace(json.dumps(MARK.format(index)), value)
    data = whole.encode()
    original = Source.decode("a.ipynb", data, notebook=True)
    assert original.encode() == data

    result = fix(original, SETTINGS, unsafe=True)
    assert all(d.is_rule for d in result.diagnostics)
    fixed = result.source.encode().decode()
    pattern = re.escape(template)
    for index in range(len(values)):
        pattern = pattern.replace(re.escape(json.dumps(MARK.format(index))), rf"(?P<v{index}>.*?)")
    found = re.fullmatch(pattern, fixed, re.DOTALL)
    assert found, fixed
    for index, value in enumerate(values):
        before, after = ("".join(json.loads(json_text)) for json_text in (value, found[f"v{index}"]))
        if before == after:
            assert found[f"v{index}"] == value
        else:
            assert original.cell_texts[index + 1] == before
            magics = re.compile(r"^[ \t]*(?:[%!?].*|x = !.*)|.*\?$", re.MULTILINE)
            assert magics.findall(after) == magics.findall(before)
            assert after.startswith("%%") == before.startswith("%%")
            assert "%%timeit" not in before
    nbformat.validate(json.loads(fixed))
    again = fix(result.source, SETTINGS, unsafe=True)
    assert not again.fixed
    assert result.source.place(0) == Place(result.source.cells[0].number, 1, 1)


@pytest.mark.parametrize(
    ("cells", "fixed"),
    [
        ([f"{IMPORT}", BOMB], f"{IMPORT}\n\nMRUNTIME"),
        ([f"{IMPORT}\n", BOMB], f"{IMPORT}\n\nMRUNTIME\n"),
        ([f"%%time\n{IMPORT}", BOMB], f"%%time\n{IMPORT}\n\nMRUNTIME"),
        ([f"%%time\nx = 1\n{IMPORT}", BOMB], f"%%time\nMRUNTIME\n\nx = 1\n{IMPORT}"),
        ([f"'doc'\n%load_ext x\n{IMPORT}\n%y", BOMB], f"'doc'\n%load_ext x\n{IMPORT}\n\nMRUNTIME\n%y"),
        ([f"%load_ext x\n{IMPORT}\nimport pandas\nx?", BOMB], f"%load_ext x\n{IMPORT}\nimport pandas\nMRUNTIME\nx?"),
        ([f"{IMPORT}\n{BOMB}"], f"{IMPORT}\n\nMRUNTIME\n\nSPAWN"),
        (["%load_ext x", f"{IMPORT}", BOMB], "%load_ext x"),
    ],
)
def test_the_import_goes_where_a_reader_looks_for_it(cells: list[str], fixed: str) -> None:
    result = fix(decoded(cells), SETTINGS)
    assert "PNC101" in result.fixed
    expected = fixed.replace("MRUNTIME", "from panicguard import mruntime")
    expected = expected.replace("SPAWN", 'mruntime.SafeGo("h", mruntime.KeepRunning, h())')
    assert result.source.cell_texts[1] == expected


@pytest.mark.parametrize("magic", ["timeit", "python", "python3", "pypy"])
def test_a_cell_whose_names_are_its_own_gets_no_fix(magic: str) -> None:
    source = decoded([f"%%{magic}\n{IMPORT}\n{BOMB}", BOMB])
    found = check(source, SETTINGS)
    assert [(d.code, d.fix, source.place(d.start)) for d in found] == [
        ("PNC101", None, Place(1, 3, 1)),
        ("PNC101", None, Place(2, 1, 1)),
    ]


@pytest.mark.parametrize(
    ("start", "end", "content", "allowed"),
    [
        (0, 1, "b", True),  # a\nb\n | %x\nc\n | %%timeit\nd\n
        (0, 4, "", True),
        (2, 4, "", True),
        (3, 4, "", False),
        (3, 4, "\n", True),
        (2, 5, "", False),
        (4, 4, "z\n", False),
        (4, 7, "", False),
        (5, 5, "z", False),
        (7, 7, "z", True),
        (7, 9, "", True),
        (7, 10, "", False),
        (9, 9, "z\n", False),
        (20, 20, "z", False),
    ],
)
def test_an_edit_stays_in_its_cell_and_off_the_magics(start: int, end: int, content: str, allowed: bool) -> None:
    source = decoded(["a\nb", "%x\nc", "%%timeit\nd"])
    assert source.cells == (Cell(0, 1), Cell(4, 2), Cell(9, 3))
    assert Magics(source).are_left_by(Fix("", (Edit(start, end, content),))) == allowed


def test_a_magic_below_stays_on_its_own_line() -> None:
    source = decoded(["a\n%x\nb"])
    for start, end, content, allowed in ((2, 2, "z\n", True), (2, 2, "z", False), (0, 2, "", True), (1, 2, "", False)):
        assert Magics(source).are_left_by(Fix("", (Edit(start, end, content),))) == allowed


@pytest.mark.parametrize(("content", "is_right"), [("b", True), ("nonlocal b", False)])
def test_a_cell_may_await_and_must_compile_after_a_fix(content: str, is_right: bool) -> None:
    source = decoded(["await f()\nasync with x:\n    pass", "!ls\na"])

    def check_for_a(source: Source) -> tuple[Diagnostic, ...]:
        at = source.text.find("\na\n") + 1
        return (Diagnostic("PNC101", "", "", at, at + 1, Fix("", (Edit(at, at + 1, content),))),) if at else ()

    result = converge(source, check_for_a)
    assert result.fixed == (("PNC101",) if is_right else ())
    assert [d.code for d in result.diagnostics] == ([] if is_right else ["PNC101", "internal-error"])
    assert result.source.cell_texts[2] == ("!ls\nb" if is_right else "!ls\na")


# The command line


def test_notebooks_are_found_read_and_fixed_where_they_are(tmp_path: Path) -> None:
    data = (FIXTURES / "PNC101" / "notebook.ipynb").read_bytes()
    golden = (FIXTURES / "PNC101" / "notebook.fixed.ipynb").read_bytes()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "a.ipynb").write_bytes(data)
    (tmp_path / "notebook.ipynb").write_bytes(data)
    code, out, _ = run(OURS, tmp_path, "--fix")
    assert (code, out.count("PNC101 ")) == (1, 1)
    assert "Found 3 errors (2 fixed, 1 remaining)." in out
    assert (tmp_path / "notebook.ipynb").read_bytes() == golden
    assert (tmp_path / ".ipynb_checkpoints" / "a.ipynb").read_bytes() == data


def test_standard_input_is_a_notebook_if_it_is_called_one(tmp_path: Path) -> None:
    data = (FIXTURES / "PNC101" / "notebook.ipynb").read_bytes()
    golden = (FIXTURES / "PNC101" / "notebook.fixed.ipynb").read_bytes()
    code, out, err = run(OURS, tmp_path, "--stdin-filename", "notebook.ipynb", "--fix", stdin=data)
    assert (code, out.encode()) == (1, golden)
    assert "notebook.ipynb:cell 7:2:1" in err
    code, out, err = run(OURS, tmp_path, "--stdin-filename", "notebook.ipynb", "--fix", "-", stdin=b"hello")
    assert (code, out, "invalid-syntax" in err) == (1, "hello", True)
    code, out, err = run(OURS, tmp_path, "--stdin-filename", "x.nb", "--extension", "nb:ipynb", "--diff", stdin=data)
    assert (code, out.startswith("--- x.nb:cell 2\n+++ x.nb:cell 2\n@@ ")) == (1, True)


def test_extensions_are_read_as_the_flag_or_the_configuration_says(tmp_path: Path) -> None:
    data = json.dumps(GOOD)
    for name in ("a.one", "b.two", "c.ipynb"):
        (tmp_path / name).write_text(data)
    (tmp_path / "d.stub").write_text(f"{IMPORT}\n{BOMB}\n")

    def flagged(command: list[str], *arguments: str) -> set[str]:
        _, out, err = run(command, tmp_path, *arguments, "--select", "ALL", "--config", "exclude=[]", ".")
        assert "failed" not in err
        return set(re.findall(r"^ *--> (\w\.\w+)", out, re.MULTILINE))

    ours, theirs = ([*command[:-1], "--select", "ALL"] for command in (OURS, [*RUFF[:-1], "--isolated"]))
    for arguments, expected in (
        ((), {"c.ipynb"}),
        (("--extension", "one:ipynb"), {"a.one", "c.ipynb"}),
        (("--extension", "one:ipynb", "--extension", "two:IPYNB"), {"a.one", "b.two", "c.ipynb"}),
        (("--extension", "stub:python"), {"c.ipynb", "d.stub"}),
    ):
        assert flagged(ours, *arguments) == expected
        assert flagged(theirs, *arguments) == expected
    assert flagged(ours, "--extension", "stub:pyi") == {"c.ipynb"}
    assert flagged(ours, "--extension", "ipynb:python") == set()

    for name in ("ruff.toml", "panicguard.toml"):
        (tmp_path / name).write_text('extension = { one = "ipynb" }\n')
    ours, theirs = ([argument for argument in command if argument != "--isolated"] for command in (ours, theirs))
    for arguments, expected in (
        ((), {"a.one", "c.ipynb"}),
        (("--extension", "two:ipynb"), {"b.two", "c.ipynb"}),
        (("--config", 'extension = { two = "ipynb" }'), {"b.two", "c.ipynb"}),
    ):
        assert flagged(ours, *arguments) == expected
        assert flagged(theirs, *arguments) == expected


@pytest.mark.parametrize("value", ["a", "a:b", "a:", "a:python:c", "a:rust"])
def test_an_extension_needs_a_language_that_is_known(tmp_path: Path, value: str) -> None:
    assert run(RUFF, tmp_path, "--extension", value)[0] == 2
    code, _, err = run(OURS, tmp_path, "--extension", value)
    assert code == 2
    assert "'--extension <EXTENSION>'" in err
    assert "ipynb" in err


def test_the_setting_needs_a_language_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "panicguard.toml").write_text('extension = { a = "python", b = "rust" }\n')
    code, _, err = run(OURS[:-1], tmp_path)
    assert code == 2
    assert "unknown variant `rust`, expected one of `python`, `pyi`, `ipynb`, `go`" in err
    assert "line 1, column 33" in err
