"""Suppression comments row by row beside Ruff: the same comment with each program's own codes, on what it finds. All
rows are files of one Ruff run; a second one, which ignores all comments, shows what there is to suppress."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from panicguard.diagnostic import Diagnostic
from panicguard.fix import apply
from panicguard.source import Source
from panicguard.suppression import match

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
pytestmark = pytest.mark.skipif(RUFF is None, reason="needs ruff")

# F401 is found on `import spawn`, F821 on the name `spawn`, C408 on a whole `dict(a=1)`, E711 nowhere; E712 is off.
OURS = {"F401": "PNC101", "F821": "PNC102", "C408": "PNC103", "E711": "PNC104", "E712": "PNC105", "RUF100": "PNC900"}
RULES = {
    "PNC101": "bare-import",
    "PNC102": "bare-name",
    "PNC103": "bare-call",
    "PNC104": "bare-nothing",
    "PNC105": "bare-other",
    "PNC900": "unused-suppression",
}
ENABLED = frozenset(RULES) - {"PNC105"}
SELECT = "--select=F401,F821,C408,E711,RUF100"
WORDS = OURS | {"F4": "PNC1", "f401": "pnc101", "ruff": "panicguard", "RUFF": "PANICGUARD", "Ruff": "Panicguard"}


def translated(text: str) -> str:
    return re.sub("|".join(sorted(WORDS, key=len, reverse=True)), lambda m: WORDS[m[0]], text)


class Row(NamedTuple):
    """A file for Ruff, and how panicguard deliberately differs."""

    text: str
    differs: str = ""


NAMES = "names beside codes"
PREFIXES = "prefixes for a whole file"
LINES = "the first or the last line of a call over several"
BRACKETS = "ranges within brackets"
PARTIAL = "an `enable` for part of a `disable`"
BROKEN = "a broken noqa does not hide the next"

INLINE = [
    *(
        Row(f"import spawn  {comment}\n")
        for comment in """
# noqa
#noqa
# NoQA
##  noqa
# noqa F401
# noqa reason
# noqa - why
# noqa: F401
#noqa:F401
# noqa : F401
# NOQA: F401
# noqa:\tF401
# noqa:\N{NO-BREAK SPACE}F401
# noqa: E711,F401
# noqa: E711 F401
# noqa: E711, F401
# noqa: E711,,F401
# noqa: E711 , F401
# noqa: ,F401
# noqa: E711F401
# noqa: F401 text
# noqa: F401 - text
# noqa: F401 # text
# noqa: F401,reason
# noqa: F401#abc
# noqa: F401: why
# noqa: F401some
# noqa: E711;F401
# noqa: F401Xabc
# noqa:
# noqa: f401
# noqa: F
# noqa: ALL
# noqa: unused-import
# noqa: [F401]
# noqa[F401]
# noqa: (F401)
# noqa(F401)
# noqa,
# noqa;
# noqa.
# noqa-F401
# noqareason
# noqa: F4
# noqa: F4011
# noqa: ZZZ999
# noqa: ZZZ999, F401
# nosec # noqa: F401
# nosec noqa
# x noqa
#:noqa
# noqa: E711 # noqa: F401
# noqa: F401 # noqa: E711
# noqa: F401, F401
""".strip().splitlines()
    ),
    Row('x = "# noqa"; import spawn\n'),
    Row('x = """\n# noqa: F401"""; import spawn\n'),
    Row("import spawn# noqa: F401\n"),
    Row("import spawn # noqa: F401\n"),
    Row("import spawn  # noqa: F401"),
    Row("import spawn  # noqa: F401\r\n"),
    Row("import spawn  # noqa: F401\x0c\n"),
    Row("import spawn  # noqa: bare-import\n", NAMES),
    Row("import spawn  # noqa: E711, bare-import why\n", NAMES),
    Row("import spawn  # noqa: F401some # noqa: F401\n", BROKEN),
]

PLACES = [
    Row("f = print\nf(\n    1,\n    spawn,  # noqa: F821\n    2,\n)\n"),
    Row("f = print\nf(  # noqa: F821\n    1,\n    spawn,\n    2,\n)\n", LINES),
    Row("f = print\nf(\n    1,\n    spawn,\n    2,\n)  # noqa: F821\n", LINES),
    Row("f = print\nf(\n    1,  # noqa: F821\n    spawn,\n    2,\n)\n"),
    Row("dict(  # noqa: C408\n    a=1,\n    b=2,\n)\n"),
    Row("dict(\n    a=1,  # noqa: C408\n    b=2,\n)\n"),
    Row("dict(\n    a=1,\n    b=2,\n)  # noqa: C408\n", LINES),
    Row("print(\n    dict(  # noqa: C408\n        a=1,\n    ),\n)\n"),
    Row("print(\n    dict(\n        a=1,  # noqa: C408\n    ),\n)\n"),
    Row("print(\n    dict(\n        a=1,\n    ),  # noqa: C408\n)\n"),
    Row("print(  # noqa: C408\n    dict(\n        a=1,\n    ),\n)\n", LINES),
    Row("print(\n    dict(\n        a=1,\n    ),\n)  # noqa: C408\n", LINES),
    Row("from a import (  # noqa: F401\n    spawn,\n    more,\n)\n"),
    Row("from a import (\n    spawn,  # noqa: F401\n    more,\n)\n"),
    Row("from a import (\n    spawn,\n    more,\n)  # noqa: F401\n", LINES),
    Row('print(f"""\n{spawn}\n""")  # noqa: F821\n'),
    Row('print(f"""  # noqa: F821\n{spawn}\n""")\n'),
    Row('print(f"""\n{spawn}  # noqa: F821\n""")\n'),
    Row('import spawn; y = """\nx\n"""  # noqa: F401\n'),
    Row('import spawn; y = """  # noqa: F401\n"""\n'),
    Row('y = """\n"""; import spawn  # noqa: F401\n'),
    Row('print("""\n""", spawn)  # noqa: F821\n'),
    Row("import \\\n  spawn  # noqa: F401\n"),
    Row("x = spawn + \\\n  1 + \\\n  2  # noqa: F821\n"),
    Row("x = spawn + \\\n  1  # noqa: F821"),
    Row("x = spawn + \\\n  1"),
    Row("x = 1 + \\\n 2; import spawn  # noqa: F401\n"),
    Row('x = """\n""" + \\\n  ""; import spawn  # noqa: F401\n'),
    Row("x = (\n    1 + \\\n    spawn  # noqa: F821\n)\n"),
    Row("x = (\n    spawn + \\\n    1  # noqa: F821\n)\n"),
    Row("x = (\n    spawn +  # noqa: F821\n    1 + \\\n    2\n)\n"),
    Row("x = (\n    spawn +\n    1 + \\\n    2  # noqa: F821\n)\n"),
    Row("def f(\n    x=spawn,  # noqa: F821\n):\n    pass\n"),
    Row("def f(\n    x=spawn,\n):  # noqa: F821\n    pass\n", LINES),
    Row("if (\n    spawn  # noqa: F821\n):\n    pass\n"),
    Row("if (\n    spawn\n):  # noqa: F821\n    pass\n", LINES),
    Row("if spawn:  # noqa: F821\n    pass\n"),
    Row("if spawn:\n    pass  # noqa: F821\n"),
    Row("# noqa\nimport spawn\n"),
    Row("# noqa: F401\nimport spawn\n"),
    Row("import spawn\n# noqa: F401\n"),
    Row("x = 1; import spawn; y = 2  # noqa: F401\n"),
    Row("import spawn; spawn2  # noqa: F401\n"),
    Row("x = (  # noqa\n"),
    Row("# ruff: noqa\nx = (\n"),
]

FILES = [
    Row("# ruff: noqa\nimport spawn\n"),
    Row("# ruff: noqa: F401\nimport spawn\n"),
    Row("# ruff: noqa: E711\nimport spawn\n"),
    Row("# ruff:noqa:F401\nimport spawn\n"),
    Row("#ruff : noqa : F401\nimport spawn\n"),
    Row("# ruff: noqa : E711, F401 why\nimport spawn\n"),
    Row("# ruff: noqa: E711 F401\nimport spawn\n"),
    Row("# ruff: noqa: E711F401\nimport spawn\n"),
    Row("# ruff: noqa F401\nimport spawn\n"),
    Row("# ruff: noqa E711\nimport spawn\n"),
    Row("# ruff: noqa: F401some\nimport spawn\n"),
    Row("# ruff: NOQA: F401\nimport spawn\n"),
    Row("# Ruff: noqa: F401\nimport spawn\n"),
    Row("# RUFF: noqa\nimport spawn\n"),
    Row("import spawn\n# ruff: noqa: F401\n"),
    Row("import spawn\n# foo # ruff: noqa: F401\n"),
    Row("def f():\n    import spawn\n    # ruff: noqa: F401\n"),
    Row("print(\n  # ruff: noqa: F401\n)\nimport spawn\n"),
    Row("import spawn  # ruff: noqa\n"),
    Row("import spawn  # ruff: noqa: F401\n"),
    Row("import spawn\nx = 1  # ruff: noqa: F401\n"),
    Row('"""\n# ruff: noqa\n"""\nimport spawn\n'),
    Row("# ruff: noqa: F401\nimport spawn\n# ruff: noqa: E711\n"),
    Row("# ruff: noqa: F401\n# ruff: noqa: F821\nimport spawn2\nspawn\n"),
    Row("# flake8: noqa\nimport spawn\n"),
    Row("# flake8: noqa: F401\nimport spawn\n"),
    Row("# flake8: noqa: E711\nimport spawn\n"),
    Row("# FLAKE8: noqa\nimport spawn\n"),
    Row("import spawn  # flake8: noqa\n"),
    Row("# ruff: noqa: F4\nimport spawn\n", PREFIXES),
    Row("# flake8: noqa: F4\nimport spawn\n", PREFIXES),
    Row("# ruff: noqa: bare-import\nimport spawn\n", NAMES),
]

RANGES = [
    *(
        Row(f"import spawn  {comment}\n")
        for comment in """
# ruff: ignore[F401]
#ruff:ignore[F401]
# ruff : ignore [F401]
# ruff: ignore[F401] why
# ruff: ignore[F401, E711,] why
# ruff: ignore[E711,F401]
# ruff: ignore[ F401 ]
# ruff: ignore[E711 F401]
# ruff: ignore[F4]
# ruff: ignore[F]
# ruff: ignore[ALL]
# ruff: ignore[]
# ruff: ignore
# ruff: ignore(F401)
# ruff: ignore F401
# ruff: ignore: F401
# ruff: ignore[f401]
# ruff: ignore[F401
# ruff: Ignore[F401]
# RUFF: ignore[F401]
# foo # ruff: ignore[F401]
# foo ruff: ignore[F401]
# ruff: ignore[E711] # ruff: ignore[F401]
# ruff: disable[F401]
# ruff: enable[F401]
# ruff: file-ignore[F401]
""".strip().splitlines()
    ),
    Row("import spawn  # ruff: ignore[bare-import]\n", NAMES),
    Row("x = spawn + \\\n  1  # ruff: ignore[F821]\n"),
    Row('x = spawn + \\\n  1; y = """\n"""  # ruff: ignore[F821]\n'),
    Row('print(f"""\n{spawn}\n""")  # ruff: ignore[F821]\n'),
    Row("print(\n    spawn,  # ruff: ignore[F821]\n)\n"),
    Row("print(  # ruff: ignore[F821]\n    spawn,\n)\n", LINES),
    Row("print(\n    spawn,\n)  # ruff: ignore[F821]\n", LINES),
    Row("dict(  # ruff: ignore[C408]\n    a=1,\n)\n"),
    Row("from a import (  # ruff: ignore[F401]\n    spawn,\n    more,\n)\n"),
    Row("# ruff: ignore[F401]\nimport spawn\n"),
    Row("# ruff: ignore[F821]\nprint(\n    1,\n    spawn,\n)\n"),
    Row("# ruff: ignore[F821]\ndef f(\n    x=spawn,\n):\n    pass\n"),
    Row("# ruff: ignore[F401]\ndef f():\n    import spawn\n"),
    Row("# ruff: ignore[F821]\nif spawn:\n    pass\n"),
    Row("# ruff: ignore[F821]\nif True:\n    spawn\n"),
    Row("# ruff: ignore[F401]\nif x: import spawn\n"),
    Row("# ruff: ignore[F401]\n\n# more\n\nimport spawn\n"),
    Row("# ruff: ignore[F401]\nx = 1\nimport spawn\n"),
    Row("# ruff: ignore[F401]\nx = (\n1); import spawn\n"),
    Row("# ruff: ignore[F821]\n@spawn\ndef f(): pass\n"),
    Row("# ruff: ignore[F821]\n@print\ndef f(x=spawn): pass\n"),
    Row("@print\n# ruff: ignore[F821]\ndef f(x=spawn): pass\n"),
    Row("print(\n    # ruff: ignore[F821]\n    spawn,\n)\n"),
    Row("print(\n    # ruff: ignore[F821]\n    1,\n    spawn,\n)\n"),
    Row("print(\n    # ruff: ignore[F821]\n\n    spawn,\n)\n"),
    Row("print(\n    # ruff: ignore[F821]\n\n    # more\n\n    spawn,\n)\n"),
    Row("print(\n    # ruff: ignore[F821]\n    1,  # more\n    spawn,\n)\n"),
    Row("print(\n    # ruff: ignore[F821]\n    print(\n        spawn),\n)\n"),
    Row("print(\n    # ruff: ignore[C408]\n    dict(\n        a=1),\n)\n"),
    Row("print(\n    # ruff: ignore[F821]\n) + spawn\n"),
    Row("print(\n    # ruff: ignore[F821]\n    1 + \\\n    2 + \\\n    spawn)\n"),
    Row('print(\n    # ruff: ignore[F821]\n    f"""\n    {spawn}""")\n'),
    Row('print(\n    # ruff: ignore[F821]\n    """\n    """ + spawn)\n'),
    Row("print(\n    # ruff: ignore[F821]\n    # ruff: ignore[E711]\n    spawn)\n"),
    Row("print(spawn\n    # ruff: ignore[F821]\n"),
    Row("print(spawn\n    # ruff: ignore[F821]"),
    Row("    # ruff: ignore[F401]\nimport spawn\n"),
    Row("def f():\n# ruff: ignore[F401]\n    import spawn\n"),
    Row("if x:\n    pass\n# ruff: ignore[F821]\nelif spawn:\n    pass\n"),
    Row("if x:\n    pass\n# ruff: ignore[F401]\nelif y:\n    import spawn\n"),
    Row("import spawn\n# ruff: ignore[F401]\n"),
    Row("import spawn\n# ruff: ignore[F401]"),
    Row("# ruff: ignore[F401]\n# ruff: ignore[E711]\nimport spawn\n"),
    Row("# ruff: file-ignore[F401]\nimport spawn\n"),
    Row("import spawn\n# ruff: file-ignore[F401] why\n"),
    Row("x = 1  # ruff: file-ignore[F401]\nimport spawn\n"),
    Row("def f():\n    import spawn\n    # ruff: file-ignore[F401]\n"),
    Row("  # ruff: file-ignore[F401]\nimport spawn\n"),
    Row("print(\n# ruff: file-ignore[F401]\n)\nimport spawn\n"),
    Row("def f():\n    pass\n# ruff: file-ignore[F401]\n    import spawn\n"),
    Row("# ruff: file-ignore[F4]\nimport spawn\n", PREFIXES),
    Row("# ruff: file-ignore[bare-import]\nimport spawn\n", NAMES),
    Row("# ruff: disable[F401]\nimport spawn\n# ruff: enable[F401]\n"),
    Row("# ruff: disable[F401]\n# ruff: enable[F401]\nimport spawn\n"),
    Row("import spawn\n# ruff: disable[F401]\n# ruff: enable[F401]\n"),
    Row("# ruff: disable[F401]\nimport spawn\n"),
    Row("# ruff: disable[F401, E711]\nimport spawn\n# ruff: enable[F401, E711]\n"),
    Row("# ruff: disable[F401, E711]\nimport spawn\n# ruff: enable[F401, E711]\nimport more\n"),
    Row("print(\n1)\n# ruff: disable[C408]\ndict(\n    a=1,\n)\n# ruff: enable[C408]\n"),
    Row("x = [\n# ruff: disable[C408]\n]\ndict(\n    a=1,\n# ruff: enable[C408]\n)\n"),
    Row("# ruff: disable[F401]\nimport spawn  # ruff: enable[F401]\nimport more\n"),
    Row("def f():\n    # ruff: disable[F401]\n    import spawn\n"),
    Row("def f():\n    # ruff: disable[F401]\n    pass\ndef g():\n    import spawn\n"),
    Row("def f():\n    pass\n    # ruff: disable[F401]\nimport spawn\n"),
    Row("def f():\n    # ruff: disable[F401]\n    if x:\n        import spawn\n"),
    Row("def f():\n      # ruff: disable[F401]\n    import spawn\n"),
    Row("# ruff: disable[F401]\ndef f():\n    import spawn\n# ruff: enable[F401]\n"),
    Row("# ruff: disable[F401]\ndef f():\n    x\n    # ruff: enable[F401]\nimport spawn\n"),
    Row("def f():\n    # ruff: disable[F401]\n    x\n# ruff: enable[F401]\n    import spawn\n"),
    Row("# ruff: disable[F401]\nif x:\n    x\n  # ruff: enable[F401]\n    import spawn\n"),
    Row("# ruff: disable[F401]\n" * 2 + "# ruff: enable[F401]\nimport spawn\n# ruff: enable[F401]\n"),
    Row(
        "# ruff: disable[F401]\n# ruff: disable[F821]\nimport a\n# ruff: enable[F401]\nspawn\nimport b\n"
        "# ruff: enable[F821]\nspawn\n"
    ),
    Row("print(\n    # ruff: disable[F821]\n    spawn,\n    # ruff: enable[F821]\n)\n", BRACKETS),
    Row("print(\n    # ruff: disable[F821]\n    spawn,\n)\n", BRACKETS),
    Row("# ruff: disable[F401, E711]\nimport spawn\n# ruff: enable[E711]\n"),
    Row("# ruff: disable[F401, E711]\n# ruff: enable[F401]\nimport spawn\n", PARTIAL),
    Row("# ruff: disable[F401, E711]\n# ruff: enable[E711, F401]\nimport spawn\n", PARTIAL),
]

ROWS = [*INLINE, *PLACES, *FILES, *RANGES]


class Seen(NamedTuple):
    """What Ruff said of one row: the findings there are, those it reports, and whether it warned of a comment."""

    found: list[dict[str, Any]]
    reported: list[dict[str, Any]]
    warned: bool


@pytest.fixture(scope="module")
def ruffs(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    folder = tmp_path_factory.mktemp("rows")
    for number, row in enumerate(ROWS):
        (folder / f"{number}.py").write_text(row.text, newline="")
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--output-format=json", SELECT, str(folder)]
    runs = [
        subprocess.run([*command, *flags], capture_output=True, check=False, text=True)
        for flags in (["--ignore-noqa"], [])
    ]
    objects = [[item for item in json.loads(run.stdout) if item["code"] != "RUF100"] for run in runs]
    warned = set(map(int, re.findall(r"(\d+)\.py:\d+", runs[1].stderr)))

    def of(number: int, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in items if Path(item["filename"]).stem == str(number)]

    return [Seen(of(n, objects[0]), of(n, objects[1]), n in warned) for n in range(len(ROWS))]


def diagnostic(source: Source, item: dict[str, Any]) -> Diagnostic:
    start, end = (source.offset(item[key]["row"], item[key]["column"]) for key in ("location", "end_location"))
    code = OURS.get(item["code"], "invalid-syntax")
    return Diagnostic(code, code, "", start, end, noqa_row=item["noqa_row"])


def left(source: Source, found: list[Diagnostic]) -> list[Diagnostic]:
    return [d for d in match.suppress(source, found, RULES, ENABLED) if d.code != "PNC900"]


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda number: ROWS[number].text)
def test_a_comment_holds_where_ruffs_holds(number: int, ruffs: list[Seen]) -> None:
    row, seen = ROWS[number], ruffs[number]
    source = Source("a.py", translated(row.text))
    found = [diagnostic(source, item) for item in seen.found]
    expected = [diagnostic(source, item) for item in seen.reported]
    assert found
    assert list(match.place(source, found)) == found
    reported = left(source, found)
    if not row.differs:
        assert reported == expected
    elif row.differs == PARTIAL:
        assert set(expected) < set(reported)
    else:
        assert set(reported) < set(expected)


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda number: ROWS[number].text)
def test_a_noqa_that_fails_is_told_of_when_ruff_tells_of_it(number: int, ruffs: list[Seen]) -> None:
    text = translated(ROWS[number].text)
    warned = match.warnings(Source("a.py", text), RULES) != ()
    if not re.search("noqa", text, re.IGNORECASE) or "bare-" in text:
        assert not ruffs[number].warned or "bare-" in text  # Ruff has rules for what is wrong with the others
    elif re.search("PNC[0-9]|panicguard", text):
        assert warned == ruffs[number].warned
    else:
        assert not warned


# Unused suppressions. Each file again for Ruff, with the comments of other tools told to it.

BLANKET = "an unused blanket noqa stays, for another tool may need it"
SPACING = "what stays, stays as it was written"
KEPT = "every kind of comment can keep an unused one"

UNUSED = [
    Row("import spawn  # noqa: E711\n"),
    Row("import spawn  # noqa: E711"),
    Row("import spawn  # noqa: E712\n"),
    Row("import spawn  # noqa: F401, E711 keep me\n"),
    Row("import spawn  # noqa: E711, F401 keep me\n"),
    Row("import spawn  # noqa: E711,F401  reason  # second\n"),
    Row("import spawn  # noqa: E711 gone\r\n"),
    Row("import spawn  # a # noqa: E711 # b\n"),
    Row("import spawn  # noqa: E711 # b\n"),
    Row("import spawn  # noqa: F401, F401\n"),
    Row("import spawn  # noqa: F401, E711, E712, F401\n"),
    Row("import spawn  # noqa: E711, E712, E711, F821\n"),
    Row("import spawn  # noqa: F401, RUF100, E711\n"),
    Row("import spawn  # noqa: RUF100\n"),
    Row("import spawn # noqa : E711\n"),
    Row("import spawn  # noqa\n"),
    Row("x = 1  # noqa\n", BLANKET),
    Row("x = 1  # noqa: F401\n"),
    Row("# noqa: F401\nx = 1\n"),
    Row("x = 1  # noqa: E711 see #123\n"),
    Row("x = 1  # noqa: E711 # noqa: F401\n"),
    Row("x = 1  # noqa: ABC123\n"),
    Row("x = 1  # noqa: ABC123 why # more\n"),
    Row("x = 1  # noqa: E711, ABC123\n"),
    Row("x = 1  # noqa: ABC123, E711 why\n"),
    Row("x = 1  # noqa: ABC1, E711, ABC2\n"),
    Row("import spawn  # noqa: F401, ABC123\n"),
    Row("import spawn  # noqa: ABC123,F401,E711\n", SPACING),
    Row("import spawn  # ruff: ignore[F401, E711] why\n"),
    Row("import spawn  # ruff: ignore[E711, F401] why\n"),
    Row("import spawn  # ruff: ignore[E711] why\n"),
    Row("import spawn  # ruff: ignore[F401, F401]\n"),
    Row("# ruff: ignore[E711] why\nimport spawn\n"),
    Row("# ruff: disable[E711]\nx = 1\n# ruff: enable[E711]\n"),
    Row("if x:\n    # ruff: disable[E711]\n    x = 1\n    # ruff: enable[E711]\n"),
    Row("# ruff: disable[F401, E711]\nimport spawn\n# ruff: enable[F401, E711]\n"),
    Row("# ruff: disable[E711]\nimport spawn\n"),
    Row("# ruff: noqa: F401\nx = 1\n"),
    Row("# ruff: noqa: F401, E711\nimport spawn\n"),
    Row("# flake8: noqa: E711\nx = 1\n"),
    Row("# flake8: noqa: E711, ABC123\nx = 1\n"),
    Row("# ruff: noqa\nx = 1\n"),
    Row("# ruff: noqa\nx = 1  # noqa: E711\n"),
    Row("# flake8: noqa\nx = 1\n"),
    Row("# flake8: noqa\nx = 1  # noqa: E711\n"),
    Row("# ruff: noqa: RUF100\nx = 1  # noqa: E711\n"),
    Row("x = 1  # noqa: E711  # ruff: ignore[RUF100]\n", KEPT),
    Row("# ruff: file-ignore[RUF100]\nx = 1  # noqa: E711\n", KEPT),
    Row("# ruff: file-ignore[F401]\nx = 1\n"),
    Row("# ruff: file-ignore[F401]\nimport spawn  # noqa: F401\n"),
    Row("import spawn  # ruff: ignore[F401]  # noqa: F401\n"),
    Row("# ruff: ignore[F401]\nimport spawn  # noqa: F401\n"),
    Row("# ruff: disable[F401]\nimport spawn  # ruff: ignore[F401]\n# ruff: enable[F401]\n"),
]


class Cleaned(NamedTuple):
    """A row after Ruff's fixes, and the messages that led there."""

    text: str
    said: list[str]


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> list[Cleaned]:
    folder = tmp_path_factory.mktemp("unused")
    files = [folder / f"{number}.py" for number in range(len(UNUSED))]
    for file, row in zip(files, UNUSED, strict=True):
        file.write_text(row.text, newline="")
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--output-format=json", SELECT, "--unfixable=F401"]
    command += ["--config", 'lint.external = ["ABC"]', str(folder)]
    run = subprocess.run(command, capture_output=True, check=False, text=True)
    said: dict[str, list[str]] = {}
    for item in json.loads(run.stdout):
        if item["code"] == "RUF100":
            said.setdefault(item["filename"], []).append(item["message"])
    subprocess.run([*command, "--fix"], capture_output=True, check=False)
    return [Cleaned(file.read_bytes().decode(), said.get(str(file), [])) for file in files]


def found(source: Source) -> list[Diagnostic]:
    return [
        Diagnostic("PNC101", "", "", m.start(1), m.end(1)) for m in re.finditer("^import (spawn)", source.text, re.M)
    ]


def unused(source: Source) -> list[Diagnostic]:
    return [d for d in match.suppress(source, found(source), RULES, ENABLED) if d.code == "PNC900"]


@pytest.mark.parametrize("number", range(len(UNUSED)), ids=lambda number: UNUSED[number].text)
def test_an_unused_suppression_goes_as_ruffs_goes(number: int, cleaned: list[Cleaned]) -> None:
    row, theirs = UNUSED[number], cleaned[number]
    source = Source("a.py", translated(row.text))
    said = [d.message for d in unused(source)]
    while fixes := [d.fix for d in unused(source) if d.fix]:
        source, _ = apply(source, fixes)
    if row.differs in (BLANKET, KEPT):
        assert theirs.said
        assert said == []
        assert source.text == translated(row.text)
        return
    why = re.compile(r"\(.*\)")
    assert [why.findall(message) for message in said] == [why.findall(translated(m)) for m in theirs.said]
    if row.differs == SPACING:
        assert source.text != translated(theirs.text)
        assert source.text.replace(" ", "") == translated(theirs.text).replace(" ", "")
    else:
        assert source.text == translated(theirs.text)
