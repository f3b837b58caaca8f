"""Whether findings stand where they say, and whether their edits, applied by another program, give what `fix` writes.

    python tests/prove_edits.py DIRECTORY...

Both go by the JSON of `panicguard check` alone, as an editor's extension or a bot would: rows and columns, no code of
panicguard's. Prints what is wrong, and how much was looked at; exits with 1 if anything is wrong.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PANICGUARD = Path(sys.executable).with_name("panicguard")
ALL = ("--select", "ALL", "--low-confidence", "--config", "spawn-exempt=[]", "--config", "exclude=[]")
PLAIN = ("--isolated", "--no-cache", "--exit-zero", "--no-respect-gitignore")
NAMES = re.compile(r"`([\w.]+)`")
CALLEE = r"[\w.()\[\]'\"\s]*\b\w+|getattr\(.*\)"
CONSTRUCTS = {
    "PNC101": CALLEE,
    "PNC102": CALLEE,
    "PNC103": CALLEE,
    "PNC104": r"\w+",
    "PNC107": CALLEE,
    "PNC120": r"go\b.*",
    "PNC121": r"[\w.\[\]()]+.*",
    "PNC201": r"(\w+\.)?SafeGo\w*",
    "PNC202": r"\"\s*\"|'\s*'|`\s*`|\w+",
    "PNC301": r".*\(.*",
    "PNC302": r"recover\(.*",
    "PNC303": r"except\b.*|(\w+\.)*suppress\(.*",
    "PNC304": r"except\b.*|(\w+\.)*suppress\(.*",
    "PNC305": r"(return|break|continue)\b.*",
    "PNC310": r"recover\(.*",
    "PNC311": r"(panic|[\w.]+\.(Panic|Fatal)\w*)\(.*",
    "PNC401": r"(while|for)\b.*|(\w+\.)?SafeGo\w*",
    "PNC403": r".+",
    "PNC501": r"\w+|lambda\b.*",
    "PNC502": r"[\w.()]+(\[.*\])?((\+\+|--)| *\W?= .*)?|delete\(.*",
    "PNC602": r".*\bDone\(\)",
    "PNC900": r"(#|//).*",
    "PNC901": r"//.*",
    "PNC902": r"//.*",
    "PNC903": r"//.*",
}
"""What stands at a finding's place, by its code."""
NAMED = frozenset(("PNC101", "PNC102", "PNC103", "PNC107", "PNC121", "PNC201"))
"""Rules whose message names what stands there."""


def check(*args: str, text: str | None = None) -> list[dict[str, Any]]:
    command = [str(PANICGUARD), "check", *PLAIN, *ALL, "--output-format", "json", *args]
    found = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=False)
    if found.returncode:
        raise SystemExit(found.stderr)
    return json.loads(found.stdout)  # type: ignore[no-any-return]


def rows_of(text: str) -> list[str]:
    """The rows of a text, each with its newline."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text) or [""]


def at(rows: Sequence[str], place: dict[str, int]) -> int:
    return sum(map(len, rows[: place["row"] - 1])) + place["column"] - 1


def misplaced(path: str, rows: Sequence[str], found: dict[str, Any]) -> str | None:
    """What is wrong with the place of a finding."""
    text = "".join(rows)[at(rows, found["location"]) : at(rows, found["end_location"])]
    construct = CONSTRUCTS.get(found["code"])
    if construct is None:
        return None
    where = f"{path}:{found['location']['row']}:{found['location']['column']} {found['code']}"
    if not re.fullmatch(construct, text, re.DOTALL):
        return f"{where}: {text[:60]!r} is not what it speaks of: {found['message']}"
    last = re.findall(r"\w+", text)[-1:]
    names = {name.rpartition(".")[2] for name in NAMES.findall(found["message"])}
    if found["code"] in NAMED and not names.intersection(last):
        given = re.findall(rf"(\w+) as {last[0]}\b|\b{last[0]}\b[^=\n]*= *[\w.]*\b(\w+)", "".join(rows))
        beside = re.findall(r"\w+", rows[found["location"]["row"] - 1])
        if not any(names.intersection(pair) for pair in (*given, beside)) and f"def {last[0]}(" not in "".join(rows):
            return f"{where}: {text[:60]!r} is none of {sorted(names)}"
    return None


def is_written(fix: dict[str, Any] | None) -> bool:
    """Whether `--fix --unsafe-fixes` applies a fix: some are only shown."""
    return fix is not None and fix["applicability"] in ("safe", "unsafe")


def applied(text: str, edits: Sequence[dict[str, Any]]) -> str:
    """A text with the edits of one fix."""
    rows = rows_of(text)
    spans = sorted((at(rows, e["location"]), at(rows, e["end_location"]), n) for n, e in enumerate(edits))
    for start, end, n in reversed(spans):
        text = text[:start] + edits[n]["content"] + text[end:]
    return text


def one_by_one(path: str, text: str) -> str:
    """A text with all fixes, each applied by itself before the file is checked again."""
    for _ in range(500):
        fixes = [d["fix"] for d in check("--stdin-filename", path, "-", text=text) if is_written(d["fix"])]
        if not fixes:
            return text
        text = applied(text, fixes[0]["edits"])
    return text


def fixed(path: str, text: str) -> str:
    command = [str(PANICGUARD), "check", *PLAIN, *ALL, "--fix", "--unsafe-fixes", "--stdin-filename", path, "-"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=False).stdout.decode()


def wrong(directory: str, counts: Counter[str]) -> Iterator[str]:
    by_path: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for found in check(directory):
        by_path[found["filename"]].append(found)
    for path, findings in sorted(by_path.items()):
        try:
            text = Path(path).read_bytes().decode().removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue  # columns count characters of an encoding that this program would have to guess
        if path.endswith(".ipynb"):
            continue
        rows = rows_of(text)
        for found in findings:
            counts["findings"] += 1
            if said := misplaced(path, rows, found):
                yield said
        if any(is_written(found["fix"]) for found in findings):
            counts["files fixed"] += 1
            counts["fixes"] += sum(is_written(found["fix"]) for found in findings)
            if one_by_one(path, text) != fixed(path, text):
                yield f"{path}: its edits, applied one fix at a time, do not give what `fix` writes"


def main() -> None:
    counts: Counter[str] = Counter()
    bad = 0
    for directory in sys.argv[1:]:
        for said in wrong(directory, counts):
            bad += 1
            print(said)
    print(*(f"{counted} {what}" for what, counted in counts.items()), f"{bad} wrong", sep=", ")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
