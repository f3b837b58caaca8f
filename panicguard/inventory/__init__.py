"""The spawns of a file in plain words, the same for every language.

site    what is said about a spawn
python  the spawns of a Python file
go      the spawns of a Go file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from panicguard.inventory.site import SpawnSite
    from panicguard.settings import Settings
    from panicguard.source import Source


def site_at(source: Source, settings: Settings, offset: int) -> SpawnSite | None:
    """The spawn whose name or keyword contains an offset (code points); None if there is none."""
    return _SITES[source.language](source, settings, offset)


def _python_site(source: Source, settings: Settings, offset: int) -> SpawnSite | None:
    from panicguard.inventory.python import site_at

    return site_at(source, settings, offset)


def _go_site(source: Source, settings: Settings, offset: int) -> SpawnSite | None:
    from panicguard.inventory.go import site_at

    return site_at(source, settings, offset)


_SITES: Mapping[str, Callable[[Source, Settings, int], SpawnSite | None]] = {"python": _python_site, "go": _go_site}
"""By language. The parser of a language is imported only for its files."""
