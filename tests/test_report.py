"""The output formats against Ruff's own: the same diagnostics must come out as the same bytes."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panicguard.diagnostic import Applicability, Diagnostic, Edit, Fix, Result
from panicguard.report import concise, diff, full, lines, paint, statistics, summary
from panicguard.report import json as json_report
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

RUFF = Path(sys.executable).parent / "ruff"
SELECT = "F,E,W,B,C4,UP,I,D,ERA,PLE,RUF,SIM,RET,PT,Q,COM,TC"
UNSAFE = {None: (), True: ("--unsafe-fixes",), False: ("--no-unsafe-fixes",)}


def ruff(cwd: Path, *arguments: str, stdin: str | None = None) -> str:
    """What Ruff writes to standard output, and its summary where that goes to standard error."""
    command: list[str | Path] = [RUFF, "check", "--isolated", "--no-cache", "--ignore", "F811", *arguments]
    data = None if stdin is None else stdin.encode()
    done = subprocess.run(command, cwd=cwd, input=data, capture_output=True, check=False)
    said = re.findall(r"^(?:Would fix|Fixed|No errors) .*\n", done.stderr.decode(), re.MULTILINE)
    return done.stdout.decode() + "".join(said)


def results(objects: list[dict[str, Any]], cwd: Path) -> list[Result]:
    """Ruff's JSON as panicguard's results."""
    by_file: dict[str, list[dict[str, Any]]] = {}
    for found in objects:
        by_file.setdefault(found["filename"], []).append(found)
    made = []
    for name, found_here in by_file.items():
        source = Source.decode(os.path.relpath(name, cwd), Path(name).read_bytes())
        made.append(Result(source, tuple(diagnostic(found, source) for found in found_here)))
    return made


def diagnostic(found: dict[str, Any], source: Source) -> Diagnostic:
    start, end = offset(source, found["location"]), offset(source, found["end_location"])
    fix = None
    if found["fix"] is not None:
        edits = [
            Edit(offset(source, e["location"]), offset(source, e["end_location"]), e["content"])
            for e in found["fix"]["edits"]
        ]
        fix = Fix(found["fix"]["message"], tuple(edits), Applicability(found["fix"]["applicability"]))
    return Diagnostic(found["code"], found["name"], found["message"], start, end, fix, found["noqa_row"])


def offset(source: Source, location: dict[str, int]) -> int:
    return source.offset(location["row"], location["column"])


def text(segments: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in segments)


def joined(pieces: Iterable[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    return [segment for piece in pieces for segment in piece]


def without_titles(report: str) -> str:
    """Ruff prints the title of a fix that it does not have; panicguard has no such thing."""
    return re.sub(r"^help: [^\n]*\n(?! *\|\n)", "", report, flags=re.MULTILINE)


# fmt: off
# ruff: noqa: E501, RUF001 (sources whose newlines and odd characters are the point)
CASES: dict[str, str] = {
    "plain": "import os\nfrom typing import List, Optional\n\n\ndef f(x: Optional[int], y=[]):\n    z = x == None\n    return dict(\n        a=1,\n    )\n",
    "tabs": "if True:\n\tx = 1\t# a\n\tif x == None:\n\t\tz = [\t1,\n\t\t\t2 ] == None\n\n",
    "wide": 'x = 1\ny = ("日本語", x == None)\nz = ("👨\u200d👩 é e\u0301 한", x == None, "ｗ" == None)\n',
    "control": 'x = "a\x7fb\x1b" == None\nz = "\u202e" == None\nw = "\x0c" == None  # \u200b\n',
    "bell": "x = 1\x07 # \x1b\u202e\ny = 2\n",
    "crlf": "import os\r\nimport sys\r\nx = 1\r\nif x == None:\r\n    y = dict(\r\n        a=1\r\n    )\r\n    print()  \r\n",
    "cr": "import os\rx = 1\rif x == None:\r    pass\r",
    "mixed newlines": "import os\r\nx = 1\nif x == None:\r\n    print(x) \rimport sys\n",
    "syntax error": "import os\ndef f(:\n    pass\n",
    "open bracket": "x = (\n",
    "open bracket without newline": "x = (1,",
    "open string": "x = 'abc\ny = 2\n",
    "open triple": "x = 1\ny = '''abc\n\n",
    "bad indent": "if x:\npass\n  y = 1\n",
    "empty": "",
    "blank": "\n\n\n",
    "blank with spaces": "x = 1\n\n   \n\t\n",
    "no newline": "import os",
    "no newline after blank": "x = 1\n\n\n  ",
    "bom": "\ufeffimport os\nx = 1 == None\n",
    "form feed": "x = 1\n\x0c\nif x == None:\n    pass\n",
    "long lines": "x = 1\nif x == " + "1 and x == " * 60 + "None: pass\nimport os; " + "y = 1; " * 60 + "\n",
    "long wide": 'x = 1\ny = "' + "日本" * 80 + '", x == None, "' + "語" * 80 + '"\n',
    "long odd wide": 'x = 1\ny = " ' + "日本" * 80 + '", x == None, "' + "語a" * 80 + '"\n',
    "long tabs": "x = 1\nif x:\n\t" + "y = 1;\t" * 30 + "x == None\n",
    **{
        f"long tab {n}": "x = 1\ny = '" + "\t" * 60 + "a" * n + "', x == None, '" + "\t" * 60 + "'\n"
        for n in range(2, 6)
    },
    **{
        f"long wide {n}": "x = 1\ny = '" + "a" * n + "日本語\u200b" * 20 + "', x == None, '" + "日本語\u200b" * n + "'\n"
        for n in (2, 15, 16, 17, 18, 20)
    },
    "open bracket and blanks": "x = (\n\n  \n",
    "open bracket and crlf": "x = (\r\n\r\n",
    "bom inside": "x = '\ufeff' == None\n",
    "deep": "x = 1\n" + "".join(f"{'    ' * i}if x:\n" for i in range(12)) + "    " * 12 + "x == None\n",
    "deep long": "x = 1\n" + "".join(f"{'    ' * i}if x:\n" for i in range(12)) + "    " * 12 + "x == None, " * 30 + "\n",
    "long multi": "x = 1\nz = x == " + "1 == x, " * 30 + "dict(\n    a=1,\n    b=" + "1 + " * 50 + "1,\n)\n",
    "tall": "x = dict(\n" + "".join(f"    a{i}={i},\n" for i in range(120)) + ")\n\n\n\nimport os\n",
    "tall import": "import os\n" + "".join(f"import a{i}\n" for i in reversed(range(30))) + "\n\nx = 1\n",
    "far edits": "from typing import List\nimport os\n"
    + "".join(f"x{i} = {i}\n" for i in range(20))
    + "def f(a=[], b={}):\n    '''Doc.'''\n    return a\n"
    + "".join(f"y{i} = {i}\n" for i in range(90))
    + "z: List[List[int]] = []\n",
    "repeated": "def f(x):\n    if x:\n        return 1\n    else:\n        return 1\n    pass\n\n\ndef f(x):\n    pass\n    pass\n    pass\n",
    "docstrings": 'def f():\n    """ doc"""\n\n\n    x = 1\n    return x\n\n\nclass A:\n\n    \'\'\'Doc\n      more.\n    \'\'\'\n    x = {1: 2, 1: 3}\n',
    "commented": "x = 1\n# y = 2\n# print(x)\nz = 3\n",
    "multi end": "x = [\n    1,\n    2] == None\nfor i in dict(\n    a=1).keys():\n    try:\n        pass\n    except:\n        pass\n",
    "imports": "import sys, os\nfrom b import (\n    x,\n    y\n)\nfrom a import *\n\nimport c\nfrom __future__ import annotations\n",
    "strings": "a = 'x' + \"y\"\nb = '%s %s' % (a, a)\nc = '{} {}'.format(a, a)\nd = f'abc'\ne = set([1, 2])\n",
    "simplify": "def f(a, b):\n    if a:\n        if b:\n            return True\n    if a == b:\n        return True\n    else:\n        return False\n",
}
# fmt: on


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, name: str) -> list[Result]:
    (folder / "case.py").write_bytes(CASES[name].encode())
    return results(json.loads(ruff(folder, "--select", SELECT, "--output-format", "json", ".")), folder)


@pytest.mark.parametrize("unsafe", UNSAFE)
@pytest.mark.parametrize("name", CASES)
def test_text_is_as_ruff_prints_it(folder: Path, name: str, unsafe: bool | None) -> None:
    found = written(folder, name)
    for output, report in (("full", full.render), ("concise", concise.render)):
        expected = ruff(folder, "--select", SELECT, "--output-format", output, *UNSAFE[unsafe], ".")
        ours = text(joined(report(found, unsafe=unsafe))) + text(summary.summary(found, unsafe=unsafe))
        assert ours == without_titles(expected)


@pytest.mark.parametrize("name", CASES)
def test_json_is_as_ruff_prints_it(folder: Path, name: str) -> None:
    found = written(folder, name)
    expected = ruff(folder, "--select", SELECT, "--output-format", "json", ".")
    assert json_report.render(found) == re.sub(r'"url": .*', '"url": null', expected)


@pytest.mark.parametrize("unsafe", UNSAFE)
@pytest.mark.parametrize("name", CASES)
def test_statistics_are_as_ruff_prints_them(folder: Path, name: str, unsafe: bool | None) -> None:
    found = written(folder, name)
    arguments = ("--select", SELECT, "--statistics", *UNSAFE[unsafe], ".")
    ours = statistics.statistics_text(found, unsafe=unsafe)
    assert text([*ours, *summary.summary(found, unsafe=unsafe, statistics=True)]) == ruff(folder, *arguments)
    expected = ruff(folder, *arguments, "--output-format", "json")
    assert statistics.statistics_json(found, unsafe=unsafe) == expected


FIXES = {
    "fixed": ("--fix", "--show-fixes"),
    "fixed with unsafe ones": ("--fix", "--show-fixes", "--unsafe-fixes"),
    "without a mention": ("--fix", "--show-fixes", "--no-unsafe-fixes"),
}
UNSETTLED = {"multi end", "tabs"}
"""Where Ruff's own fixes undo one another, so that what it says depends on when it gives up."""
FIXABLE = "F,E,W,B,C4,UP,I,RUF,SIM,RET,PT,Q,COM"


def refixed(folder: Path, *arguments: str) -> list[Result]:
    """What Ruff fixed and what it left, as panicguard's results; the files are then fixed."""
    files = sorted(folder.rglob("*.py"))
    originals = {path: Source.decode(str(path.relative_to(folder)), path.read_bytes()) for path in files}
    report = ruff(folder, "--select", FIXABLE, "--output-format", "concise", *arguments, ".")
    fixed: dict[str, list[str]] = {}
    for line in report.split("\n"):
        if header := re.fullmatch(r"- (.*):", line):
            codes = fixed.setdefault(header[1], [])
        elif count := re.fullmatch(r" +(\d+) \S (\S+) \(.*\)", line):
            codes += [count[2]] * int(count[1])
    left = {
        r.source.path: r
        for r in results(json.loads(ruff(folder, "--select", FIXABLE, "--output-format", "json", ".")), folder)
    }
    return [
        Result(
            Source.decode(original.path, path.read_bytes()),
            left[original.path].diagnostics if original.path in left else (),
            tuple(fixed.get(original.path, ())),
            original if original.path in fixed else None,
        )
        for path, original in originals.items()
    ]


def names(folder: Path) -> dict[str, str]:
    found = json.loads(ruff(folder, "--select", FIXABLE, "--statistics", "--output-format", "json", "."))
    return {entry["code"]: entry["name"] for entry in found if entry["code"]}


def by_file(report: str) -> list[str]:
    """The diffs of a report, and its summary: Ruff prints the files in the order in which they are ready."""
    *diffs, summary_line = re.split(r"^(?=--- |Would fix |No errors )", report, flags=re.MULTILINE)
    return [*sorted(diffs), summary_line]


def without_order(report: str) -> list[str]:
    """A report up to the order of the rules that were fixed equally often, which Ruff leaves to chance."""
    found = re.split(r"(?<=\n)", report)
    runs = itertools.groupby(found, key=lambda line: (m := re.match(r" +\d+ \S ", line)) and m[0])
    return [line for same, run in runs for line in (sorted(run) if same else run)]


def all_cases(folder: Path) -> None:
    for name in CASES.keys() - UNSETTLED:
        (folder / f"{name.replace(' ', '_')}.py").write_bytes(CASES[name].encode())


@pytest.mark.parametrize("arguments", FIXES.values(), ids=FIXES)
def test_what_was_fixed_is_as_ruff_prints_it(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "twin").mkdir()
    all_cases(folder)
    all_cases(folder / "twin")
    unsafe = True if "--unsafe-fixes" in arguments else False if "--no-unsafe-fixes" in arguments else None
    expected = ruff(folder / "twin", "--select", FIXABLE, "--output-format", "concise", *arguments, ".")
    for path in (folder / "twin").iterdir():
        path.unlink()
    known = names(folder)
    found = refixed(folder, *arguments)
    ours = [
        *joined(concise.render(found, unsafe=unsafe)),
        *summary.show_fixes(found, known),
        *summary.summary(found, unsafe=unsafe),
    ]
    assert without_order(text(ours)) == without_order(expected)


@pytest.mark.parametrize("unsafe", UNSAFE)
@pytest.mark.parametrize("name", [*CASES, None])
def test_a_diff_and_fix_only_are_as_ruff_prints_them(folder: Path, name: str | None, unsafe: bool | None) -> None:
    if name is None:
        all_cases(folder)
    else:
        (folder / "case.py").write_bytes(CASES[name].encode())
    expected = ruff(folder, "--select", FIXABLE, "--diff", *UNSAFE[unsafe], ".")
    found = refixed(folder, "--fix", "--show-fixes", *UNSAFE[unsafe])
    ours = diff.diff(found) + summary.summary(found, mode="diff", unsafe=unsafe)
    assert by_file(text(ours)) == by_file(expected)
    for result in found:
        Path(result.source.path).write_bytes((result.original or result.source).encode())
    only = ruff(folder, "--select", FIXABLE, "--fix-only", *UNSAFE[unsafe], ".")
    assert text(summary.summary(found, mode="fix-only", unsafe=unsafe)) == only


def test_standard_input_has_no_header_in_a_diff_and_no_path_in_json() -> None:
    old, new = Source("-", "import os\nx = 1"), Source("-", "x = 1")
    found = [Result(new, (Diagnostic("PNC101", "a-rule", "m", 0, 1),), ("F401",), old)]
    assert text(diff.diff(found)) == "@@ -1,2 +1 @@\n-import os\n x = 1\n\\ No newline at end of file\n\n"
    assert json.loads(json_report.render(found))[0]["filename"] == "-"


def test_what_is_no_rule_has_a_colon_and_no_snippet_at_the_start() -> None:
    found = [Result(Source("a.py", ""), (Diagnostic("io-error", "io-error", "No such file", 0, 0),))]
    assert text(joined(full.render(found, unsafe=None))) == "io-error: No such file\n--> a.py:1:1\n\n"
    assert text(joined(concise.render(found, unsafe=None))) == "a.py:1:1: io-error: No such file\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("color", "terminal", "environment", "colored"),
    [
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
    ],
)
def test_colors(
    monkeypatch: pytest.MonkeyPatch, color: str, terminal: bool, environment: dict[str, str], colored: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    segments = [("a", "code"), (": b\n", ""), ("c", "unheard of")]
    painted = paint.paint(segments, color, Terminal() if terminal else io.StringIO())
    assert ("\x1b[" in painted) == colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == "a: b\nc"


@pytest.mark.parametrize("name", CASES)
def test_colors_add_nothing_but_escapes_and_every_style_is_known(folder: Path, name: str) -> None:
    found = written(folder, name)
    segments = [*joined(full.render(found, unsafe=None)), *summary.summary(found, unsafe=None)]
    assert {style for _, style in segments} <= {"", *paint.STYLES}
    painted = paint.paint(segments, "always", io.StringIO())
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == text(segments)


@given(st.lists(st.sampled_from("abc\n"), max_size=30), st.lists(st.sampled_from("abc\n"), max_size=30))
def test_a_line_diff_says_what_became_what(old: list[str], new: list[str]) -> None:
    rebuilt = []
    at = 0
    for op in (op for group in lines.groups(old, new, 0, joined=0) for op in group):
        rebuilt += old[at : op.old]
        assert len(rebuilt) == op.new
        rebuilt += new[op.new : op.new_end]
        at = op.old_end
    assert rebuilt + old[at:] == new
