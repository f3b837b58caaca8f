"""Each file under fixtures/ is several tests: what is found, how it is fixed, and how it is silenced."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from stages import differences

from fixtures import WANT, cases, golden, settings_of, source, wants
from panicguard.diagnostic import Applicability
from panicguard.engine import check
from panicguard.fix import fix
from panicguard.python.magics import as_python

if TYPE_CHECKING:
    from pathlib import Path

    from panicguard.diagnostic import Diagnostic
    from panicguard.source import Source

CASES = cases()
FIXABLE = [case for case in CASES if golden(case).exists() and case.suffix != ".go"]


def name(case: Path) -> str:
    return f"{case.parent.name}/{case.stem}{case.suffix.removesuffix('.py')}"


def found(src: Source, case: Path) -> tuple[Diagnostic, ...]:
    return check(src, settings_of(case))


def rows(src: Source, diagnostics: tuple[Diagnostic, ...]) -> list[tuple[int, str]]:
    return sorted((src.location(d.start)[0], d.code) for d in diagnostics)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_exactly_the_wanted_lines_are_flagged(case: Path) -> None:
    src = source(case)
    diagnostics = found(src, case)
    expected = wants(src.text)
    assert rows(src, diagnostics) == sorted((want.row, want.code) for want in expected)
    for want in expected:
        messages = [d.message for d in diagnostics if (src.location(d.start)[0], d.code) == want[:2]]
        assert any(re.search(want.pattern, message) for message in messages), (want, messages)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_no_stage_leaves_out_what_a_verdict_depends_on(case: Path) -> None:
    assert differences(source(case), settings_of(case)) == []


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_fixes_give_the_golden_text_and_nothing_more_to_fix(case: Path) -> None:
    src = source(case)
    result = fix(src, settings_of(case), unsafe=True)
    assert all(d.is_rule for d in result.diagnostics)
    if golden(case).exists():
        assert result.source.encode() == golden(case).read_bytes()
    else:
        assert result.source.text == src.text
    again = fix(result.source, settings_of(case), unsafe=True)
    assert again.source.text == result.source.text
    assert not again.fixed
    assert not [d for d in result.diagnostics if d.fix and d.fix.applicability is not Applicability.DISPLAY_ONLY]


@pytest.mark.parametrize("case", FIXABLE, ids=name)
def test_the_golden_text_compiles(case: Path) -> None:
    try:
        ast.parse(as_python(source(case)).text)
    except SyntaxError:
        pytest.skip("the case needs a newer Python")
    ast.parse(as_python(source(golden(case))).text)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_suppression_on_each_wanted_line_gives_silence(case: Path) -> None:
    text = source(case).text
    if "want+" in text or "want-" in text:
        pytest.skip("the wanted line cannot carry a comment")

    def noqa(match: re.Match[str]) -> str:
        codes = ", ".join(dict.fromkeys(re.findall(r"PNC\d+", match["wants"])))
        return f"{match['mark']} noqa: {codes}"

    silenced = WANT.sub(noqa, case.read_bytes().decode("latin-1")).encode("latin-1")  # any byte is a character
    assert found(source(case, silenced), case) == ()
