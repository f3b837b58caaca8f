"""Start a rule: `python tests/new_rule.py PNC999 some-name` writes its file and a fixture, ready to be filled in."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

RULE = '''"""Checks for TODO: what is wrong, in one line.

## What it does

TODO: what is reported, and what is not.

## Why is this bad

TODO: what happens to the error, the thread or the user.

## Example

```python
import asyncio


async def work(): ...


async def main():
    asyncio.create_task(work())
```

## Use instead

```python
import asyncio


async def work(): ...


async def main():
    await work()
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import SPAWN_WORDS
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(file: PythonFile) -> Iterator[Finding]:
    for spawn in file.spawns:
        yield file.finding(spawn.call, "TODO: what is wrong; what to do")


RULE = Rule("{code}", python=Check(check, words=SPAWN_WORDS))
'''
FIXTURE = """import asyncio


async def work(): ...


async def main():
    asyncio.create_task(work())  # want {code} "TODO", PNC101
    await work()
"""


def main(arguments: list[str]) -> int:
    """Write both files. What is there already is left alone."""
    from panicguard.rule import all_rules

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("code", help="a free code, such as PNC999")
    parser.add_argument("name", help="its name in words, such as exit-in-finally")
    options = parser.parse_args(arguments)
    if not re.fullmatch(r"PNC[1-9]\d\d", options.code):
        parser.error(f"`{options.code}` is not a code: PNC and three digits")
    if not re.fullmatch(r"[a-z]+(?:-[a-z]+)*", options.name):
        parser.error(f"`{options.name}` is not a name: lower-case words with hyphens")
    for rule in all_rules():
        if options.code == rule.code or options.name == rule.name:
            parser.error(f"there is {rule.code} {rule.name} already")
    for path, text in (
        (ROOT / "panicguard" / "rules" / f"{options.name.replace('-', '_')}.py", RULE),
        (ROOT / "fixtures" / options.code / "basic.py", FIXTURE),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("{code}", options.code), "utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
