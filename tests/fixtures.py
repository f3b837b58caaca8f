"""The labelled inputs under fixtures/: a folder a rule, `# want CODE "regex"` on the lines that must be flagged."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from panicguard import settings
from panicguard.source import Source

if TYPE_CHECKING:
    from panicguard.settings import Settings

FIXTURES = Path(__file__).parent.parent / "fixtures"
WANT = re.compile(r"# want(?P<offset>[+-]\d+)? (?P<wants>PNC\d+(?: \"[^\"]*\")?(?:, PNC\d+(?: \"[^\"]*\")?)*)")
_ONE = re.compile(r"(PNC\d+)(?: \"([^\"]*)\")?")


class Want(NamedTuple):
    row: int
    code: str
    pattern: str


def cases() -> list[Path]:
    """All fixture inputs, golden results left out."""
    return sorted(p for p in FIXTURES.glob("PNC*/**/*.py") if not p.name.endswith(".fixed.py"))


def golden(case: Path) -> Path:
    return case.with_name(f"{case.stem}.fixed.py")


def wants(text: str) -> list[Want]:
    return [
        Want(row + int(match["offset"] or 0), code, pattern)
        for row, line in enumerate(text.split("\n"), 1)
        for match in WANT.finditer(line)
        for code, pattern in _ONE.findall(match["wants"])
    ]


def source(case: Path) -> Source:
    return Source.decode(case.name, case.read_bytes())


def settings_of(case: Path) -> Settings:
    """All rules; and what a settings.toml beside the case says."""
    configured = case.with_name("settings.toml")
    its = settings.load(str(configured)) if configured.exists() else settings.default("")
    return dataclasses.replace(its, root="")
