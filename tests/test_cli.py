"""The command line: configuration, rules, pipes and signals. Its output is in test_ruff_cli, row by row."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from panicguard.rule import all_rules

if TYPE_CHECKING:
    from pathlib import Path

RUFF = [sys.executable, "-m", "ruff"]
OURS = [sys.executable, "-m", "panicguard"]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes")

# For each tool: a finding with a safe fix, one with an unsafe fix, and one without.
SAFE = {
    "ruff": "import os\n",
    "ours": "import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n",
}
UNSAFE = {
    "ruff": "def f(x):\n    y = x\n",
    "ours": "import asyncio\n\n\nasync def f():\n    try:\n        await g()\n"
    "    except asyncio.CancelledError:\n        print()\n    await g()\n",
}
PLAIN = {
    "ruff": "print(x)\n",
    "ours": "import asyncio\n\n\nasync def f():\n    asyncio.gather(g())\n",
}
CLEAN = {"ruff": "x = 1\n", "ours": "x = 1\n"}


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def run(command: list[str], folder: Path, text: str | None = None) -> Ran:
    env = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR", "PANICGUARD_OUTPUT_FORMAT")}
    done = subprocess.run(command, cwd=folder, env=env, input=text, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def ours(folder: Path, *arguments: str, text: str | None = None) -> Ran:
    return run([*OURS, *arguments], folder, text)


def ruff(folder: Path, *arguments: str, text: str | None = None) -> Ran:
    return run([*RUFF, *arguments], folder, text)


def closing(text: str) -> list[str]:
    """The lines that say how a run ended."""
    said = re.compile(
        r"All checks|Found \d|Fixed \d|No errors|Would fix|\[\*\] \d|\d+ unsafe fix|warning: No Python|- \w+\.py:"
    )
    return [line for line in text.splitlines() if said.match(line)]


def both(folder: Path, files: dict[str, dict[str, str]], arguments: list[str]) -> tuple[Ran, Ran]:
    """What Ruff and panicguard say with the same flags, each about its own text of the same files."""
    ran = []
    for tool in ("ruff", "ours"):
        place = folder / tool
        place.mkdir()
        for name, texts in files.items():
            (place / name).write_text(texts[tool])
        if tool == "ruff":
            ran.append(ruff(place, "check", "--no-cache", "--isolated", "--select", "F,E9", *arguments))
        else:
            ran.append(ours(place, "check", "--isolated", *arguments))
    return ran[0], ran[1]


ALL = {"a.py": SAFE, "b.py": UNSAFE, "c.py": PLAIN}
CONFIGURATIONS = {
    "no TOML": "select = [",
    "an unknown key": "nonsense = 1\n",
    "a wrong type": "select = 1\n",
    "an unknown rule": 'select = ["XYZ999"]\n',
}


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_broken_configuration_beside_ruff(tmp_path: Path, text: str) -> None:
    for name in ("ruff.toml", "panicguard.toml"):
        (tmp_path / name).write_text(text)
    (tmp_path / "a.py").write_text("x = 1\n")
    theirs, mine = ruff(tmp_path, "check", "--no-cache"), ours(tmp_path, "check")
    assert (mine.code, mine.out) == (theirs.code, theirs.out) == (2, "")
    assert mine.err.splitlines()[0] == "panicguard failed"
    assert mine.err.splitlines()[1].startswith("  Cause: ")
    assert "panicguard.toml" in mine.err
    assert "Traceback" not in mine.err
    assert ours(tmp_path, "check", "--isolated").code == 0


def test_settings_of_the_closest_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.panicguard]\nruntime-module = "app.mruntime"\n')
    (tmp_path / "a.py").write_text(SAFE["ours"])
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "panicguard.toml").write_text('ignore = ["PNC1"]\n')
    (tmp_path / "below" / "a.py").write_text(SAFE["ours"])
    done = ours(tmp_path, "check", "--diff")
    assert re.findall(r"^\+\+\+ (.*)$", done.out, re.MULTILINE) == ["a.py"]
    assert "+from app import mruntime\n" in done.out


def test_flags_beat_the_file(tmp_path: Path) -> None:
    (tmp_path / "panicguard.toml").write_text('select = ["PNC5"]\n')
    (tmp_path / "a.py").write_text(SAFE["ours"])
    assert ours(tmp_path, "check").code == 0
    assert ours(tmp_path, "check", "--select", "bare-asyncio-task").code == 1
    assert ours(tmp_path, "check", "--select", "ALL", "--ignore", "PNC101").code == 0
    assert ours(tmp_path, "check", "--config", 'select = ["PNC101"]').code == 1


def test_paths_are_shown_as_ruff_shows_them(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.py").write_text(SAFE["ours"] + "import os\n")

    def paths(done: Ran) -> list[str]:
        return [line.partition(":")[0] for line in done.out.splitlines() if re.match(r"\S+:\d", line)]

    flags = ["--isolated", "--output-format", "concise", ".", str(outside)]
    theirs = ruff(inside, "check", "--no-cache", "--select", "F401", *flags)
    assert paths(ours(inside, "check", *flags)) == paths(theirs) == ["a.py", str(outside / "a.py")]


def test_json_has_ruffs_keys(tmp_path: Path) -> None:
    theirs, mine = (json.loads(ran.out) for ran in both(tmp_path, {"a.py": SAFE}, ["--output-format", "json"]))

    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {key: shape(item) for key, item in sorted(value.items())}
        return [shape(item) for item in value[:1]] if isinstance(value, list) else None

    assert shape(mine) == shape(theirs)
    assert os.path.isabs(mine[0]["filename"])


def test_fix_shows_what_it_fixed_and_writes_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SAFE["ours"])
    done = ours(tmp_path, "fix", "--isolated")
    assert done.code == 0
    assert "    1 \u00d7 PNC101 (bare-asyncio-task)\n" in done.out
    assert "mruntime.SafeGo(" in (tmp_path / "a.py").read_text()


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_is_explained_by_code_and_by_name(tmp_path: Path, rule: object) -> None:
    code, name = rule.code, rule.name  # type: ignore[attr-defined]
    by_code = ours(tmp_path, "rule", code)
    assert by_code.code == 0
    assert by_code.out.startswith(f"# {name} ({code})\n")
    assert ours(tmp_path, "rule", name).out == by_code.out


def test_rules(tmp_path: Path) -> None:
    everything = json.loads(ours(tmp_path, "rule", "--all", "--output-format", "json").out)
    assert [rule["code"] for rule in everything] == [rule.code for rule in all_rules()]
    assert ours(tmp_path, "rule", "PNC1").code == ruff(tmp_path, "rule", "F4").code == 2
    assert ours(tmp_path, "rule").code == ruff(tmp_path, "rule").code == 2


def test_version_and_bare_call(tmp_path: Path) -> None:
    for arguments in (["--version"], ["-V"], ["version"]):
        assert re.fullmatch(r"panicguard \d+\.\d+\.\d+\n", ours(tmp_path, *arguments).out)
    for done in (ours(tmp_path), ruff(tmp_path)):
        assert (done.code, done.out) == (2, "")
        assert "Usage" in done.err


@POSIX
def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}.py").write_text(SAFE["ours"] * 3)
    command = f"{' '.join(OURS)} check --isolated | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("PNC101")
    assert done.stderr == ""


@POSIX
def test_an_interrupt_ends_the_run_and_its_workers(tmp_path: Path) -> None:
    text = SAFE["ours"] * 40
    for number in range(900):
        (tmp_path / f"{number}.py").write_text(text)
    process = subprocess.Popen(
        [*OURS, "fix", "--isolated"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
    )

    def written() -> int:
        return sum("SafeGo" in path.read_text() for path in tmp_path.glob("*.py"))

    while not written() and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None
    children = workers(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not [pid for pid in children if os.path.exists(f"/proc/{pid}/cmdline") and _is_ours(pid)]
    assert {path.read_text().count("create_task") for path in tmp_path.glob("*.py")} <= {0, 40}
    assert 0 < written() < 900


def workers(pid: int) -> list[int]:
    if sys.platform != "linux":
        return []
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def _is_ours(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return "panicguard" in file.read()
    except OSError:
        return False


CHECK_IMPORTS = """
import sys
from panicguard.cli.commands import run
assert run(["check", "--isolated", "-q"]) == 0
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_a_clean_run_over_many_files_imports_little(tmp_path: Path) -> None:
    for number in range(161):
        (tmp_path / f"{number}.py").write_text("import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n")
    done = run([sys.executable, "-c", CHECK_IMPORTS], tmp_path)
    assert done.code == 0, done.err
    assert not {"libcst", "rich", "asyncio", "multiprocessing", "pebble"} & set(done.out.split())


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("PNC112", "PNC102"),
        ("PNC10", "PNC101"),
        ("PNC1011", "PNC101"),
        ("PNC1O3", "PNC103"),
        ("PNC22", "PNC202"),
        ("pnc101", "PNC101"),
        ("pnc1", "PNC1"),
        ("AL", "ALL"),
        ("bare-thred", "bare-thread"),
        ("Bare-Thread", "bare-thread"),
        ("PNC888", None),
        ("XYZ999", None),
    ],
)
def test_the_nearest_rule_is_suggested(tmp_path: Path, word: str, meant: str | None) -> None:
    """And never a prefix where a rule is as near."""
    names = {name for rule in all_rules() for name in (rule.code, rule.name)}
    selected, explained = ours(tmp_path, "check", "--isolated", "--select", word), ours(tmp_path, "rule", word)
    if any(name.startswith(word) for name in names):
        assert selected.code == 0
    else:
        assert selected.code == 2
        assert re.findall("did you mean `(.*)`[?]", selected.err) == [meant] * (meant is not None)
    assert explained.code == 2
    if meant is None or meant in names:
        assert re.findall("a similar value exists: '(.*)'", explained.err) == [meant] * (meant is not None)
