"""Suppression comments: what only panicguard has. What Ruff has as well is in test_suppress_beside_ruff.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, Diagnostic
from panicguard.fix import apply
from panicguard.source import Source
from panicguard.suppression import match

RULES = {
    "PNC101": "bare-asyncio-task",
    "PNC103": "bare-thread",
    "PNC106": "bare-callback",
    "PNC900": "unused-suppression",
}
ENABLED = frozenset(RULES) - {"PNC106"}


def found(text: str) -> list[Diagnostic]:
    """A PNC101 on each `spawn`, a PNC103 on each `thread` of the code (not of comments or strings)."""
    codes = {"spawn": "PNC101", "thread": "PNC103"}
    code = re.sub(r'""".*?"""|#[^\r\n]*', lambda m: re.sub(r"\w", " ", m[0]), text, flags=re.DOTALL)
    return [
        Diagnostic(codes[m[0]], RULES[codes[m[0]]], "bare", m.start(), m.end())
        for m in re.finditer(r"\b(?:spawn|thread)\b", code)
    ]


def left(text: str, enabled: frozenset[str] = ENABLED) -> list[Diagnostic]:
    return list(match.suppress(Source("a.py", text), found(text), RULES, enabled))


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in left(text)]


def silent(text: str) -> bool:
    return "PNC101" not in codes(text)


def warned(text: str) -> tuple[str, ...]:
    return match.warnings(Source("a.py", text), RULES)


def cleaned(text: str) -> str:
    """The text when every PNC900 is fixed."""
    for _ in range(20):
        fixes = [d.fix for d in left(text) if d.code == "PNC900" and d.fix]
        source, applied = apply(Source("a.py", text), fixes)
        if not applied:
            return text
        text = source.text
    raise AssertionError("does not settle")


# Only panicguard's


@pytest.mark.parametrize(
    "text",
    [
        "spawn()  # noqa: bare-asyncio-task\n",
        "spawn()  # noqa: E501, bare-asyncio-task why\n",
        "spawn()  # panicguard: ignore[bare-asyncio-task]\n",
        "spawn(  # noqa: PNC101\n    a,\n)\n",
        "spawn(\n    a,\n)  # noqa: PNC101\n",
        "spawn(\n    a,\n)  # panicguard: ignore[PNC101]\n",
        "x = f(  # noqa: PNC101\n    spawn(\n        a))\n",
        "x = f(\n    spawn(\n        a))  # noqa: PNC101\n",
        "x = f(\n    spawn(  # noqa: PNC101\n        a))\n",
        "spawn(\n    a  # panicguard: ignore[PNC103]\n)  # noqa: PNC101\n",
        "f(\n    # panicguard: ignore[PNC101]\n    spawn(),\n)\n",
        "f(\n    # panicguard: disable[PNC101]\n    spawn(),\n    # panicguard: enable[PNC101]\n)\n",
        "f(\n    # panicguard: disable[PNC101]\n    spawn(),\n)\n",
        "# panicguard: disable[PNC101, PNC103]\n# panicguard: enable[PNC103]\nspawn()\n",
        "# panicguard: file-ignore[PNC1]\nspawn()\n",
        "# panicguard: file-ignore[PNC]\nspawn()\n",
        "# panicguard: noqa: PNC\nspawn()\n",
        "# panicguard: noqa: PNC10, bare-thread\nspawn()\n",
        "# panicguard: noqa: bare-asyncio-task\nspawn()\n",
        "# flake8: noqa: PNC1\nspawn()\n",
        "spawn()  # noqa: PNC101\rx = 1\r",
        "spawn()  # noqa: PNC101\x0c\n",
    ],
)
def test_suppressed(text: str) -> None:
    assert silent(text)


@pytest.mark.parametrize(
    "text",
    [
        "spawn(\n    a,  # noqa: PNC101\n)\n",
        "spawn()  # ruff: noqa\n",
        "# ruff: noqa\nspawn()\n",
        "# ruff: noqa: PNC101\nspawn()\n",
        "spawn()  # ruff: ignore[PNC101]\n",
        "spawn()  # noqa: bare\n",
        "spawn()  # noqa: PNC1\n",
        "spawn()  # noqa: PNC103 bare-asyncio-task\n",
        "spawn()  # panicguard: ignore[PNC1]\n",
        "spawn()  # panicguard: ignore\n",
        "spawn()  # panicguard: noqa: PNC101\n",
        'x = """\n# noqa: PNC101\n"""; y = 1\nspawn()\n',
        "f(\n    # panicguard: disable[PNC101]\n    # panicguard: enable[PNC101]\n    spawn(),\n)\n",
        "f(\n    # panicguard: disable[PNC101]\n)\nspawn()\n",
        "# panicguard: disable[PNC101, PNC103]\n# panicguard: enable[PNC101]\nspawn()\n",
        "# panicguard: file-ignore[PNC9]\nspawn()\n",
    ],
)
def test_not_suppressed(text: str) -> None:
    assert not silent(text)


@pytest.mark.parametrize("code", [INVALID_SYNTAX, INTERNAL_ERROR])
def test_what_is_no_rules_stays_and_nothing_is_called_unused(code: str) -> None:
    fault = Diagnostic(code, code, "fault", 0, 1)
    text = "# panicguard: noqa\nx = (  # noqa: PNC101\n"
    assert match.suppress(Source("a.py", text), [fault], RULES, ENABLED) == (fault,)


UNUSED = [
    ("x = 1  # noqa: PNC101\n", "unused: `PNC101`", "x = 1\n"),
    ("x = 1  # noqa: bare-thread\n", "unused: `bare-thread`", "x = 1\n"),
    ("x = 1  # noqa: PNC999\n", "unknown: `PNC999`", "x = 1\n"),
    ("x = 1  # noqa: PNC106\n", "non-enabled: `PNC106`", "x = 1\n"),
    ("x = 1  # noqa: E501, PNC101\n", "unused: `PNC101`", "x = 1  # noqa: E501\n"),
    ("x = 1  # noqa: E501,PNC101,W1 why\n", "unused: `PNC101`", "x = 1  # noqa: E501,W1 why\n"),
    ("x = 1  # noqa: E501PNC101\n", "unused: `PNC101`", "x = 1  # noqa: E501\n"),
    ("x = 1  # a # noqa: PNC101 why # b\n", "unused: `PNC101`", "x = 1  # a # b\n"),
    ("x = 1  # noqa: PNC101 see #12\n", "unused: `PNC101`", "x = 1\n"),
    ("x = 1  # type: int # noqa: PNC101\n", "unused: `PNC101`", "x = 1  # type: int\n"),
    (
        "x = 1  # noqa: PNC103, PNC106, PNC999, PNC103\n",
        "unused: `PNC103`; non-enabled: `PNC106`; unknown: `PNC999`; duplicated: `PNC103`",
        "x = 1\n",
    ),
    ("# panicguard: noqa\nx = 1\n", None, None),
    ("# panicguard: noqa: PNC1\nx = 1\n", "unused: `PNC1`", "x = 1\n"),
    ("# panicguard: noqa: ABC123\nx = 1\n", "unknown: `ABC123`", "x = 1\n"),
    ("# panicguard: noqa: PNC7\nx = 1\n", "unknown: `PNC7`", "x = 1\n"),
    ("# flake8: noqa: E501, PNC101\nx = 1\n", "unused: `PNC101`", "# flake8: noqa: E501\nx = 1\n"),
    ("x = 1\n    # panicguard: ignore[PNC101] why\n", "unused: `PNC101`", "x = 1\n"),
    ("x = 1\n# panicguard: ignore[PNC101]", "unused: `PNC101`", "x = 1\n"),
    ("# panicguard: ignore[bare-thred]\nx = 1\n", "unknown: `bare-thred`", "x = 1\n"),
    ("# panicguard: ignore[E501]\nx = 1\n", "unknown: `E501`", "x = 1\n"),
    ("# panicguard: disable[PNC101]\nx = 1\n# panicguard: enable[PNC101]\n", "unused: `PNC101`", "x = 1\n"),
    (
        "# panicguard: disable[PNC101, PNC103]\nspawn()\n# panicguard: enable[PNC103]\n",
        "unused: `PNC103`",
        "# panicguard: disable[PNC101]\nspawn()\n",
    ),
    (
        "# panicguard: disable[PNC103]\n# panicguard: disable[PNC106]\n# panicguard: enable[PNC103, PNC106]\n",
        "unused: `PNC103`",
        "",
    ),
    ("spawn()  # panicguard: ignore[PNC101] # noqa: PNC101\n", "unused: `PNC101`", None),
    ("# panicguard: noqa\nspawn()\n", None, None),
    ("x = 1  # noqa\n", None, None),
    ("# flake8: noqa\nx = 1  # noqa: PNC101\n", None, None),
    ("x = 1  # noqa: E501, F401, ABC123\n", None, None),
    ("x = 1  # noqa: PNC101, PNC900\n", None, None),
    ("x = 1  # noqa: PNC101, unused-suppression\n", None, None),
    ("# panicguard: file-ignore[PNC900]\nx = 1  # noqa: PNC101\n", None, None),
    ("# panicguard: ignore[PNC900]\nx = 1  # noqa: PNC101\n", None, None),
    ("x = 1  # noqa: E501 # noqa: PNC101\n", None, None),
    ("# panicguard: noqa\nspawn()  # noqa: PNC103\n", None, None),
]


@pytest.mark.parametrize(("text", "why", "fixed"), UNUSED)
def test_unused(text: str, why: str | None, fixed: str | None) -> None:
    unused = [d for d in left(text) if d.code == "PNC900"]
    if why is None:
        assert unused == []
    else:
        assert unused[0].message == f"Unused suppression ({why})"
        assert unused[0].noqa_row == Source("a.py", text).location(unused[0].start)[0]
        assert cleaned(text) == (text.partition(" # noqa")[0] + "\n" if fixed is None else fixed)


def test_unused_is_a_rule_that_can_be_off() -> None:
    assert left("x = 1  # noqa: PNC101\n", ENABLED - {"PNC900"}) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x  # noqa: PNC101some\n", "Invalid `# noqa` directive on a.py:1: unexpected 's' after a code"),
        ("\nx  # noqa:PNC101;\n", "Invalid `# noqa` directive on a.py:2: unexpected ';' after a code"),
        ("x  # noqa: [PNC101]\n", "Invalid `# noqa` directive on a.py:1: expected codes"),
        ("x  # noqa: E501PNC101\n", "Missing or joined rule codes in `# noqa` on a.py:1: expected one comma"),
        (
            "x  # panicguard: noqa\n",
            "Invalid `# panicguard: noqa` directive on a.py:1: it applies to the whole file",
        ),
        ("x  # panicguard: ignore PNC101\n", "Invalid `# panicguard: ignore` directive on a.py:1: expected"),
        (
            "# panicguard: ingore[PNC101]\n",
            "Invalid `# panicguard: ingore` directive on a.py:1: expected one of",
        ),
        (
            "x  # panicguard: disable[PNC101]\n",
            "Invalid `# panicguard: disable` directive on a.py:1: it must",
        ),
        (
            "# panicguard: enable[PNC101]\n",
            "Invalid `# panicguard: enable` directive on a.py:1: `PNC101` is not",
        ),
        (
            "x  # panicguard: ignore[PNC101 PNC103]\n",
            "Invalid `# panicguard: ignore` directive on a.py:1: 'PNC101",
        ),
    ],
)
def test_comments_that_fail_are_told(text: str, said: str) -> None:
    (warning,) = warned(text)
    assert warning.startswith(said)


@pytest.mark.parametrize(
    "text",
    [
        "x  # noqa: F401some\n",
        "x  # noqa: [F401]\n",
        "x  # noqareason\n",
        "x  # noqa: E501F401\n",
        "# panicguard: see the manual\n",
        "# panicguard is a linter\n",
        "x  # flake8: noqa\n",
        '"""\n# panicguard: ingore[PNC101]\n"""\n',
        "x = 1  # noqa: PNC101\n",
    ],
)
def test_comments_of_others_are_left_in_peace(text: str) -> None:
    assert warned(text) == ()


def test_placing_alone_suppresses_nothing() -> None:
    text = 'spawn("""\n""")  # noqa\n'
    assert [d.noqa_row for d in match.place(Source("a.py", text), found(text))] == [2]


# Properties

PIECES = st.sampled_from(
    [
        *[
            "# noqa",
            "#noqa",
            ": ",
            ":",
            "PNC101",
            "PNC103",
            "PNC106",
            "PNC999",
            "PNC900",
            "E501",
            ", ",
            ",",
            " ",
        ],
        *[
            "# panicguard: ",
            "ignore",
            "disable",
            "enable",
            "file-ignore",
            "noqa",
            "[",
            "]",
            "bare-thread",
            "PNC1",
        ],
        *[
            "# flake8: ",
            "why",
            "#",
            "# ",
            "\n",
            "    ",
            "spawn()",
            "thread(",
            ")",
            '"""',
            "x = 1",
            "if x:\n",
            "\r\n",
        ],
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
@example("# noqa: PNC101 # noqa: PNC103")
def test_any_comment_is_read_and_removing_the_unused_settles(text: str) -> None:
    before = left(text)
    warned(text)
    assert [d for d in before if d.code != "PNC900"] == [
        d for d in match.place(Source("a.py", text), found(text)) if d in before
    ]
    after = cleaned(text)
    assert [d.code for d in left(after) if d.code != "PNC900"] == [d.code for d in before if d.code != "PNC900"]
    assert re.sub(r"#[^\r\n]*|\s", "", after) == re.sub(r"#[^\r\n]*|\s", "", text)


@given(
    st.lists(st.sampled_from(["PNC101", "PNC103", "E501", "ABC1", "PNC999"]), min_size=1, max_size=6),
    st.sampled_from([", ", ",", " "]),
    st.sampled_from(["", " why", " # second"]),
)
def test_other_tools_codes_and_the_rest_survive(names: list[str], separator: str, rest: str) -> None:
    after = cleaned(f"spawn()  # noqa: {separator.join(names)}{rest}\n")
    kept = [
        name
        for i, name in enumerate(names)
        if name in ("E501", "ABC1") or (name == "PNC101" and i == names.index(name))
    ]
    if kept:
        assert re.findall(r"[A-Z]+[0-9]+", after) == kept
        assert after.endswith(f"{rest}\n")
    else:
        assert after == f"spawn(){'  # second' if 'second' in rest else ''}\n"
