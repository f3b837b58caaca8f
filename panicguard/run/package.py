"""What a file needs to know of others: a Go file which functions of its package recover, and which names that declares,
which an import cannot have; a Python file which hooks its project sets for errors. They are read only where there is a
finding to which that could matter."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from panicguard import engine
from panicguard.files import gomod
from panicguard.files.stamp import stamp
from panicguard.source import Source

if TYPE_CHECKING:
    from panicguard.diagnostic import Diagnostic
    from panicguard.run.hooks import StampOf
    from panicguard.run.modules import Consulted
    from panicguard.settings import Settings

_WORD = re.compile(r"\w+")
_RECOVERING = re.compile(r"[rR]ecover")
_HOOKED = frozenset(("PNC101", "PNC102", "PNC103", "PNC104"))
"""The rules for whose findings it matters who is told of an error."""
_GUARDED = "PNC121"
"""The rule for whose findings it matters what recovers."""


class Checked(NamedTuple):
    """The diagnostics of a file, and the settings they hold for: every check of a fixed version is to go by them too.

    `consulted` are the other files that this depends on. It is not `lasting` where these are not all that it does.
    """

    diagnostics: tuple[Diagnostic, ...]
    settings: Settings
    consulted: Consulted = ()
    lasting: bool = True


def check(source: Source, settings: Settings, stamp_of: StampOf = stamp) -> Checked:
    """What is found in a file as one of its package, or of its project. `stamp_of` tells that other modules changed."""
    diagnostics = engine.check(source, settings)
    if not PurePath(source.path).is_absolute():
        return Checked(diagnostics, settings)
    if source.language == "go":
        return _check_go(source, settings, diagnostics)
    return _check_python(source, settings, diagnostics, stamp_of)


def _check_python(
    source: Source, settings: Settings, diagnostics: tuple[Diagnostic, ...], stamp_of: StampOf
) -> Checked:
    if settings.error_hooks is not None or _HOOKED.isdisjoint(diagnostic.code for diagnostic in diagnostics):
        return Checked(diagnostics, settings)
    from panicguard.run import hooks  # most files have no such finding

    found, consulted = hooks.known(source.path, settings, stamp_of)
    if not found:
        return Checked(diagnostics, settings, consulted)
    hooked = replace(settings, hooks=found)
    return Checked(engine.check(source, hooked), hooked, consulted)


def _check_go(source: Source, settings: Settings, diagnostics: tuple[Diagnostic, ...]) -> Checked:
    package = settings
    if any(diagnostic.code == _GUARDED for diagnostic in diagnostics):
        package = _with_guards(source.path, settings)
        if package != settings:
            diagnostics = engine.check(source, package)
    edits = [edit for diagnostic in diagnostics if diagnostic.fix is not None for edit in diagnostic.fix.edits]
    if not edits:
        return Checked(diagnostics, package, lasting=package is settings)
    package = replace(package, go_names=gomod.declared_beside(source.path))
    written = {word for edit in edits for word in _WORD.findall(edit.content)}
    left = diagnostics if package.go_names.isdisjoint(written) else engine.check(source, package)
    return Checked(left, package, lasting=False)


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
