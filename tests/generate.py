"""Write what is generated: the README's tables and its picture, the schema of the configuration, the index of the
rules, the runtimes' licence and manifests.

python tests/generate.py           write them
python tests/generate.py --check   exit with 1 if one is out of date
"""

from __future__ import annotations

import io
import json
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import compat
from rich.console import Console
from rich.text import Text
from schema import schema

from panicguard.cli.vendor import MANIFEST, RUNTIMES, manifest
from panicguard.config import FIELDS
from panicguard.mruntime._under import CAUTIOUS, SERVERS
from panicguard.rule import INDEX, all_rules, imported, index

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / ".github" / "check.svg"
SCHEMA = ROOT / "panicguard" / "panicguard.schema.json"
SHOWN = ("PNC101", "PNC102")
"""The rules in the picture: one screen is enough."""
RULES = ROOT / "panicguard" / "rules"
_FONT = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def rules() -> str:
    rows = ["| Code | Name | What it finds | Fix |", "|---|---|---|---|"]
    rows += [f"| {r.code} | `{r.name}` | {r.summary} | {r.fix.lower()} |" for r in all_rules()]
    return "\n".join(rows)


def rule_index() -> str:
    """The index of the rules, from their modules."""
    names = [module.name for module in pkgutil.iter_modules([str(RULES)])]
    return json.dumps({name: index(imported(name)) for name in names}, indent=1) + "\n"


def settings() -> str:
    rows = ["| Key | Default | |", "|---|---|---|"]
    for key, field in FIELDS.items():
        name = f"[lint] {key.removeprefix('lint.')}" if key.startswith("lint.") else key
        default = field.default if len(field.default) < 40 else "(see below)"
        rows.append(f"| `{name}` | {f'`{default}`' if default else ''} | {field.doc} |")
    return "\n".join(rows)


def servers() -> str:
    rows = ["| Where the work runs | What to write | The work is told to stop | Status |", "|---|---|---|---|"]
    alike: dict[tuple[str, ...], list[str]] = {}
    for row in (*SERVERS, CAUTIOUS):
        alike.setdefault((row.write, row.told, row.status), []).append(f"{row.name} {row.measured}".rstrip())
    rows += [f"| {' | '.join((', '.join(names), *rest))} |" for rest, names in alike.items()]
    return "\n".join(rows)


def readme(text: str) -> str:
    """The README with its generated parts rewritten."""
    for name, part in (("rules", rules()), ("settings", settings()), ("ruff", compat.table()), ("servers", servers())):
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(end)
        text = f"{head}{begin}{part}\n{end}{tail}"
    return text


def picture() -> str:
    """What a terminal shows of a check of the demo, as SVG without external resources."""
    command = ["check", "--isolated", "--select", ",".join(SHOWN), "."]
    env = {**os.environ, "FORCE_COLOR": "1", "PYTHONPATH": str(ROOT)}
    env.pop("NO_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-m", "panicguard", *command],
        cwd=ROOT / "fixtures" / "demo",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ panicguard check ."), highlight=False)
    console.print(Text.from_ansi(done.stdout), highlight=False)
    return _FONT.sub("\n", console.export_svg(title="panicguard", unique_id="panicguard"))


def main() -> int:
    made = {
        **{runtime / "LICENSE": (ROOT / "LICENSE").read_text("utf-8") for runtime in RUNTIMES.values()},
        README: readme(README.read_text("utf-8")),
        PICTURE: picture(),
        SCHEMA: schema(),
        RULES / INDEX: rule_index(),
    }
    for language, runtime in RUNTIMES.items():
        made[runtime / MANIFEST] = manifest(runtime, language)
    stale = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(ROOT)} is out of date: run python tests/generate.py")
        else:
            path.write_text(made[path], "utf-8")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
