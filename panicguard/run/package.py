"""What a Go file needs to know of the other files of its package: which of their functions recover, and which names
they declare, which an import cannot have. They are read only where there is a finding to which that could matter."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from panicguard import engine
from panicguard.files import gomod
from panicguard.source import Source

if TYPE_CHECKING:
    from panicguard.diagnostic import Diagnostic
    from panicguard.settings import Settings

_WORD = re.compile(r"\w+")
_RECOVERING = re.compile(r"[rR]ecover")
_GUARDED = "PNC121"
"""The rule for whose findings it matters what recovers."""


def check(source: Source, settings: Settings) -> tuple[tuple[Diagnostic, ...], Settings]:
    """The diagnostics of a file, and the settings they hold for.

    Those are `settings` itself where nothing depends on other files: then `engine.check` has the last word. Every check
    of a fixed version is to go by them too.
    """
    diagnostics = engine.check(source, settings)
    if source.language != "go" or not PurePath(source.path).is_absolute():
        return diagnostics, settings
    package = settings
    if any(diagnostic.code == _GUARDED for diagnostic in diagnostics):
        package = _with_guards(source.path, settings)
        if package != settings:
            diagnostics = engine.check(source, package)
    edits = [edit for diagnostic in diagnostics if diagnostic.fix is not None for edit in diagnostic.fix.edits]
    if not edits:
        return diagnostics, package
    package = replace(package, go_names=gomod.declared_beside(source.path))
    written = {word for edit in edits for word in _WORD.findall(edit.content)}
    return (diagnostics if package.go_names.isdisjoint(written) else engine.check(source, package)), package


def _with_guards(path: str, settings: Settings) -> Settings:
    """Settings, a new object, that know what recovers in the other files of a file's package."""
    known = [_guards_in(other, stamp, settings) for other, stamp in gomod.beside(path)]
    recovering = frozenset().union(*(recovering for recovering, _ in known))
    return replace(settings, go_recovering=recovering, go_guarded=frozenset().union(*(guarded for _, guarded in known)))


@functools.lru_cache(maxsize=4096)
def _guards_in(path: str, stamp: gomod.Stamp, settings: Settings) -> tuple[frozenset[str], frozenset[str]]:
    """The functions of a file that recover where they are deferred, and those that recover from their own panics. The
    stamp makes it be read again once it has changed."""
    text = gomod.text_of(path)
    if _RECOVERING.search(text) is None:
        return frozenset(), frozenset()
    from panicguard.go.file import parse
    from panicguard.go.guards import guarded, recovering  # only where there is Go

    module = parse(Source(path, text, "go"), settings)
    return recovering(module), guarded(module)
