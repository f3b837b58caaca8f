"""The labelled inputs under fixtures/: a folder a rule, `# want CODE "regex"` on the lines that must be flagged, in Go
`// want`. The folder `guide` has what a guide to goroutines recommends, which is clean, and what it warns against."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from panicguard import config
from panicguard.run import hooks, modules
from panicguard.settings import FRONT_ENDS, LANGUAGES
from panicguard.source import Source

if TYPE_CHECKING:
    from panicguard.settings import Settings

FIXTURES = Path(__file__).parent.parent / "fixtures"
WANT = re.compile(
    r"(?P<mark>#|//) want(?P<offset>[+-]\d+)? (?P<wants>PNC\d+(?: \"[^\"]*\")?(?:, PNC\d+(?: \"[^\"]*\")?)*)"
)
_ONE = re.compile(r"(PNC\d+)(?: \"([^\"]*)\")?")


class Want(NamedTuple):
    row: int
    code: str
    pattern: str


def cases() -> list[Path]:
    """All fixture inputs, golden results left out."""
    folders = (*FIXTURES.glob("PNC*"), FIXTURES / "guide")
    found = [path for suffix in LANGUAGES for folder in folders for path in folder.rglob(f"*{suffix}")]
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
    path = case.relative_to(FIXTURES).as_posix() if case.suffix == ".go" else case.name
    return Source.decode(path, data, notebook=case.suffix == ".ipynb", language=FRONT_ENDS[LANGUAGES[case.suffix]])


def settings_of(case: Path) -> Settings:
    """All rules; what a settings.toml beside the case says; and what the case imports from the modules beside it, and
    these set."""
    configured = case.with_name("settings.toml")
    its = config.load(str(configured)) if configured.exists() else config.default("")
    if not (configured.exists() and "line-length" in configured.read_text()):
        its = dataclasses.replace(its, line_length=1000)  # most golden files are not about that, and have long comments
    its = dataclasses.replace(its, root="")
    if case.suffix != ".go":
        its = dataclasses.replace(its, hooks=hooks.known(str(case), its)[0])
    return modules.with_imported(dataclasses.replace(source(case), path=str(case)), its)[0]
