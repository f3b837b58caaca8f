"""The command line beside Ruff's, row by row: both programs run with the same arguments in the same situation, and exit
code, standard output, standard error and files must come out the same except for codes, names and messages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import libcst  # noqa: F401 (what a fork need not import)
import pytest

from panicguard.cli import commands
from panicguard.run import lint  # noqa: F401

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it forks")
RUFF = str(Path(sys.executable).parent / "ruff")
# What is on: all of panicguard's rules, and those of Ruff's that find as much.
FLAGS = {"ruff": ["--no-cache", "--isolated", "--select", "E9,F401,F841,F821,RUF100"], "panicguard": ["--isolated"]}
RULES = {"ruff": "F401", "panicguard": "PNC101"}
CODES = {
    "F401": "SAFE", "unused-import": "safe", "PNC101": "SAFE", "bare-asyncio-task": "safe",
    "F841": "UNSAFE", "unused-variable": "unsafe", "PNC304": "UNSAFE", "swallowed-cancellation": "unsafe",
    "F821": "PLAIN", "undefined-name": "plain", "PNC401": "PLAIN", "loop-ignores-cancellation": "plain",
    "RUF100": "NOQA", "unused-noqa": "noqa", "PNC900": "NOQA", "unused-suppression": "noqa",
    "E902": "io-error",
}  # fmt: skip
TASK = "import asyncio\n\n\nasync def f():\n    asyncio.create_task(g())\n"
TEXTS = {
    "safe": {"ruff": "import os\nx = 1\n", "panicguard": TASK},
    "two safe": {"ruff": "import os\nimport re\n", "panicguard": TASK + "    asyncio.create_task(g())\n"},
    "unsafe": {
        "ruff": "def f(x):\n    y = x\n",
        "panicguard": "import asyncio\n\n\nasync def f():\n    while True:\n        try:\n            await g()\n"
        "        except asyncio.CancelledError:\n            print()\n",
    },
    "plain": {
        "ruff": "print(x)\n",
        "panicguard": "import threading\n\n\ndef f():\n    while True:\n        print()\n\n\n"
        "t = threading.Thread(target=f)\nt.start()\n",
    },
    "clean": {"ruff": "x = 1\n", "panicguard": "x = 1\n"},
    "empty": {"ruff": "", "panicguard": ""},
    "broken": {"ruff": "import os\nx = (\n", "panicguard": "import asyncio\nasyncio.create_task(\n"},
    "bytes": {"ruff": "\udcff", "panicguard": "\udcff"},
    "suppressed": {
        "ruff": "import os  # noqa: F401\n",
        "panicguard": TASK.replace("g())", "g())  # noqa: PNC101"),
    },
    "wrong comment": {"ruff": "x = 1  # noqa: [F401]\n", "panicguard": "x = 1  # noqa: [PNC101]\n"},
    "crlf": {"ruff": "import os\r\nx = 1\r\n", "panicguard": TASK.replace("\n", "\r\n")},
}
_USAGE = (
    r"(?m)^(Usage: panicguard(?: [a-z-]+)?) (?:\[OPTIONS\] |--no-cache |--isolated |--(?:select|output-format) <\w+> )*"
)
"""The beginning of a usage; Ruff puts into it the flags that were given."""


class Ran(NamedTuple):
    code: int
    out: str
    err: str
    files: dict[str, str]


def run(folder: Path, kinds: dict[str, str], arguments: list[str], stdin: str | None, env: dict[str, str]) -> list[Ran]:
    """What Ruff and panicguard do, each in a folder with its own texts of the files."""
    colours = ("FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE")
    plain = {k: v for k, v in os.environ.items() if k not in colours and not k.startswith(("RUFF_", "PANICGUARD_"))}
    ran = []
    for tool in FLAGS:
        place = folder / tool
        place.mkdir()
        for name, kind in kinds.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(TEXTS[kind][tool].encode("utf-8", "surrogateescape"))
        its = [argument.replace("TOOL", tool).replace("RULE", RULES[tool]) for argument in arguments]
        if "check" in its:
            its[its.index("check") + 1 : its.index("check") + 1] = FLAGS[tool]
            if "--output-format" not in arguments and not env.keys() & {"TOOL_OUTPUT_FORMAT"}:
                its[its.index("check") + 1 : its.index("check") + 1] = ["--output-format", "concise"]
        whole = {**plain, **{key.replace("TOOL", tool.upper()): value for key, value in env.items()}}
        text = TEXTS[stdin][tool].encode() if stdin else b""
        code, out, err = (ruff if tool == "ruff" else panicguard)(its, place, whole, text)
        files = {
            n: _what(tool, (place / n).read_bytes().decode("utf-8", "surrogateescape"), k) for n, k in kinds.items()
        }
        ran.append(Ran(code, normal(tool, _text(out), stdin), normal(tool, _text(err), stdin), files))
    return ran


def ruff(arguments: list[str], folder: Path, env: dict[str, str], text: bytes) -> tuple[int, bytes, bytes]:
    done = subprocess.run([RUFF, *arguments], cwd=folder, env=env, input=text, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def panicguard(arguments: list[str], folder: Path, env: dict[str, str], text: bytes) -> tuple[int, bytes, bytes]:
    """As `ruff`, in a process that need not import anything: it is a fork of this one."""
    (folder.parent / "in").write_bytes(text)
    names = [folder.parent / name for name in ("in", "out", "err")]
    child = os.fork()
    if not child:
        try:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(env)
            for number, name in enumerate(names):
                os.dup2(os.open(name, os.O_RDONLY if not number else os.O_WRONLY | os.O_CREAT), number)
            for number, name in enumerate(("stdin", "stdout", "stderr")):
                setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))
            code = commands.run(arguments)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), names[1].read_bytes(), names[2].read_bytes()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _what(tool: str, text: str, kind: str) -> str:
    """Whether a text is the one there was, or is fixed."""
    return "as it was" if text == TEXTS[kind][tool] else "fixed"


def normal(tool: str, text: str, stdin: str | None) -> str:
    """What a program said, without what is its own: codes, names, messages and places."""
    coloured = "\x1b[" in text
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    if stdin and text and text == TEXTS[stdin][tool]:
        return "<the source as it was>"
    if stdin and re.match(r"(?:from panicguard )?import (?!.*^@@)|def |x = 1\r?\n$", text, re.MULTILINE | re.DOTALL):
        return "<the source, fixed>"
    if text.startswith(("[\n", "[]")):
        return json.dumps([_object(item) for item in json.loads(text)], indent=1)
    text = re.sub(r"\bruff\b", "panicguard", text).replace("Ruff", "Panicguard")
    text = re.sub(r"\b(?:RUFF|PANICGUARD)_", "TOOL_", text)
    text = re.sub(
        _USAGE,
        r"\1 ",
        text,
    )
    text = re.sub(r"(?m)^(Usage: .*)<FILES>\.\.\.", r"\1[FILES]...", text)
    text = re.sub(r"^(@@.*\n)(?:[ +\\-].*\n)*", "<hunk>\n", text, flags=re.MULTILINE)
    text = re.sub(r"(?m)^(?:<hunk>\n)+", "<hunks>\n", text)
    text = re.sub(r"(?m)^(\S+?):\d+:\d+: (E902 |[\w-]+: |\w+ )(\[\*\] )?.*$", r"\1: \2\3", text)
    text = re.sub(r"\b(?:" + "|".join(CODES) + r")\b:?", lambda m: CODES[m[0].rstrip(":")], text)
    text = re.sub(r"(?m)^(\S+: [\w-]+):? ?(\[\*\])? ?$", r"\1 \2", text)
    text = re.sub(r"(?m)^(\d+\t\S*) *\t", r"\1\t", text)
    text += "<in colour>" * coloured
    return re.sub(r"\[possible values: .*\]", "[possible values]", text)


def _object(item: dict[str, Any]) -> Any:
    code = CODES.get(item["code"], item["code"])
    if "count" in item:
        return [code, CODES.get(item["name"]), item["count"], item["fixable"], item["fixable_count"]]
    return [code, sorted(item), os.path.basename(item["filename"]), item["severity"]]


class Row(NamedTuple):
    """`better` says how panicguard deliberately differs, and `ours` is then what to expect: parts of a Ran."""

    files: dict[str, str]
    arguments: str
    stdin: str | None = None
    env: dict[str, str] = {}  # noqa: RUF012
    better: str = ""
    ours: dict[str, Any] = {}  # noqa: RUF012


ALL = {"a.py": "two safe", "b.py": "unsafe", "c.py": "plain"}
MOST = {"a.py": "safe", "b.py": "unsafe"}
ONE = {"a.py": "safe"}
NONE = {"a.py": "clean"}

CODES_OF_EXIT = {
    "clean": Row(NONE, "check"),
    "violations": Row(ALL, "check"),
    "violations, -e": Row(ALL, "check -e"),
    "violations, --exit-zero": Row(ALL, "check --exit-zero"),
    "fix, all fixed": Row(ONE, "check --fix"),
    "fix, some left": Row(ALL, "check --fix"),
    "fix, some left, -e": Row(ALL, "check --fix -e"),
    "fix, non-zero on fix": Row(ONE, "check --fix --exit-non-zero-on-fix"),
    "fix, non-zero on fix, clean": Row(NONE, "check --fix --exit-non-zero-on-fix"),
    "fix, non-zero on fix, nothing fixed": Row({"a.py": "plain"}, "check --fix --exit-non-zero-on-fix"),
    "fix only, some left": Row(ALL, "check --fix-only"),
    "fix only, some left, non-zero on fix": Row(ALL, "check --fix-only --exit-non-zero-on-fix"),
    "fix only, nothing to fix, non-zero on fix": Row({"a.py": "plain"}, "check --fix-only --exit-non-zero-on-fix"),
    "diff": Row(ALL, "check --diff"),
    "diff, -e": Row(ALL, "check --diff -e"),
    "diff, empty": Row({"a.py": "plain"}, "check --diff"),
    "diff of a broken file": Row({"a.py": "broken"}, "check --diff"),
    "diff, non-zero on fix": Row(ONE, "check --diff --exit-non-zero-on-fix"),
    "broken": Row({"a.py": "broken"}, "check"),
    "broken, -e": Row({"a.py": "broken"}, "check -e"),
    "broken, fix": Row({"a.py": "broken"}, "check --fix"),
    "missing file": Row(NONE, "check nowhere.py"),
    "missing file, fix": Row(ONE, "check --fix nowhere.py a.py"),
    "bytes": Row({"a.py": "bytes"}, "check"),
    "nothing to lint": Row({}, "check"),
    "all excluded": Row(ONE, "check --exclude a.py"),
    "excluded and forced": Row(ONE, "check --exclude a.py --force-exclude a.py"),
    "nothing to lint, diff": Row({}, "check --diff"),
    "suppressed": Row({"a.py": "suppressed"}, "check"),
    "fix and diff": Row(ALL, "check --fix --diff"),
    "fix only and diff": Row(ALL, "check --fix-only --diff"),
    "no fix and diff": Row(ALL, "check --no-fix --diff"),
    "fix and fix only": Row(ALL, "check --fix --fix-only"),
    "no fix and fix only": Row(ALL, "check --no-fix --fix-only"),
    "fix only and no fix only": Row(ALL, "check --fix --fix-only --no-fix-only"),
    "fix of suppressed": Row({"a.py": "suppressed"}, "check --fix"),
    "fix of bytes": Row({"a.py": "bytes", "b.py": "safe"}, "check --fix"),
    "fix of broken and whole": Row({"a.py": "broken", "b.py": "safe"}, "check --fix"),
    "diff of bytes": Row({"a.py": "bytes", "b.py": "safe"}, "check --diff"),
    "fix, newlines kept": Row({"a.py": "crlf"}, "check --fix"),
    "diff, newlines kept": Row({"a.py": "crlf"}, "check --diff"),
    "a missing directory": Row(ONE, "check nowhere/"),
    "a missing file and another": Row(ONE, "check nowhere.py a.py"),
    "a directory that is called a file": Row({"a.py/b.py": "safe"}, "check a.py"),
    "a file that is called something else": Row({"a": "safe", "b.txt": "safe"}, "check a b.txt"),
    "an excluded directory that is named": Row({"venv/a.py": "safe"}, "check venv"),
    "bad flag": Row(ONE, "check --unheard-of"),
    "bad short flag": Row(ONE, "check -x"),
    "bad flag, nearly right": Row(ONE, "check --outputformat json"),
    "abbreviated flag": Row(ONE, "check --exit-z"),
    "bad value": Row(ONE, "check --output-format=poem"),
    "bad value of the environment": Row(ONE, "check", env={"TOOL_OUTPUT_FORMAT": "poem"}),
    "no value": Row(ONE, "check --stdin-filename"),
    "empty value": Row(ONE, "check --output-format="),
    "a value too many": Row(
        ONE, "check --fix=1", better="click does not tell which value", ours={"code": 2, "out": ""}
    ),
    "a flag twice": Row(ONE, "check --diff --diff"),
    "a flag and its opposite": Row(ONE, "check --fix --no-fix"),
    "an opposite and its flag": Row(ONE, "check --no-fix --fix"),
    "an opposite twice": Row(ONE, "check --no-fix --no-fix"),
    "an opposite there is not": Row(
        ONE,
        "check --no-diff",
        better="it names the flag that was meant",
        ours={"err": r"error: .*\n\n  tip: .*'--diff'\n\nUsage: [^\x00]*"},
    ),
    "a list twice": Row(ONE, "check --exclude b.py --exclude a.py"),
    "statistics and diff": Row(ONE, "check --statistics --diff"),
    "diff and statistics": Row(ONE, "check --diff --statistics"),
    "watch and statistics": Row(ONE, "check -w --statistics"),
    "exit zero and non-zero": Row(ONE, "check -e --exit-non-zero-on-fix"),
    "quiet and verbose": Row(ONE, "check -q -v"),
    "silent and quiet": Row(ONE, "check -s -q"),
    "quiet twice": Row(ONE, "check -qq"),
    "statistics of a format that has none": Row(ONE, "check --statistics --output-format grouped"),
    "an unknown subcommand": Row(ONE, "chek"),
    "a file for a subcommand": Row(ONE, "a.py"),
    "an unknown flag before the subcommand": Row(ONE, "--nope"),
    "no such key": Row({}, "config abc"),
    "a pattern without codes": Row(ONE, "check --per-file-ignores x"),
    "no rule": Row({}, "rule"),
    "a rule and all": Row({}, "rule --all RULE"),
    "help of nothing": Row({}, "help nope"),
    "version in a strange format": Row({}, "version --output-format xml"),
    "version of what": Row({}, "version version"),
    "completion of nothing": Row({}, "generate-shell-completion"),
    "watch of nowhere": Row({}, "check -w nowhere.py"),
    "watch of standard input": Row({}, "check -w -"),
}
LINES = {
    "one": Row({"a.py": "plain"}, "check"),
    "one safe": Row(ONE, "check"),
    "one unsafe": Row({"a.py": "unsafe"}, "check"),
    "safe and unsafe": Row(MOST, "check"),
    "unsafe fixes, shown": Row(ALL, "check --unsafe-fixes"),
    "unsafe fixes, not mentioned": Row(ALL, "check --no-unsafe-fixes"),
    "unsafe fixes only, not mentioned": Row({"a.py": "unsafe"}, "check --no-unsafe-fixes"),
    "fix, unsafe too": Row(MOST, "check --fix --unsafe-fixes"),
    "fix only": Row({"a.py": "two safe"}, "check --fix-only"),
    "fix only, one more": Row(MOST, "check --fix-only"),
    "fix only, none safe": Row({"a.py": "unsafe", "b.py": "unsafe"}, "check --fix-only"),
    "fix only, none": Row(NONE, "check --fix-only"),
    "diff, one more": Row(MOST, "check --diff"),
    "diff, none safe": Row({"a.py": "unsafe"}, "check --diff"),
    "diff, unsafe too": Row({"b.py": "unsafe"}, "check --diff --unsafe-fixes"),  # Ruff's files come in any order
    "diff, quiet": Row(MOST, "check --diff -q"),
    "diff, silent": Row(MOST, "check --diff -s"),
    "diff, json": Row(MOST, "check --diff --output-format json"),
    "show fixes": Row(ALL, "check --fix --show-fixes"),
    "show fixes, none": Row(NONE, "check --fix --show-fixes"),
    "show fixes without fix": Row(ALL, "check --show-fixes"),
    "show fixes, fix only": Row(ALL, "check --fix-only --show-fixes"),
    "show fixes, diff": Row(ALL, "check --diff --show-fixes"),
    "show fixes, quiet": Row(ALL, "check --fix --show-fixes -q"),
    "show fixes, unsafe too": Row(MOST, "check --fix --unsafe-fixes --show-fixes"),
    "show fixes, of two": Row({"d/a.py": "two safe", "b.py": "safe"}, "check --fix --show-fixes"),
    "no unsafe fixes, fix only": Row(ALL, "check --fix-only --no-unsafe-fixes"),
    "no unsafe fixes, diff": Row(ALL, "check --diff --no-unsafe-fixes"),
    "no unsafe fixes, fix": Row(ALL, "check --fix --no-unsafe-fixes"),
    "silent, fix only": Row(ALL, "check -s --fix-only"),
    "silent, show fixes": Row(ALL, "check -s --fix --show-fixes"),
    "silent, json": Row(ALL, "check -s --output-format json"),
    "quiet, json": Row(ALL, "check -q --output-format json"),
    "fix, json": Row(ALL, "check --fix --output-format json"),
    "fix only, json": Row(ALL, "check --fix-only --output-format json"),
    "show fixes, json": Row(ALL, "check --fix --show-fixes --output-format json"),
    "quiet": Row(ALL, "check -q"),
    "quiet, clean": Row(NONE, "check -q"),
    "quiet before the subcommand": Row(ALL, "-q check"),
    "quiet and verbose in two places": Row(ALL, "-v check -q"),
    "silent": Row(ALL, "check -s"),
    "silent, before the subcommand": Row(ALL, "-s check"),
    "silent, nothing to lint": Row({}, "check -s"),
    "quiet, nothing to lint": Row({}, "check -q"),
    "a wrong comment, quiet": Row({"a.py": "wrong comment"}, "check -q"),
    "a wrong comment, silent": Row({"a.py": "wrong comment"}, "check -s"),
    "silent, fix": Row(ALL, "check -s --fix"),
    "quiet, fix only": Row(ALL, "check -q --fix-only"),
    "json": Row(ALL, "check --output-format json"),
    "json, clean": Row(NONE, "check --output-format json"),
    "json by the environment": Row(ALL, "check", env={"TOOL_OUTPUT_FORMAT": "json"}),
    "json by the environment, concise by the flag": Row(
        ALL, "check --output-format concise", env={"TOOL_OUTPUT_FORMAT": "json"}
    ),
    "the same file three times": Row(ONE, "check a.py ./a.py ../TOOL/a.py"),
    "the same file in its directory": Row({"d/a.py": "safe"}, "check d d/a.py ."),
    "after two dashes": Row({"--fix": "safe"}, "check -- --fix"),
    "a colour": Row(ONE, "check --color always"),
    "a colour before the subcommand": Row(ONE, "--color always check"),
    "a colour by force": Row(ONE, "check", env={"FORCE_COLOR": "1"}),
    "no colour by force": Row(ONE, "check", env={"FORCE_COLOR": "0"}),
    "no colour, asked for": Row(ONE, "check --color never", env={"FORCE_COLOR": "1"}),
    "no colour by its variable": Row(ONE, "check", env={"NO_COLOR": "1", "FORCE_COLOR": "1"}),
    "a colour against its variable": Row(ONE, "check --color always", env={"NO_COLOR": "1"}),
    "a colour by an empty variable": Row(ONE, "check", env={"FORCE_COLOR": ""}),
    "a colour on a dumb terminal": Row(ONE, "check", env={"FORCE_COLOR": "1", "TERM": "dumb"}),
    "CLICOLOR_FORCE": Row(ONE, "check", env={"CLICOLOR_FORCE": "1"}),
    "CLICOLOR_FORCE is zero": Row(ONE, "check", env={"CLICOLOR_FORCE": "0"}),
    "CLICOLOR_FORCE is empty": Row(ONE, "check", env={"CLICOLOR_FORCE": ""}),
    "CLICOLOR_FORCE and NO_COLOR": Row(ONE, "check", env={"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}),
    "CLICOLOR in a pipe": Row(ONE, "check", env={"CLICOLOR": "1"}),
    "CLICOLOR and FORCE_COLOR": Row(ONE, "check", env={"CLICOLOR": "0", "FORCE_COLOR": "1"}),
    "an empty variable": Row(ONE, "check", env={"NO_COLOR": "", "FORCE_COLOR": "1"}),
    "a strange colour": Row(ONE, "check --color sometimes"),
    "an excluded file that is named": Row(
        ONE,
        "check --exclude a.py a.py",
        better="it says why an excluded file is checked",
        ours={"code": 1, "err": r"hint: `a\.py` is excluded, .*`--force-exclude` .*\n"},
    ),
    "an excluded file that is named, quietly": Row(ONE, "check -q --exclude a.py a.py"),
}
STATISTICS = {
    "all": Row(ALL, "check --statistics"),
    "show fixes": Row(ALL, "check --statistics --fix --show-fixes"),
    "no unsafe fixes": Row(ALL, "check --statistics --no-unsafe-fixes"),
    "json, after a fix": Row(ALL, "check --statistics --fix --output-format json"),
    "json, silent": Row(ALL, "check --statistics -s --output-format json"),
    "full": Row(ALL, "check --statistics --output-format full"),
    "clean": Row(NONE, "check --statistics"),
    "nothing fixable": Row({"a.py": "plain"}, "check --statistics"),
    "unsafe ones": Row(MOST, "check --statistics --unsafe-fixes"),
    "unsafe ones only": Row({"a.py": "unsafe"}, "check --statistics"),
    "after a fix": Row(ALL, "check --statistics --fix"),
    "after a fix of all": Row(ONE, "check --statistics --fix"),
    "broken": Row({"a.py": "broken"}, "check --statistics"),
    "quiet": Row(ALL, "check --statistics -q"),
    "silent": Row(ALL, "check --statistics -s"),
    "json": Row(ALL, "check --statistics --output-format json"),
    "json, clean": Row(NONE, "check --statistics --output-format json"),
    "fix only": Row(ALL, "check --statistics --fix-only"),
}
STDIN = {
    "report": Row({}, "check -", "safe"),
    "clean": Row({}, "check -", "clean"),
    "empty": Row({}, "check -", "empty"),
    "broken": Row({}, "check -", "broken"),
    "json": Row({}, "check --output-format json -", "safe"),
    "fix": Row({}, "check --fix -", "safe"),
    "fix, newlines kept": Row({}, "check --fix -", "crlf"),
    "fix, json": Row({}, "check --fix --output-format json -", "safe"),
    "fix, some left": Row({}, "check --fix -", "unsafe"),
    "fix, nothing fixable": Row({}, "check --fix -", "plain"),
    "fix, clean": Row({}, "check --fix -", "clean"),
    "fix, broken": Row({}, "check --fix -", "broken"),
    "fix, quiet": Row({}, "check --fix -q -", "safe"),
    "fix, silent": Row({}, "check --fix -s -", "safe"),
    "fix, statistics": Row({}, "check --fix --statistics -", "unsafe"),
    "fix, non-zero on fix": Row({}, "check --fix --exit-non-zero-on-fix -", "safe"),
    "show fixes": Row({}, "check --fix --show-fixes -", "safe"),
    "fix only": Row({}, "check --fix-only -", "safe"),
    "fix only, nothing to fix": Row({}, "check --fix-only -", "plain"),
    "diff": Row({}, "check --diff -", "safe"),
    "diff, named": Row({}, "check --diff --stdin-filename x.py -", "safe"),
    "diff, nothing to fix": Row({}, "check --diff -", "plain"),
    "diff, broken": Row({}, "check --diff -", "broken"),
    "named": Row({}, "check --stdin-filename x.py -", "safe"),
    "named, without a dash": Row({}, "check --stdin-filename x.py", "safe"),
    "named, in a directory": Row({}, "check --stdin-filename ./d/x.py -", "safe"),
    "another suffix": Row({}, "check --stdin-filename x.txt -", "safe"),
    "excluded": Row({}, "check --stdin-filename x.py --exclude x.py -", "safe"),
    "excluded by force": Row({}, "check --stdin-filename x.py --exclude x.py --force-exclude -", "safe"),
    "excluded by force, fix": Row({}, "check --stdin-filename x.py --exclude x.py --force-exclude --fix -", "safe"),
    "excluded by force, diff": Row({}, "check --stdin-filename x.py --exclude x.py --force-exclude --diff -", "safe"),
    "beside a file": Row(ONE, "check - a.py", "safe"),
    "a name and files": Row({"a.py": "safe", "b.py": "safe"}, "check --stdin-filename x.py - a.py b.py", "plain"),
    "a name and a file": Row(ONE, "check --stdin-filename x.py a.py", "unsafe"),
    "statistics": Row({}, "check --statistics -", "safe"),
    "quiet": Row({}, "check -q -", "safe"),
    "exit zero": Row({}, "check -e -", "safe"),
}
TABLES = {"exit": CODES_OF_EXIT, "lines": LINES, "statistics": STATISTICS, "stdin": STDIN}
ROWS = {f"{table}: {name}": row for table, rows in TABLES.items() for name, row in rows.items()}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_as_ruff(tmp_path: Path, row: Row) -> None:
    theirs, mine = run(tmp_path, row.files, row.arguments.split(), row.stdin, row.env)
    if not row.better:
        assert mine._asdict() == theirs._asdict()
        return
    assert mine._asdict() != theirs._asdict(), "it says the same: not better any more"
    for part in Ran._fields:
        if part not in row.ours:
            assert part == "err" or getattr(mine, part) == getattr(theirs, part)
        elif isinstance(row.ours[part], str):
            assert re.fullmatch(row.ours[part], getattr(mine, part))
        else:
            assert getattr(mine, part) == row.ours[part]


def call(*arguments: str, **env: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "panicguard", *arguments]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def their(*arguments: str) -> str:
    return subprocess.run([RUFF, *arguments], capture_output=True, text=True, check=True).stdout


def test_version_and_rules_have_ruffs_keys() -> None:
    form = ("--output-format", "json")
    code, out, err = call("version", *form)
    assert (code, err, out[-1]) == (0, "", "}")
    assert list(json.loads(out)) == list(json.loads(their("version", *form)))
    one, every = json.loads(call("rule", "PNC101", *form)[1]), json.loads(call("rule", "--all", *form)[1])
    theirs = json.loads(their("rule", "F401", *form))
    assert list(one) == list(theirs)
    assert {key: type(value) for key, value in one.items()} == {key: type(value) for key, value in theirs.items()}
    assert list(one["status"]) == list(theirs["status"])
    assert (Path(commands.__file__).parents[2] / one["source_location"]["file"]).is_file()
    assert one in every


def test_help_in_all_its_forms() -> None:
    for name in ("check", "rule", "version"):
        code, out, err = call("help", name)
        assert (code, err) == (0, "")
        assert {call(name, flag)[1] for flag in ("-h", "--help")} == {out}
        headings = re.findall(r"^[A-Z][\w ]+:(?=\n)", out, re.MULTILINE)
        theirs = re.findall(r"^[A-Z][\w ]+:(?=\n)", their("help", name), re.MULTILINE)
        assert headings == [heading for heading in theirs if heading != "Arguments:"]
    code, out, err = call()
    assert (code, out, err) == (2, "", call("help")[1])
    assert "generate-shell-completion" not in err


SHELLS = {
    "bash": {"COMP_WORDS": "panicguard check --exit-non", "COMP_CWORD": "2"},
    "zsh": {"COMP_WORDS": "panicguard check --exit-non", "COMP_CWORD": "2"},
    "fish": {"COMP_WORDS": "panicguard check --exit-non", "COMP_CWORD": "--exit-non"},
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(shell: str) -> None:
    code, out, err = call("generate-shell-completion", shell)
    assert (code, err) == (0, "")
    [word] = set(re.findall(rf"_PANICGUARD_COMPLETE=({shell}_\w+)", out))
    code, out, err = call(_PANICGUARD_COMPLETE=word, **SHELLS[shell])
    assert (code, err) == (0, "")
    assert "--exit-non-zero-on-fix" in out


def test_a_global_flag_after_the_command_beats_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(TASK)
    nothing, some = 'select = ["PNC5"]', 'select = ["PNC1"]'
    assert call("--isolated", "--config", nothing, "check", str(tmp_path))[0] == 0
    assert call("--isolated", "--config", nothing, "check", "--config", some, str(tmp_path))[0] == 1


@pytest.mark.parametrize("env", ["", "NO_COLOR=1", "NO_COLOR=", "TERM=dumb", "CLICOLOR=0", "CLICOLOR=1 TERM=dumb"])
def test_a_terminal_has_colours_when_ruff_has_them(tmp_path: Path, env: str) -> None:
    import pty

    (tmp_path / "a.py").write_text(TASK)
    unset = [f"-u{name}" for name in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE")]

    def coloured(command: list[str]) -> bool:
        master, slave = pty.openpty()
        whole = ["env", *unset, "TERM=xterm", *env.split(), *command, "check", "--isolated", "a.py"]
        with subprocess.Popen(whole, cwd=tmp_path, stdout=slave, stderr=slave) as process:
            os.close(slave)
            said = os.read(master, 10_000)
            assert process.wait(60) == 1
        os.close(master)
        return b"\x1b[" in said

    assert coloured([sys.executable, "-m", "panicguard"]) == coloured([RUFF])
