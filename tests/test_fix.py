"""Fixes: which go together, and when a fixed file may replace the original."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prove_fixes import compare

from fixtures import cases, golden, source
from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, Applicability, Diagnostic, Edit, Fix
from panicguard.engine import check as check_source
from panicguard.fix import ROUNDS, apply, converge, fix
from panicguard.python.fixes.imports import insertion
from panicguard.rule import all_rules
from panicguard.settings import Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()))


def applied(text: str, *fixes: list[tuple[int, int, str]]) -> tuple[str, tuple[int, ...]]:
    made = [Fix("", tuple(Edit(*edit) for edit in edits)) for edits in fixes]
    source, indices = apply(Source("a.py", text), made)
    return source.text, indices


def test_no_fixes_no_change() -> None:
    assert applied("abc") == ("abc", ())


def test_fixes_are_applied_wherever_they_stand() -> None:
    assert applied("abcdef", [(4, 5, "E")], [(0, 1, "A")]) == ("AbcdEf", (0, 1))


def test_the_edits_of_a_fix_go_together() -> None:
    assert applied("abcdef", [(0, 1, "A"), (3, 4, "D")], [(3, 4, "X"), (5, 6, "F")]) == ("AbcDef", (0,))


@pytest.mark.parametrize("second", [(1, 3, "X"), (2, 3, "X"), (2, 2, "X"), (0, 0, "X"), (0, 2, "Y")])
def test_what_overlaps_or_touches_waits(second: tuple[int, int, str]) -> None:
    text, indices = applied("abcdef", [(0, 2, "AB")], [second])
    assert len(indices) == 1
    assert text in ("ABcdef", apply(Source("a.py", "abcdef"), [Fix("", (Edit(*second),))])[0].text)


def test_a_shared_edit_is_made_once() -> None:
    assert applied("abcdef", [(0, 0, "i"), (5, 6, "F")], [(0, 0, "i"), (2, 3, "C")], [(3, 4, "!")]) == (
        "iabCdeF",
        (0, 1),
    )


def test_equal_fixes_count_each() -> None:
    assert applied("abc", [(0, 1, "A")], [(0, 1, "A")]) == ("Abc", (0, 1))


def test_a_fix_between_the_edits_of_another_is_applied() -> None:
    assert applied("abcdefgh", [(0, 0, "i"), (7, 8, "H")], [(3, 4, "D")]) == ("iabcDefgH", (0, 1))


@pytest.mark.parametrize("edits", [[(0, 2, ""), (1, 3, "")], [(2, 9, "")], [(2, 1, "")], [(-1, 1, "")]])
def test_a_fix_that_is_no_fix_is_refused(edits: list[tuple[int, int, str]]) -> None:
    with pytest.raises(ValueError, match="edit"):
        applied("abc", edits)


@st.composite
def texts_and_fixes(draw: st.DrawFn) -> tuple[str, list[Fix]]:
    text = draw(st.text("ab\n\r\N{SNOWMAN}\N{GRINNING FACE}", max_size=30))
    spot = st.integers(0, len(text))
    fixes = []
    for _ in range(draw(st.integers(0, 6))):
        ends = sorted(draw(st.lists(spot, min_size=2, max_size=6).filter(lambda spots: len(spots) % 2 == 0)))
        contents = [draw(st.text("XY\n", max_size=3)) for _ in ends[::2]]
        edits = [Edit(*edit) for edit in zip(ends[::2], ends[1::2], contents, strict=True)]
        fixes.append(Fix("", tuple(sorted(edits))))
    return text, fixes


@given(texts_and_fixes())
def test_apply(case: tuple[str, list[Fix]]) -> None:
    text, fixes = case
    source, indices = apply(Source("a.py", text), fixes)
    made = sorted({edit for index in indices for edit in fixes[index].edits})
    # The applied edits, made from the back one by one, give the same text: nothing else changed.
    expected = text
    for edit in reversed(made):
        expected = expected[: edit.start] + edit.content + expected[edit.end :]
    assert source.text == expected
    assert bool(indices) == bool(fixes)
    assert indices == tuple(sorted(set(indices)))
    for index in set(range(len(fixes))) - set(indices):
        own = set(fixes[index].edits) - set(made)
        assert any(a.start <= b.end and b.start <= a.end for a in own for b in made)
    assert source == apply(Source("a.py", text), [fixes[index] for index in indices])[0]


# converge


def rewriting(
    pattern: str, content: str, applicability: Applicability = Applicability.SAFE
) -> Callable[[Source], tuple[Diagnostic, ...]]:
    """A checker that finds a pattern and would replace it."""

    def check(source: Source) -> tuple[Diagnostic, ...]:
        return tuple(
            Diagnostic(
                "PNC101",
                "x",
                "x",
                m.start(),
                m.end(),
                Fix("x", (Edit(m.start(), m.end(), content),), applicability),
            )
            for m in re.finditer(pattern, source.text)
        )

    return check


def test_rounds_go_on_until_nothing_is_left() -> None:
    result = converge(Source("a.py", "aaaa\n"), rewriting("a", "b"))
    assert (result.source.text, result.fixed) == ("bbbb\n", ("PNC101",) * 4)
    assert result.original == Source("a.py", "aaaa\n")
    assert result.diagnostics == ()


def test_without_fixes_the_source_is_the_original() -> None:
    result = converge(Source("a.py", "x\n"), rewriting("a", "b"))
    assert (result.source.text, result.fixed, result.original) == ("x\n", (), None)


@pytest.mark.parametrize(
    ("applicability", "unsafe", "text"),
    [
        (Applicability.SAFE, False, "b"),
        (Applicability.UNSAFE, False, "a"),
        (Applicability.UNSAFE, True, "b"),
        (Applicability.DISPLAY_ONLY, True, "a"),
    ],
)
def test_who_may_apply(applicability: Applicability, unsafe: bool, text: str) -> None:
    assert converge(Source("a.py", "a"), rewriting("a", "b", applicability), unsafe).source.text == text


def test_fixes_that_never_settle_are_told() -> None:
    there, back = rewriting("a", "b"), rewriting("b", "a")
    result = converge(Source("a.py", "a"), lambda source: (*there(source), *back(source)))
    assert len(result.fixed) == ROUNDS
    last = result.diagnostics[-1]
    assert (last.code, last.message) == (
        INTERNAL_ERROR,
        f"the fixes did not settle after {ROUNDS} rounds: PNC101",
    )


@pytest.mark.parametrize("broken", ["(", "return", "\0", "x = = 1", "\ud800"])
def test_fixes_that_break_the_file_are_undone(broken: str) -> None:
    original = Source("a.py", "a\n")
    result = converge(original, rewriting("a", broken))
    assert (result.source, result.fixed, result.original) == (original, (), None)
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["PNC101", INTERNAL_ERROR]
    assert "left as it was: PNC101" in result.diagnostics[-1].message


def test_a_fix_that_the_encoding_cannot_say_is_undone() -> None:
    original = Source("a.py", "# coding: ascii\na\n", encoding="ascii")
    result = converge(original, rewriting(r"\ba\b", "'\N{SNOWMAN}'"))
    assert result.source == original
    assert "ascii" in result.diagnostics[-1].message


def test_a_fix_that_moves_the_cookie_out_of_reach_is_undone() -> None:
    original = Source("a.py", "# coding: latin-1\na = '\xe9'\n", encoding="iso8859-1")
    result = converge(original, rewriting(r"\A#", "\n\n#"))
    assert result.source == original
    assert result.diagnostics[-1].code == INTERNAL_ERROR


def test_a_file_with_a_syntax_error_is_not_fixed() -> None:
    fault = Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, "no", 0, 1)
    finds = rewriting("a", "b")
    result = converge(Source("a.py", "a ="), lambda source: (*finds(source), fault))
    assert (result.source.text, result.original) == ("a =", None)


def test_a_syntax_error_that_only_the_check_sees_undoes_too() -> None:
    fault = Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, "no", 0, 1)
    finds = rewriting("a", "b")
    original = Source("a.py", "a\n")
    result = converge(original, lambda source: (*finds(source), *((fault,) if "b" in source.text else ())))
    assert result.source == original


NEWER = ["type X[T = int] = list[T]\n", "f'{'a'}'\n", "try: pass\nexcept* E: pass\n", "x = t'{y}'\n"]


@pytest.mark.parametrize("newer", NEWER)
@pytest.mark.parametrize(("content", "text"), [("b", "b"), ("(", "a")])
def test_syntax_newer_than_the_running_python(newer: str, content: str, text: str) -> None:
    result = converge(Source("a.py", f"{newer}a\n"), rewriting(r"^a$|(?<=\n)a", content))
    assert result.source.text == f"{newer}{text}\n"


DEEP = ["-" * 20_000 + "1", "[" * 5000 + "]" * 5000, "a" + ".b()" * 5000, " + ".join(["1"] * 20_000)]


@pytest.mark.parametrize("deep", DEEP)
@pytest.mark.parametrize(("content", "text"), [("b", "b"), ("(", "a")])
def test_what_python_cannot_compile_is_no_hindrance(deep: str, content: str, text: str) -> None:
    result = converge(Source("a.py", f"x = {deep}\na\n"), rewriting(r"(?<=\n)a", content))
    assert result.source.text == f"x = {deep}\n{text}\n"


def test_a_file_that_cannot_be_verified_is_left() -> None:
    original = Source("a.py", "x = $\na\n")
    result = converge(original, rewriting(r"(?<=\n)a", "b"))
    assert result.source == original
    assert "not fixed: the file does not parse" in result.diagnostics[-1].message


def test_edits_leave_the_rest_byte_for_byte() -> None:
    rest = "\x0c\r\n# c\rx = 1 \\\r\n + 2\t\n\n\x0c"
    data = b"\xef\xbb\xbf" + f"a\n{rest}".encode()
    result = converge(Source.decode("a.py", data), rewriting(r"\Aa", "b"))
    assert result.source.encode() == b"\xef\xbb\xbf" + f"b\n{rest}".encode()


# The real rules

SPAWNS = """import asyncio


async def f(x):
    asyncio.create_task(g(x))
    asyncio.create_task(h(x))  # noqa: PNC101
    y = 1  # noqa: PNC103
    asyncio.create_task(k(x), name="k")
"""


def test_real_rules_are_fixed_in_a_row() -> None:
    result = fix(Source("a.py", SPAWNS), SETTINGS)
    assert result.fixed.count("PNC101") == 2
    assert result.source.text.count("mruntime.SafeGo(") == 2
    assert "create_task(h(x))  # noqa: PNC101" in result.source.text
    assert "    y = 1\n" in result.source.text
    assert len(re.findall(r"^(?:from|import) .*mruntime", result.source.text, re.M)) == 1
    assert result.diagnostics == ()
    again = fix(result.source, SETTINGS)
    assert (again.source, again.fixed, again.original) == (result.source, (), None)


@pytest.mark.parametrize("case", [case for case in cases() if golden(case).exists()], ids=lambda case: case.stem)
def test_nothing_but_the_spawns_differs(case: Path) -> None:
    complaints = compare(source(case).text, source(golden(case)).text)
    if complaints is None:
        pytest.skip("the case needs another Python")
    assert complaints == []


# Where the import goes

IMPORT = "from panicguard import mruntime"


def inserted(text: str, path: str = "a.py", statement: str = IMPORT) -> str:
    made = insertion(Source(path, text), statement)
    assert made.start == made.end
    return text[: made.start] + made.content + text[made.start :]


@pytest.mark.parametrize(
    ("text", "before"),
    [
        # Its section has a block, in an order.
        ("import os\n\nimport anyio\nfrom zope import x\n", "from zope"),
        ("import os\n\nfrom anyio import x\nimport probatio\n", "import probatio"),
        ("import os\nfrom re import sub\nimport sys\n\nimport probatio\nfrom zope import x\n", "import probatio"),
        ("import os\nimport probatio\n\nimport anyio\n", ""),
        ("import zope\nimport attr\n", ""),
        ("import os\nimport anyio\nfrom own.x import y\n", "from own"),
        ("from anyio import x\nfrom own.x import y\nfrom zope import z\n", "from zope"),
        # What stands above an import speaks of it.
        ("# first\nimport probatio\nimport threading\nimport re\n", ""),
        ("import os\n\nimport attr\n\n# first\nimport probatio\nfrom zope import x\n", "from zope"),
        ("import os\n\nimport attr\nfrom anyio import x\n# own\nfrom zope import x\n", "# own"),
        # It is in no order at all.
        ("import zope\nimport os\nimport attr as a\nfrom re import sub\n", ""),
        # It has none: between the others, as they stand.
        ("import os\nimport sys\nfrom . import x\n", "from ."),
        ("import os\nfrom own.x import y\n", "from own"),
    ],
)
def test_the_import_goes_into_the_block_it_belongs_to(text: str, before: str) -> None:
    at = text.index(before) if before else len(text)
    assert inserted(text, "/home/own/a.py") == f"{text[:at]}{IMPORT}\n{text[at:]}"


def test_a_comment_below_the_import_stands_apart_as_isort_has_it() -> None:
    assert (
        inserted("import os\n\n# own\nfrom zope import x\n") == f"import os\n\n{IMPORT}\n\n# own\nfrom zope import x\n"
    )


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("", ""),
        ("#!x\n", ""),
        ("", "from . import x\n"),
        ("", "from own.x import y\n"),
        ("", "# c\nx = 1\n"),
        ("# Copyright c\n# pylint: disable=all\n", "x = 1\n"),
        ("#!x\n# a\n# b\n# c\n# d\n", "from . import x\n"),
        ('"""doc"""\n__author__ = "c"\n\n', "# own\nfrom own.x import y\n"),
        ('__all__ = [\n    "f",\n]\n\n', "\nx = 1\n"),
        ("import os\n\n", "__author__ = 'c'\n\nfrom own.x import y\n"),
        ('"""doc"""\n\n', "from own.x import y\n"),
        ('"""doc"""\n\n', "x = 1\n"),
        ("from __future__ import annotations\n\n", "\nx = 1\n"),
        ('from __future__ import annotations\n\n"""text"""\nimport os\n\n', "\nx = 1\n"),
        ("import os\n\n", "class A: ...\n"),
        ("import os\n\n", "# own\nfrom own.x import y\n"),
        ("import os\n\n", "\nfrom own.x import y\n\nfrom . import z\n"),
        ("import os\n\n", "if TYPE_CHECKING:\n    import zope\n"),
        ("import os\n\n", "try:\n    import zope\nexcept ImportError: ...\nimport attr\n"),
    ],
)
def test_else_the_import_has_a_block_of_its_own(above: str, below: str) -> None:
    text = above.removesuffix("\n") + below if above.endswith("\n\n") else above + below
    assert inserted(text, "/home/own/a.py").splitlines() == [
        *above.splitlines(),
        IMPORT,
        *([""] if not below.startswith("\n") else []),
        *below.splitlines(),
    ]


def test_the_import_of_a_copy_in_the_project_goes_to_the_projects_own() -> None:
    text = "import anyio\nimport zope\n\nfrom own.x import y\n"
    assert inserted(text, "/home/own/a.py", "from own import mruntime").splitlines()[3:] == [
        "from own import mruntime",
        "from own.x import y",
    ]


def test_the_import_ends_as_the_lines_do() -> None:
    assert inserted("import os\r\nimport attr\r\n") == f"import os\r\nimport attr\r\n{IMPORT}\r\n"
    assert inserted("import os") == f"import os\n\n{IMPORT}"


# What is safe

HEAD = "import asyncio\nimport threading\nimport _thread\n"


@pytest.mark.parametrize(
    ("code", "applicability"),
    [
        ("async def f():\n    asyncio.ensure_future(g())\n", Applicability.SAFE),
        ("def f():\n    asyncio.ensure_future(g())\n", Applicability.UNSAFE),
        ("def f(loop):\n    asyncio.ensure_future(g(), loop=loop)\n", Applicability.SAFE),
        ("def f(loop):\n    asyncio.run_coroutine_threadsafe(g(), loop)\n", Applicability.SAFE),
        (
            "class A:\n    def f(self, loop):\n        self.x = asyncio.run_coroutine_threadsafe(g(), loop)\n",
            Applicability.UNSAFE,
        ),
        ("def f(loop):\n    loop.create_task(g())\n", None),
        ("def f(loop: asyncio.AbstractEventLoop):\n    loop.create_task(g())\n", Applicability.SAFE),
        ("def f():\n    threading.Thread(target=g).start()\n", Applicability.SAFE),
        ("def f():\n    threading.Thread(  # c\n        target=g).start()\n", Applicability.SAFE),
        ("def f():\n    threading.Thread(target=  # c\n        g).start()\n", Applicability.SAFE),
        ("def f():\n    _thread.start_new_thread(g, ())\n", Applicability.SAFE),
        ("def f():\n    return _thread.start_new_thread(g, ())\n", Applicability.UNSAFE),
    ],
)
def test_a_fix_is_safe_where_nothing_else_changes(code: str, applicability: Applicability | None) -> None:
    fixes = [
        d.fix for d in check_source(Source("a.py", HEAD + code), SETTINGS) if d.code in ("PNC101", "PNC102", "PNC103")
    ]
    assert [f.applicability if f else None for f in fixes] == [applicability]


@pytest.mark.parametrize(
    ("code", "target", "per_file", "applicability"),
    [
        ("", "py310", (), Applicability.SAFE),
        ("", "py39", (), Applicability.UNSAFE),
        ("from panicguard import mruntime\n", "py39", (), Applicability.SAFE),
        ("", "py39", (("a.py", "py312"),), Applicability.SAFE),
        ("", "py312", (("b.py", "py38"), ("a.py", "py39")), Applicability.UNSAFE),
    ],
)
def test_the_import_of_the_runtime_is_unsafe_where_an_older_python_is_meant(
    code: str, target: str, per_file: tuple[tuple[str, str], ...], applicability: Applicability
) -> None:
    settings = replace(SETTINGS, target_version=target, per_file_target_version=per_file)
    source = Source("a.py", f"{HEAD}{code}threading.Thread(target=g).start()\n")
    assert [d.fix.applicability for d in check_source(source, settings) if d.fix] == [applicability]
