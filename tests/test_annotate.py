"""The comments that --add-noqa and --add-ignore write: beside Ruff's, and what is true for every program."""

from __future__ import annotations

import ast
import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panicguard.diagnostic import INTERNAL_ERROR, Diagnostic, edited
from panicguard.engine import check
from panicguard.rule import all_rules, rule_names
from panicguard.settings import Settings
from panicguard.source import Source
from panicguard.suppression.directives import Kind
from panicguard.suppression.write import Annotation, additions, annotate

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()))
CHECK = functools.partial(check, settings=SETTINGS)
NOQA, IGNORE = Annotation(Kind.NOQA), Annotation(Kind.IGNORE)

# Compared with Ruff: F401 on `import spawn` is PNC101 in panicguard.

SAME = [
    "import spawn\n",
    "import spawn\r\n",
    "import spawn\r",
    "import spawn # c\n",
    "import spawn\t# c   \n",
    "import spawn  #\n",
    "import spawn  # see#12\n",
    "import spawn   \n",
    "import spawn;   \n",
    "import spawn\x0c\n",
    "import spawn # type: ignore\n",
    "def f():\n    import spawn\n",
    "import spawn; import os.path as spawn\n",
    "import \\\n  spawn\n",
    'import spawn; y = """\n"""\n',
    "\N{BYTE ORDER MARK}import spawn\n",
    "# ruff: noqa: E501\nimport spawn\n",
    "# ruff: disable[E501]\nimport spawn\n# ruff: enable[E501]\n",
    "import spawn  # noqa\n",
    "import spawn  # noqa: E501,F401\n",
    "import spawn  # ruff: ignore[F401] why\n",
    "import spawn  # noqa: E501\n",
    "import spawn  # noqa: E501, W291\n",
    "import spawn  # noqa: E501,W291\n",
    "import spawn  # noqa: W291, E501\n",
    "import spawn  # noqa: E501, E501\n",
    "import spawn  # noqa: E501W291\n",
    "import spawn  # noqa: F401x\n",
    "import spawn  # noqa: e501\n",
    "import spawn  # noqa: E501: x\n",
    "import spawn  # ruff: ignore[E501]\n",
]
REASON = "an existing reason stays"
SPACING = "what is not in the list stays as it was written"
END = "no newline is added at the end of the file"
OWN_LINE = "the comment goes behind the finding, not into one above"
DIFFERENT = [
    ("import spawn", END),
    ("import spawn  # ruff: ignore[E501,]\n", SPACING),
    ("import spawn  # noqa: E501 keep me\n", REASON),
    ("import spawn  # noqa: E501 keep # second\n", REASON),
    ("import spawn  # noqa: E501 # noqa: W1\n", REASON),
    ("import spawn  # ruff: ignore[E501] keep me\n", REASON),
    ("import spawn  # c # noqa: E501\n", SPACING),
    ("import spawn  # noqa:E501\n", SPACING),
    ("import spawn  # NOQA : E501\n", SPACING),
    ("import spawn  # noqa: E501, \n", SPACING),
    ("import spawn  #ruff : ignore [E501]\n", SPACING),
    ("# ruff: ignore[E501]\nimport spawn\n", OWN_LINE),
]
FLAGS = {"--add-noqa": NOQA, "--add-noqa=why": Annotation(Kind.NOQA, "why")}
FLAGS |= {"--add-ignore": IGNORE, "--add-ignore=why": Annotation(Kind.IGNORE, "why")}
TEXTS = [*SAME, *(text for text, _ in DIFFERENT)]


def translated(text: str) -> str:
    return text.replace("F401", "PNC101").replace("ruff", "panicguard")


def ours(text: str, annotation: Annotation) -> str:
    """The text with comments for what Ruff would find in it."""

    def find(source: Source) -> tuple[Diagnostic, ...]:
        from panicguard.suppression.match import suppress

        code = re.sub("#.*", lambda comment: " " * len(comment[0]), source.text)
        found = [Diagnostic("PNC101", "", "", *m.span()) for m in re.finditer(r"\bspawn\b", code)]
        return suppress(source, found, rule_names(), frozenset(("PNC101",)))

    bom = text.startswith("\N{BYTE ORDER MARK}")
    result = annotate(Source("a.py", text[bom:]), find, rule_names(), annotation)
    assert not result.diagnostics
    assert result.added == (result.original is not None)
    return text[:bom] + result.source.text


@pytest.fixture(scope="module", params=FLAGS)
def flag_and_ruffs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    folder = tmp_path_factory.mktemp("rows")
    files = [folder / f"{number}.py" for number in range(len(TEXTS))]
    for file, text in zip(files, TEXTS, strict=True):
        file.write_text(text, newline="")
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--select=F401", request.param, str(folder)]
    subprocess.run(command, capture_output=True, check=True)
    return request.param, [file.read_bytes().decode() for file in files]


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
@pytest.mark.parametrize("text", TEXTS)
def test_the_comment_is_ruffs(text: str, flag_and_ruffs: tuple[str, list[str]]) -> None:
    flag, ruffs = flag_and_ruffs
    theirs = translated(ruffs[TEXTS.index(text)])
    got = ours(translated(text), FLAGS[flag])
    if got == theirs:
        return
    why = dict(DIFFERENT)[text]
    if why == END:
        assert f"{got}\n" == theirs
    elif why == SPACING:
        assert re.sub(r"[\s,]", "", got).lower() == re.sub(r"[\s,]", "", theirs).lower()
    elif why == REASON:
        kept = re.search("keep.*|# noqa: W1", text)
        assert kept
        assert kept[0] in got
        assert kept[0] not in theirs
    else:
        assert got.startswith(translated(text).rstrip())
        assert "PNC101" in got.splitlines()[1]


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
def test_only_what_is_said_to_differ_does(flag_and_ruffs: tuple[str, list[str]]) -> None:
    flag, ruffs = flag_and_ruffs
    differing = {
        text
        for text, theirs in zip(TEXTS, ruffs, strict=True)
        if ours(translated(text), FLAGS[flag]) != translated(theirs)
    }
    assert differing <= {text for text, _ in DIFFERENT}
    assert differing


# Only panicguard's

ASYNC = "import asyncio\n\n\nasync def f():\n"
SPAWN = "    asyncio.create_task(g())"


def added(line: str, annotation: Annotation, head: str = ASYNC) -> str:
    """What one line becomes, with no finding left."""
    result = annotate(Source("a.py", f"{head}{line}\n"), CHECK, rule_names(), annotation)
    assert [d for d in result.diagnostics if d.is_rule] == []
    return result.source.text.removeprefix(head).removesuffix("\n")


@pytest.mark.parametrize(
    ("comment", "reason", "expected"),
    [
        ("", "", "# noqa: PNC101"),
        ("", "old code", "# noqa: PNC101 old code"),
        ("", "T123-4: later", "# noqa: PNC101 - T123-4: later"),
        ("", "E501 is why", "# noqa: PNC101 - E501 is why"),
        ("", ", bare-thread", "# noqa: PNC101 - , bare-thread"),
        ("", "see #12", "# noqa: PNC101 see #12"),
        ("# noqa: E501 keep me", "old code", "# noqa: E501, PNC101 keep me"),
        ("# noqa: E501 # more", "old code", "# noqa: E501, PNC101 old code # more"),
        ("# noqa: bare-thread, PNC900", "", "# noqa: PNC101, PNC900, bare-thread"),
        ("# noqa: PNC103", "", "# noqa: PNC101, PNC103, PNC900"),
        ("# noqa: PNC101some", "", "# noqa: PNC101some  # noqa: PNC101"),
        ("# nosec # noqa:E501", "", "# nosec # noqa:E501, PNC101"),
    ],
)
def test_noqa(comment: str, reason: str, expected: str) -> None:
    line = f"{SPAWN}  {comment}".rstrip()
    assert added(line, Annotation(Kind.NOQA, reason)) == f"{SPAWN}  {expected}"


@pytest.mark.parametrize(
    ("comment", "reason", "expected"),
    [
        ("", "", "# panicguard: ignore[PNC101]"),
        ("", "old code", "# panicguard: ignore[PNC101] old code"),
        ("", "T123-4", "# panicguard: ignore[PNC101] T123-4"),
        ("# noqa: E501 why", "", "# noqa: E501 why  # panicguard: ignore[PNC101]"),
        ("# panicguard: ignore[bare-thread, PNC900] why", "", "# panicguard: ignore[PNC101, PNC900, bare-thread] why"),
        ("# panicguard: ignore[PNC900] why", "why", "# panicguard: ignore[PNC101, PNC900] why"),
        ("# panicguard: ignore[PNC900]", "why", "# panicguard: ignore[PNC101, PNC900] why"),
        (
            "# panicguard: ignore[PNC900] why",
            "other",
            "# panicguard: ignore[PNC900] why  # panicguard: ignore[PNC101] other",
        ),
    ],
)
def test_ignore(comment: str, reason: str, expected: str) -> None:
    line = f"{SPAWN}  {comment}".rstrip()
    assert added(line, Annotation(Kind.IGNORE, reason)) == f"{SPAWN}  {expected}"


@pytest.mark.parametrize("annotation", [NOQA, IGNORE])
def test_an_unused_suppression_is_kept_where_it_stands(annotation: Annotation) -> None:
    own = "# panicguard: ignore[PNC103] why"
    assert added(own, annotation, head="") == f"{own}  # noqa: PNC900"
    assert added("# panicguard: noqa: PNC103", annotation, head="") == "# panicguard: noqa: PNC103  # noqa: PNC900"


def test_a_file_where_a_comment_would_not_help_is_left_as_it_was() -> None:
    def stubborn(source: Source) -> tuple[Diagnostic, ...]:
        return (Diagnostic("PNC101", "bare", "bare", 0, 1, noqa_row=1),)

    result = annotate(Source("a.py", "x\n"), stubborn, rule_names(), NOQA)
    assert (result.source.text, result.added, result.original) == ("x\n", 0, None)
    assert [d.code for d in result.diagnostics] == ["PNC101", INTERNAL_ERROR]


def test_a_reason_that_the_encoding_lacks_leaves_the_file_as_it_was() -> None:
    source = Source("a.py", f"# coding: latin-1\n{ASYNC}{SPAWN}\n", encoding="iso8859-1")
    result = annotate(source, CHECK, rule_names(), Annotation(Kind.NOQA, "\N{SNOWMAN}"))
    assert result.source == source
    assert result.diagnostics[-1].message == "the reason cannot be written as iso8859-1: the file is left as it was"


def test_nothing_is_added_to_what_is_broken() -> None:
    result = annotate(Source("a.py", f"{ASYNC}{SPAWN}\nx = (\n"), CHECK, rule_names(), NOQA)
    assert result.added == 0
    assert [d.is_rule for d in result.diagnostics] == [False]


def test_a_notebook_is_left_alone() -> None:
    source = Source("a.ipynb", "", document="{}").with_cells({1: f"{ASYNC}{SPAWN}"})
    result = annotate(source, CHECK, rule_names(), NOQA)
    assert (result.source, result.added, len(result.diagnostics)) == (source, 0, 1)


# Properties

STATEMENTS = st.sampled_from(
    [
        "asyncio.create_task(g())",
        "asyncio.create_task(\n    g(),\n)",
        "asyncio.create_task(\n    g(),\n    name='x',  # why\n)",
        "asyncio.create_task(g()); asyncio.ensure_future(g())",
        "threading.Thread(target=g).start()",
        "threading.Thread(\n    target=g\n).start()",
        "asyncio.create_task(g()); threading.Thread(target=g).start()",
        "f(\n    asyncio.create_task(g()) and 1,\n    2)",
        "[asyncio.create_task(g()), asyncio.create_task(\n    g())]",
        "asyncio.create_task(g('''\nx\n'''))",
        "print('''\n''', asyncio.create_task(g()))",
        "asyncio.create_task(f'''\n{g()}\n''')",
        "asyncio \\\n    .create_task(g())",
        "x = 1 + \\\n    2; asyncio.create_task(g())",
        "asyncio.create_task(g(\n    '# noqa'))",
        "x = 1",
        "x = '''\n# noqa: PNC101\n'''",
        "pass",
        "",
    ]
)
COMMENTS = st.sampled_from(
    [
        *["", "", "", "  # why", "# noqa: E501", "  # noqa: E501 keep", "  # noqa", "  # noqa: PNC103"],
        *[
            "  # noqa: PNC101",
            "  # noqa: bare-asyncio-task",
            "  # noqa: PNC101some",
            "  # panicguard: ignore[PNC101] x",
        ],
        *[
            "  # panicguard: ignore[PNC103]",
            "  # a # noqa: E501 # b",
            "  # noqa: E501W1",
            "   ",
            "  # panicguard: noqa",
        ],
        *["  # panicguard: ignore", "  # noqa: E501, PNC900", "  # panicguard: ignore[PNC103, PNC900]", "  #"],
    ]
)
OWN_LINES = st.sampled_from(
    [
        *[
            "",
            "",
            "",
            "# why",
            "# noqa",
            "# noqa: PNC101",
            "# panicguard: ignore[PNC103]",
            "# panicguard: ignore[PNC101]",
        ],
        *["# panicguard: disable[PNC101]", "# panicguard: enable[PNC101]", "# panicguard: disable[PNC103, PNC101]"],
        *["# panicguard: file-ignore[PNC103]", "# flake8: noqa: E501", "# panicguard: noqa: PNC103 why"],
    ]
)
ITEMS = st.tuples(OWN_LINES, STATEMENTS, COMMENTS)


@st.composite
def programs(draw: st.DrawFn) -> str:
    lines = ["import asyncio, threading"]
    for own, statement, comment in draw(st.lists(ITEMS, max_size=6)):
        indent = draw(st.sampled_from(["", "    "]))
        if indent:
            lines.append("async def h():")
        lines += [f"{indent}{own}"] * bool(own)
        # A newline within a string must not get an indent that would change it, but may: nobody reads it.
        lines += [f"{indent}{line}" for line in f"{statement}{comment}".split("\n")]
        lines += [f"{indent}pass"] * bool(indent)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(lines) + draw(st.sampled_from(["", newline]))


@settings(deadline=None)
@given(programs(), st.sampled_from([Kind.NOQA, Kind.IGNORE]), st.sampled_from(["", "why", "E501 why", "see #1"]))
def test_nothing_is_left_and_no_other_line_changes(text: str, kind: Kind, reason: str) -> None:
    source = Source("a.py", text)
    annotation = Annotation(kind, reason)
    before = CHECK(source)
    result = annotate(source, CHECK, rule_names(), annotation)
    blanket = {
        row for row in range(1, len(source.line_starts) + 1) if re.search(r"# noqa(?![:\w])|# noqa$", source.line(row))
    }
    assert all(d.code == "PNC900" and d.noqa_row in blanket for d in result.diagnostics)
    rows = {d.noqa_row for d in before}
    old, new = (re.split(r"(?<=\n)", changed) for changed in (text, result.source.text))
    assert len(old) == len(new)
    assert {row for row, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1]} <= rows
    assert result.added == len(rows - {d.noqa_row for d in result.diagnostics})
    again = annotate(result.source, CHECK, rule_names(), annotation)
    assert (again.added, again.source.text) == (0, result.source.text)
    assert ast.dump(ast.parse(result.source.text)) == ast.dump(ast.parse(text))


@settings(max_examples=30, deadline=None)
@given(programs())
def test_what_an_editor_adds_for_one_finding_silences_its_line(text: str) -> None:
    source = Source("a.py", text)
    found = CHECK(source)
    for diagnostic in found:
        edits = additions(source, (diagnostic,), rule_names(), NOQA)
        left = CHECK(Source("a.py", edited(text, edits)))
        assert len(edits) <= 1
        if edits:
            assert (diagnostic.code, diagnostic.noqa_row) not in {(d.code, d.noqa_row) for d in left}
