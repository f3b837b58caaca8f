"""Whatever a file contains, and whatever is not a file: a clear diagnostic or none, in time, and the others are
linted."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, IO_ERROR
from panicguard.python.apis import NEEDS
from panicguard.rule import all_rules
from panicguard.run import lint
from panicguard.run.lint import lint_bytes, lint_file
from panicguard.run.task import Does, Task
from panicguard.run.workers import run
from panicguard.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()))
BARE = "import asyncio\n\n\nasync def f(x):\n    asyncio.create_task(g(x))\n"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and modes")


def codes(data: bytes | str, path: str = "a.py") -> list[str]:
    data = data.encode() if isinstance(data, str) else data
    return [diagnostic.code for diagnostic in lint_bytes(path, data, SETTINGS, Task()).diagnostics]


def fixed(data: bytes | str) -> bytes:
    """The bytes after the fixes."""
    data = data.encode() if isinstance(data, str) else data
    result = lint_bytes("a.py", data, SETTINGS, Task(Does.FIX))
    return data if result.original is None else result.source.encode()


def said(path: Path) -> tuple[str, str]:
    """The code and message of the only diagnostic of what is at a path."""
    result = lint_file(str(path), SETTINGS, Task(Does.FIX))
    (diagnostic,) = result.diagnostics
    assert result.source.path == str(path)
    return diagnostic.code, diagnostic.message


# What is not a readable file


def test_missing(tmp_path: Path) -> None:
    assert said(tmp_path / "a.py") == (IO_ERROR, "No such file or directory (os error 2)")


@POSIX
def test_directory(tmp_path: Path) -> None:
    (tmp_path / "a.py").mkdir()
    assert said(tmp_path / "a.py") == (IO_ERROR, "Is a directory (os error 21)")


@POSIX
def test_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("nowhere")
    assert said(tmp_path / "a.py") == (IO_ERROR, "No such file or directory (os error 2)")


@POSIX
def test_link_loop(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("a.py")
    code, message = said(tmp_path / "a.py")
    assert code == IO_ERROR
    assert message.startswith("Too many levels of symbolic links")


@POSIX
def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    assert said(tmp_path / "a.py") == (IO_ERROR, "Not a regular file (os error 22)")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BARE)
    (tmp_path / "a.py").chmod(0)
    assert said(tmp_path / "a.py") == (IO_ERROR, "Permission denied (os error 13)")


def test_name_with_a_null() -> None:
    result = lint_file("a\0.py", SETTINGS, Task())
    assert [diagnostic.code for diagnostic in result.diagnostics] == [INTERNAL_ERROR]


def test_a_file_that_vanishes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_text(BARE)
    read = lint.read

    def vanish(name: str) -> bytes:
        path.unlink()
        return read(name)

    monkeypatch.setattr(lint, "read", vanish)
    assert said(path) == (IO_ERROR, "No such file or directory (os error 2)")


def test_a_file_that_vanishes_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_text(BARE)
    read = lint.read

    def vanish(name: str) -> bytes:
        data = read(name)
        path.unlink()
        return data

    monkeypatch.setattr(lint, "read", vanish)
    result = lint_file(str(path), SETTINGS, Task(Does.FIX))
    assert {diagnostic.code for diagnostic in result.diagnostics} == {IO_ERROR}
    assert not path.exists()


# What is not text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x = 1\ny = '\xff'\n", "stream did not contain valid UTF-8 (line 2)"),
        (b"\xef\xbb\xbfx = 1\n\n\xff\n", "stream did not contain valid UTF-8 (line 3)"),
        ("x = 1\n".encode("utf-16"), "stream did not contain valid UTF-8 (line 1)"),
        (b"# coding: ascii\nx = '\xe9'\n", "stream did not contain valid ASCII (line 2)"),
        (b"# coding: no-such\nx = 1\n", "unknown encoding: no-such"),
        (b"# coding: rot13\nx = 1\n", "is not a text encoding"),
        (b"# coding: undefined\nx = 1\n", "undefined encoding"),
    ],
)
def test_undecodable(data: bytes, message: str) -> None:
    (diagnostic,) = lint_bytes("a.py", data, SETTINGS, Task(Does.FIX)).diagnostics
    assert diagnostic.code == IO_ERROR
    assert message in diagnostic.message


def test_null_bytes() -> None:
    result = lint_bytes("a.py", BARE.encode() + b"\0\n", SETTINGS, Task(Does.FIX))
    (diagnostic,) = result.diagnostics
    assert (diagnostic.code, diagnostic.start) == (INVALID_SYNTAX, len(BARE))


# What is not Python


@pytest.mark.parametrize(
    "tail",
    [
        "x = (\n",
        "x = = 1\n",
        "def f(:\n",
        "'abc\n",
        '"""\n',
        "  x\n y\n",
        "x = $\n",
        "return\\",
        ")",
    ],
)
def test_syntax_errors(tail: str) -> None:
    text = BARE + tail
    assert codes(text) == [INVALID_SYNTAX]
    assert fixed(text) == text.encode()


def test_a_syntax_error_in_what_no_rule_asks_about() -> None:
    """Such a file is not fixed: what cannot be compiled before cannot be verified after."""
    text = BARE + "if x:\ny\n"
    assert codes(text) == [INVALID_SYNTAX]
    result = lint_bytes("a.py", text.encode(), SETTINGS, Task(Does.FIX))
    assert [d.code for d in result.diagnostics] == [INVALID_SYNTAX]
    assert not result.fixed
    assert fixed(text) == text.encode()


CHECKS = [rule.python for rule in all_rules() if rule.python]
WORDS = sorted({word for check in CHECKS for word in (*check.words, *check.likely_words)})
BESIDE = " ".join(sorted({need for needs in NEEDS.values() for need in needs}))
"""Without some of these a word is not looked at."""
PLACES = ("# except {}", "{}", "x = '{}'", '"""\nexcept {}\n"""', "except {}", "try: f()\nexcept {}")


@pytest.mark.parametrize("place", PLACES)
def test_a_word_wherever_it_stands(place: str) -> None:
    for word in WORDS:
        assert INTERNAL_ERROR not in codes(f"# {BESIDE}\n{place.format(word)}")


LINES = (
    *("async def f(x):", "class A(Thread):", "def run(self):", "try:", "except BaseException as e:", "finally:", "@f"),
    *("while True:", "for x in y:", "with x as y:", "await f(x)", "return x", "continue", "raise", "pass", "(", ")"),
    *("x = asyncio.create_task(f())", "self.x = pool.submit(f)", "from asyncio import *", "x = partial(f)", "\\"),
    *("# except CancelledError:", "import asyncio", '"""'),
)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(LINES)), max_size=12))
def test_whatever_lines_there_are_it_does_not_fail(lines: list[tuple[int, str]]) -> None:
    text = "".join(f"{'    ' * depth}{line}\n" for depth, line in lines)
    assert INTERNAL_ERROR not in codes(text)


@pytest.mark.parametrize("text", ["", "\n", "\r", "\f", " ", "#", "\ufeff", "\\\n", "\n" * 100_000])
def test_next_to_nothing(text: str) -> None:
    assert codes(text) == []


# What is big. Each holds a spawn, so that it must be looked at.


def in_time(text: str, seconds: float) -> list[str]:
    started = time.monotonic()
    found = codes(text)
    assert time.monotonic() - started < seconds
    return found


def test_twenty_megabytes() -> None:
    assert in_time(BARE + "y = 1  # some words to fill a line with nothing\n" * 430_000, 60) == ["PNC101"]


def test_a_line_of_a_million_characters() -> None:
    assert in_time(BARE + f"x = '{'a' * 1_000_000}'\n", 20) == ["PNC101"]
    assert in_time(BARE + f"# {'noqa: PNC101 ' * 100_000}\n", 20)[0] == "PNC101"


DEEP = {
    "nested brackets": "x = " + "[" * 5000 + "]" * 5000 + "\n",
    "nested calls": "x = " + "f(" * 5000 + ")" * 5000 + "\n",
    "a call chain": "x = a" + ".b()" * 5000 + "\n",
    "a long sum": "x = " + " + ".join(["1"] * 20_000) + "\n",
    "nested blocks": "".join(" " * depth + "if x:\n" for depth in range(95)) + " " * 95 + "pass\n",
    "too many nested blocks": "".join(" " * depth + "if x:\n" for depth in range(2000)) + " " * 2000 + "pass\n",
    "nested lambdas": "x = " + "lambda: " * 3000 + "1\n",
    "a long and": "x = " + " and ".join(["y"] * 20_000) + "\n",
    "many comparisons": "x = " + " < ".join(["y"] * 20_000) + "\n",
    "unary minus": "x = " + "-" * 20_000 + "1\n",
    "a long elif": "if x:\n    pass\n" + "elif x:\n    pass\n" * 3000,
    "a long else if": "x = " + "1 if y else " * 5000 + "2\n",
    "attribute chain": "x = a" + ".b" * 20_000 + "\n",
    "subscripts": "x = a" + "[0]" * 10_000 + "\n",
    "a big dictionary": "x = {" + "1: 2,\n" * 20_000 + "}\n",
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep(kind: str) -> None:
    before, after = DEEP[kind] + BARE, BARE + DEEP[kind]
    for text in (before, after):
        found = in_time(text, 30)
        assert found in (["PNC101"], [INTERNAL_ERROR], [INVALID_SYNTAX])


@pytest.mark.parametrize("kind", DEEP)
def test_deep_within_the_function_that_spawns(kind: str) -> None:
    body = "".join(f"    {line}\n" for line in DEEP[kind].splitlines())
    assert in_time(BARE + body, 30) in (["PNC101"], [INTERNAL_ERROR], [INVALID_SYNTAX])


@pytest.mark.parametrize("kind", [kind for kind in DEEP if kind != "a big dictionary"])
def test_deep_files_are_fixed_or_left(kind: str) -> None:
    after = fixed(BARE + DEEP[kind])
    assert after == (BARE + DEEP[kind]).encode() or (b"SafeGo" in after and after.endswith(DEEP[kind].encode()))


def test_a_spawn_too_deep_to_be_seen_is_told() -> None:
    text = BARE.replace("g(x)", "g(" * 3000 + "x" + ")" * 3000)
    assert in_time(text, 30) == [INTERNAL_ERROR]
    assert fixed(text) == text.encode()


# What is odd, and well


@pytest.mark.parametrize(
    ("encode", "decode"),
    [
        (lambda text: text.replace("\n", "\r\n").encode(), lambda data: data.decode().replace("\r\n", "\n")),
        (lambda text: text.replace("\n", "\r").encode(), lambda data: data.decode().replace("\r", "\n")),
        (lambda text: text.encode("utf-8-sig"), lambda data: data.decode("utf-8-sig")),
        (lambda text: text.replace("    ", "\t").encode(), lambda data: data.decode().replace("\t", "    ")),
        (
            lambda text: text.replace("\n\n\n", "\n\f\n\n").encode(),
            lambda data: data.decode().replace("\f", ""),
        ),
    ],
    ids=["crlf", "cr", "bom", "tabs", "form feed"],
)
def test_layouts(encode, decode) -> None:  # type: ignore[no-untyped-def]
    assert codes(encode(BARE)) == ["PNC101"]
    assert decode(fixed(encode(BARE))) == fixed(BARE).decode()


@pytest.mark.parametrize("joined", ["\\\n", "\\\n\\\n", "x = 1 \\\n\\\n + 2\n", '""" \\\n\\\n"""\n'])
def test_a_line_of_nothing_but_a_backslash(joined: str) -> None:
    text = (
        f"class A:\n    def f(x): pass\n\n{joined if joined[0] == chr(92) else ''}    def g(x): pass\n\n{joined}{BARE}"
    )
    assert codes(text) == ["PNC101"]
    after = fixed(text).decode()
    assert "SafeGo" in after
    assert after.count("\\\n") == text.count("\\\n")
    compile(after, "a.py", "exec")


def test_mixed_newlines_stay_as_they_are() -> None:
    after = fixed(b"import asyncio\r\n\rasync def f(x):\n\tasyncio.create_task(g(x))\r\n\r\rx = 1\r")
    assert b"SafeGo" in after
    assert after.endswith(b"g(x))\r\n\r\rx = 1\r")


@pytest.mark.parametrize("cookie", ["latin-1", "utf-8", "cp1252", "shift_jis"])
@pytest.mark.parametrize("first", ["", "#!/usr/bin/env python\n"])
def test_cookies(cookie: str, first: str) -> None:
    text = f"{first}# -*- coding: {cookie} -*-\n{BARE}"
    data = (
        text.encode(cookie) + b"x = '" + ("\N{KATAKANA LETTER A}" if cookie[0] == "s" else "é").encode(cookie) + b"'\n"
    )
    assert codes(data) == ["PNC101"]
    after = fixed(data)
    assert b"SafeGo" in after
    assert after.endswith(data[-6:])


SYNTAX = {
    "3.8": "def p(a, /, b): pass\nif (n := 1): pass\n",
    "3.9": "with (open('a')) as b: pass\n@(lambda f: f)\ndef d(): pass\n",
    "3.10": "match x:\n    case [1, *_] | {'a': 1} if y: pass\nwith (a as b, c as d): pass\n",
    "3.11": "try: pass\nexcept* E: pass\nx[*y]\n",
    "3.12": "type X[T] = list[T]\ndef g[T](x: T) -> T: ...\nx = f'{'a' + f\"{'b'}\"}'\n",
    "3.13": "class C[T = int]: ...\n",
    "3.14": "x = t'{y}'\n",
}


@pytest.mark.parametrize("version", SYNTAX)
def test_newer_syntax(version: str) -> None:
    text = SYNTAX[version] + BARE
    assert codes(text) == ["PNC101"]
    assert fixed(text).decode().endswith("g(x))\n")
    assert codes(fixed(text)) == []


# And the others are linted


@pytest.mark.parametrize("alone", [True, False])
def test_bad_files_stop_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    if not alone:
        monkeypatch.setattr("panicguard.run.workers.ALONE_FILES", 0)
    bad = [b"\xff", b"\0", b"", b"x = (", b"# coding: no-such\n", *(text.encode() for text in DEEP.values())]
    files = []
    for number, data in enumerate(bad):
        for name, content in ((f"{number}bad.py", data), (f"{number}good.py", BARE.encode())):
            (tmp_path / name).write_bytes(content)
            files.append((str(tmp_path / name), SETTINGS))
    (tmp_path / "folder.py").mkdir()
    files[3:3] = [(str(tmp_path / "folder.py"), SETTINGS), (str(tmp_path / "missing.py"), SETTINGS)]
    results = list(run(files, Task()))
    assert [result.source.path for result in results] == [path for path, _ in files]
    good = [result for result in results if result.source.path.endswith("good.py")]
    assert len(good) == len(bad)
    assert all([diagnostic.code for diagnostic in result.diagnostics] == ["PNC101"] for result in good)
