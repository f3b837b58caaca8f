"""Suppression comments: the grammar and placement against real Ruff, and what is ours alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from panicguard import suppress
from panicguard.fix import apply
from panicguard.model import INTERNAL_ERROR, INVALID_SYNTAX, Diagnostic
from panicguard.source import Source

RULES = {
    "PNC101": "bare-asyncio-task",
    "PNC103": "bare-thread",
    "PNC106": "bare-callback",
    "PNC900": "unused-suppression",
}
ENABLED = frozenset(RULES) - {"PNC106"}
RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")


def found(text: str) -> list[Diagnostic]:
    """A PNC101 on each `spawn`, a PNC103 on each `thread` of the code (not of comments or strings)."""
    codes = {"spawn": "PNC101", "thread": "PNC103"}
    code = re.sub(r'""".*?"""|#[^\r\n]*', lambda m: re.sub(r"\w", " ", m[0]), text, flags=re.DOTALL)
    return [
        Diagnostic(codes[m[0]], RULES[codes[m[0]]], "bare", m.start(), m.end())
        for m in re.finditer(r"\b(?:spawn|thread)\b", code)
    ]


def left(text: str, enabled: frozenset[str] = ENABLED) -> list[Diagnostic]:
    return list(suppress.suppress(Source("a.py", text), found(text), RULES, enabled))


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in left(text)]


def silent(text: str) -> bool:
    return "PNC101" not in codes(text)


def warned(text: str) -> tuple[str, ...]:
    return suppress.warnings(Source("a.py", text), RULES)


def cleaned(text: str) -> str:
    """The text when every PNC900 is fixed."""
    for _ in range(20):
        fixes = [d.fix for d in left(text) if d.code == "PNC900" and d.fix]
        source, applied = apply(Source("a.py", text), fixes)
        if not applied:
            return text
        text = source.text
    raise AssertionError("does not settle")


# Against Ruff. `F401` is PNC101 on `spawn` for us, `E711` our PNC103, which is on but not found.

COMMENTS = """
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
# noqa: [F401]
# noqa: (F401)
# noqa,
# noqa;
# noqa.
# noqa[F401]
# noqareason
# noqa: F4
# noqa: F4011
# nosec # noqa: F401
# nosec noqa
# x noqa
#:noqa
# noqa: E711 # noqa: F401
# noqa: F401, F401
# ruff: ignore[F401]
# ruff:ignore[F401]
# ruff : ignore [F401]
# ruff: ignore[F401, E711,] why
# ruff: ignore[E711 F401]
# ruff: ignore[F4]
# ruff: ignore[]
# ruff: ignore(F401)
# ruff: ignore F401
# ruff: ignore: F401
# ruff: ignore[f401]
# RUFF: ignore[F401]
# foo # ruff: ignore[F401]
# ruff: ignore[E711] # ruff: ignore[F401]
# ruff: disable[F401]
# ruff: file-ignore[F401]
# ruff: noqa
# ruff: noqa: F401
""".strip().splitlines()

PLACES = [
    *(f"import spawn  {comment}\n" for comment in COMMENTS),
    "import spawn  # noqa: F401",
    "import spawn  # noqa: F401\r\n",
    "# noqa\nimport spawn\n",
    "import spawn\n# noqa\n",
    "x = 1; import spawn; y = 2  # noqa: F401\n",
    'import spawn; y = """\nx\n"""  # noqa: F401\n',
    'import spawn; y = """  # noqa: F401\n"""\n',
    'y = """\n"""; import spawn  # noqa: F401\n',
    "import \\\n  spawn  # noqa: F401\n",
    "x = 1 + \\\n 2; import spawn  # noqa: F401\n",
    'x = """\n""" + \\\n  ""; import spawn  # noqa: F401\n',
    "# ruff: noqa\nimport spawn\n",
    "# ruff: noqa: F401\nimport spawn\n",
    "# ruff: noqa : E711, F401 why\nimport spawn\n",
    "# ruff: noqa F401\nimport spawn\n",
    "# ruff: NOQA: F401\nimport spawn\n",
    "# Ruff: noqa: F401\nimport spawn\n",
    "import spawn\n# foo # ruff: noqa: F401\n",
    "def f():\n    import spawn\n    # ruff: noqa: F401\n",
    "f(\n  # ruff: noqa: F401\n)\nimport spawn\n",
    "# flake8: noqa\nimport spawn\n",
    "# flake8: noqa: F401\nimport spawn\n",
    "# flake8: noqa: E711\nimport spawn\n",
    "# FLAKE8: noqa\nimport spawn\n",
    '"""\n# ruff: noqa\n"""\nimport spawn\n',
    "# ruff: noqa: F401\nimport spawn\n# ruff: noqa: E711\n",
    "# ruff: ignore[F401]\nimport spawn\n",
    "    # ruff: ignore[F401]\nimport spawn\n",
    "# ruff: ignore[F401]\n\n# more\nimport spawn\n",
    "# ruff: ignore[F401]\nx = 1\nimport spawn\n",
    "# ruff: ignore[F401]\nx = (\n1); import spawn\n",
    "# ruff: ignore[F401]\ndef f():\n    import spawn\n",
    "# ruff: ignore[F401]\nif x: import spawn\n",
    "if x:\n    pass\n# ruff: ignore[F401]\nelif y:\n    import spawn\n",
    "import spawn\n# ruff: ignore[F401]\n",
    "# ruff: ignore[F401]\n# ruff: ignore[E711]\nimport spawn\n",
    "# ruff: file-ignore[F401]\nimport spawn\n",
    "import spawn\n# ruff: file-ignore[F401] why\n",
    "def f():\n    import spawn\n    # ruff: file-ignore[F401]\n",
    "  # ruff: file-ignore[F401]\nimport spawn\n",
    "f(\n# ruff: file-ignore[F401]\n)\nimport spawn\n",
    "def f():\n    pass\n# ruff: file-ignore[F401]\n    import spawn\n",
    "def f():\n    # ruff: disable[F401]\n    x\n# ruff: enable[F401]\n    import spawn\n",
    "# ruff: disable[F401]\nif x:\n    x\n  # ruff: enable[F401]\n    import spawn\n",
    "# ruff: disable[F401]\nimport spawn\n# ruff: enable[F401]\n",
    "# ruff: disable[F401]\n# ruff: enable[F401]\nimport spawn\n",
    "# ruff: disable[F401]\nimport spawn\n",
    "# ruff: disable[F401, E711]\nimport spawn\n# ruff: enable[F401, E711]\n",
    "def f():\n    # ruff: disable[F401]\n    import spawn\n",
    "def f():\n    # ruff: disable[F401]\n    pass\ndef g():\n    import spawn\n",
    "def f():\n    pass\n    # ruff: disable[F401]\nimport spawn\n",
    "def f():\n    # ruff: disable[F401]\n    if x:\n        import spawn\n",
    "def f():\n      # ruff: disable[F401]\n    import spawn\n",
    "# ruff: disable[F401]\ndef f():\n    import spawn\n# ruff: enable[F401]\n",
    "# ruff: disable[F401]\ndef f():\n    x\n    # ruff: enable[F401]\nimport spawn\n",
    "# ruff: disable[F401]\n" * 2 + "# ruff: enable[F401]\nimport spawn\n# ruff: enable[F401]\n",
]


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
def test_comments_hold_where_ruffs_hold(tmp_path: Path) -> None:
    for number, text in enumerate(PLACES):
        (tmp_path / f"{number}.py").write_text(text, newline="")
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--output-format=json"]
    run = subprocess.run(
        [*command, "--select=F401,RUF100", "--extend-select=E711", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    reported = {
        int(Path(item["filename"]).stem): item["noqa_row"] for item in json.loads(run.stdout) if item["code"] == "F401"
    }
    differing = []
    for number, text in enumerate(PLACES):
        rows = [d.noqa_row for d in left(translated(text)) if d.code == "PNC101"]
        expected = [reported[number]] if number in reported else []
        if rows != expected:
            differing.append((text, expected, rows))
    assert differing == []


def translated(text: str) -> str:
    words = {"ruff": "panicguard", "RUFF": "PANICGUARD", "Ruff": "Panicguard"}
    words |= {"F401": "PNC101", "E711": "PNC103", "f401": "pnc101", "F4": "PNC1"}
    return re.sub("|".join(words), lambda m: words[m[0]], text)


REMOVALS = [
    "import spawn  # noqa: E711\n",
    "import spawn  # noqa: E711",
    "import spawn  # noqa: F401, E711 keep me\n",
    "import spawn  # noqa: E711, F401 keep me\n",
    "import spawn  # noqa: E711,F401  reason  # second\n",
    "import spawn  # noqa: E711 gone\r\n",
    "import spawn  # a # noqa: E711 # b\n",
    "import spawn  # noqa: E711 # b\n",
    "import spawn  # noqa: F401, F401\n",
    "import spawn  # noqa: F401, E711, E712, F401\n",
    "import spawn  # noqa: F401, RUF100, E711\n",
    "import spawn  # noqa: RUF100\n",
    "import spawn # noqa : E711\n",
    "import spawn  # noqa\n",
    "x = 1  # noqa: F401\n",
    "# noqa: F401\nx = 1\n",
    "import spawn  # ruff: ignore[F401, E711] why\n",
    "import spawn  # ruff: ignore[E711, F401] why\n",
    "import spawn  # ruff: ignore[E711] why\n",
    "# ruff: ignore[E711] why\nimport spawn\n",
    "# ruff: disable[E711]\nx = 1\n# ruff: enable[E711]\n",
    "if x:\n    # ruff: disable[E711]\n    x = 1\n    # ruff: enable[E711]\n",
    "# ruff: disable[F401, E711]\nimport spawn\n# ruff: enable[F401, E711]\n",
    "# ruff: disable[E711]\nimport spawn\n",
    "# ruff: noqa: F401\nx = 1\n",
    "# ruff: noqa: F401, E711\nimport spawn\n",
    "# ruff: file-ignore[F401]\nx = 1\n",
    "# ruff: file-ignore[F401]\nimport spawn  # noqa: F401\n",
    "import spawn  # ruff: ignore[F401]  # noqa: F401\n",
    "# ruff: ignore[F401]\nimport spawn  # noqa: F401\n",
    "# ruff: disable[F401]\nimport spawn  # ruff: ignore[F401]\n# ruff: enable[F401]\n",
    "x = 1  # noqa: E711 see #123\n",
]


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
def test_unused_suppressions_go_as_ruffs_go(tmp_path: Path) -> None:
    for number, text in enumerate(REMOVALS):
        (tmp_path / f"{number}.py").write_text(text, newline="")
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--fix", "--unsafe-fixes", "-q"]
    subprocess.run(
        [*command, "--select=F401,E711,E712,RUF100", "--unfixable=F401", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    differing = []
    for number, text in enumerate(REMOVALS):
        expected = translated((tmp_path / f"{number}.py").read_bytes().decode())
        expected = expected.replace("RUF100", "PNC900").replace("E712", "PNC199")
        ours = cleaned(translated(text).replace("RUF100", "PNC900").replace("E712", "PNC199"))
        if ours != expected:
            differing.append((text, expected, ours))
    assert differing == []


# Ours alone


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
    assert suppress.suppress(Source("a.py", text), [fault], RULES, ENABLED) == (fault,)


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
    ("# panicguard: noqa\nx = 1\n", "blanket", "x = 1\n"),
    ("# panicguard: noqa: PNC1\nx = 1\n", "unused: `PNC1`", "x = 1\n"),
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
            "Invalid `# panicguard: noqa` directive on a.py:1: it holds for the file",
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
    assert [d.noqa_row for d in suppress.place(Source("a.py", text), found(text))] == [2]


@pytest.mark.skipif(RUFF is None, reason="needs ruff")
@pytest.mark.parametrize(("external", "kept"), [(["PNC"], True), ([], False)])
def test_ruff_keeps_our_codes_only_when_told(tmp_path: Path, external: list[str], kept: bool) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1  # noqa: E501, PNC101\ny = 1  # panicguard: ignore[PNC101]\n")
    config = f"lint.external = {json.dumps(external)}"
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--fix", "-q", "--select=RUF100,E501"]
    subprocess.run([*command, "--config", config, str(file)], check=False)
    assert ("noqa: PNC101" in file.read_text()) is kept
    assert "# panicguard: ignore[PNC101]" in file.read_text()


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


@given(st.lists(PIECES, max_size=30).map("".join))
@example("# noqa: PNC101 # noqa: PNC103")
def test_any_comment_is_read_and_removing_the_unused_settles(text: str) -> None:
    before = left(text)
    warned(text)
    assert [d for d in before if d.code != "PNC900"] == [
        d for d in suppress.place(Source("a.py", text), found(text)) if d in before
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
