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
    found = [path for suffix in ("py", "ipynb") for path in FIXTURES.glob(f"PNC*/**/*.{suffix}")]
    return sorted(path for path in found if not path.stem.endswith(".fixed"))


def golden(case: Path) -> Path:
    return case.with_name(f"{case.stem}.fixed{case.suffix}")


def wants(text: str) -> list[Want]:
    return [
        Want(row + int(match["offset"] or 0), code, pattern)
        for row, line in enumerate(text.split("\n"), 1)
        for match in WANT.finditer(line)
        for code, pattern in _ONE.findall(match["wants"])
    ]


def source(case: Path, data: bytes | None = None) -> Source:
    """The source in a case, or in other bytes of the same name."""
    data = case.read_bytes() if data is None else data
    return Source.decode(case.name, data, notebook=case.suffix == ".ipynb")


def settings_of(case: Path) -> Settings:
    """All rules; and what a settings.toml beside the case says."""
    configured = case.with_name("settings.toml")
    its = settings.load(str(configured)) if configured.exists() else settings.default("")
    return dataclasses.replace(its, root="")
