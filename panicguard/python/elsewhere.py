"""What is known of names from other modules of the project, looked up by name: see `settings.Imported`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panicguard.settings import Imported


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The names that a file imports and may spawn with."""

    imported: tuple[Imported, ...] = ()

    def at_home(self, name: str) -> str:
        """The name where the other module has it from; for a method of what comes from there, where that is defined."""
        for known in self.imported:
            rest = name.removeprefix(known.name) if name.startswith(known.name) else None
            if (rest == "" and known.kind == "alias") or (
                rest and rest[0] == "." and known.kind not in ("spawner", "keeps")
            ):
                return f"{known.of}{rest}"
        return name

    def of(self, name: object, kind: str) -> str | None:
        """What a name is an instance of, derives from or hands on to, by the kind of what is known."""
        return next((known.of for known in self.imported if known.name == name and known.kind == kind), None)
