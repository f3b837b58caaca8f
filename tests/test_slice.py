"""What is left out before a file is parsed changes no verdict: the same findings and fixes as of the whole text.

    python tests/test_slice.py DIRECTORY

compares them over a code base.
"""

from __future__ import annotations

import random
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from stages import SLICER, differences, found

from panicguard.python import chunks, validity
from panicguard.python.apis import NEEDS
from panicguard.rule import all_rules
from panicguard.settings import Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


SETTINGS = Settings(enabled=frozenset(rule.code for rule in all_rules()), spawn_exempt=())
LIBRARY, INSTALLED = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))


def sources(paths: Iterable[Path]) -> Iterator[Source]:
    for path in paths:
        try:
            yield Source.decode(str(path), path.read_bytes())
        except (OSError, UnicodeError, LookupError):
            continue


def differing(paths: Iterable[Path]) -> dict[str, object]:
    """The files of which the slicer changes what is said, and what only one of both says."""
    said = {}
    for source in sources(paths):
        sliced, full = found(source, SETTINGS), found(source, SETTINGS, SLICER)
        if sliced != full:
            said[source.path] = sliced ^ full
    return said


def test_the_standard_library() -> None:
    tried = [path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts]
    assert len(tried) > 500
    assert differing(tried) == {}


def test_what_is_installed() -> None:
    tried = [path for path in INSTALLED.rglob("*.py") if "panicguard" not in path.parts]
    assert len(tried) > 500
    assert differing(tried) == {}


@pytest.mark.parametrize("body", ["\\\n    y = x\n", "    y = x\n\\\n"], ids=["in front of the body", "in it"])
def test_a_backslash_in_a_line_of_its_own_is_left_out(body: str) -> None:
    """libcst does not know it, or loses count of columns behind it."""
    text = f"import asyncio\n\n\nasync def f(x):\n{body}    asyncio.create_task(g(y))\n"
    (finding,) = found(Source("a.py", text), SETTINGS)
    assert (finding.code, finding.start) == ("PNC101", text.index("asyncio.create"))


def test_a_dropped_finding_says_which_stage_dropped_it(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("a.py", "import asyncio\n\n\nasync def f():\n    asyncio.create_task(h())\n")
    assert differences(source, SETTINGS) == []
    with monkeypatch.context() as patch:
        patch.setitem(NEEDS, "create_task", ("no such text",))
        (said,) = differences(source, SETTINGS)
    assert said == (
        "a.py:5:5 PNC101: found in the whole text, dropped by the word screen: "
        "`create_task` stands without no such text"
    )
    with monkeypatch.context() as patch:
        patch.setattr("panicguard.python.slice.slice.functions", lambda *_: None)
        (said,) = differences(source, SETTINGS)
    assert "dropped by the slicer" in said


def test_a_text_read_in_chunks_has_the_same_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come and go, as in an editor, in a text that is read chunk by chunk and at once."""
    spawn = "\n\nasync def spawn{n}(self):\n    while True:\n        asyncio.create_task(work{n}())\n\n\n"
    text = "import asyncio\n" + (LIBRARY / "asyncio" / "base_events.py").read_text(encoding="utf-8")
    text += "".join(spawn.format(n=n) for n in range(20)) + '"""\n\n\ndef no_code():\n    return 1\n"""\n'
    chance = random.Random(7)
    rows = text.split("\n")
    for n in range(25):
        at = chance.choice([at for at, row in enumerate(rows) if not row.strip() and at + 1 < len(rows)])
        if n % 3:
            rows[at:at] = chance.choice((["# new"], [""], ["", "", *spawn.format(n=n).split("\n")]))
        else:
            del rows[at]
        source = Source("a.py", "\n".join(rows))
        with monkeypatch.context() as patch:
            patch.setattr(chunks, "_least", chunks.LONG)
            assert len(chunks.split(source.text)) > 40
            in_chunks = found(source, SETTINGS)
        forget()
        assert found(source, SETTINGS) == in_chunks != set()
        forget()


def forget() -> None:
    validity._rejected.cache_clear()


if __name__ == "__main__":
    for source in sources(Path(sys.argv[1]).rglob("*.py")):
        print(*differences(source, SETTINGS), sep="\n", end="")


def test_newlines_of_old_end_a_comment() -> None:
    text = "import asyncio  # one\r\rasync def f():  # two\r    asyncio.create_task(h())\r"
    assert {d.code for d in found(Source("a.py", text), SETTINGS)} == {"PNC101"}
