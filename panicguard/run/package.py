"""What the fixes of a Go file need to know of the other files of its package: an import has none of the names that
those declare. They are read only where there is a fix which that could matter to."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from panicguard import engine
from panicguard.files import gomod

if TYPE_CHECKING:
    from panicguard.diagnostic import Diagnostic
    from panicguard.settings import Settings
    from panicguard.source import Source

_WORD = re.compile(r"\w+")


def check(source: Source, settings: Settings) -> tuple[tuple[Diagnostic, ...], Settings]:
    """The diagnostics of a file, and the settings they hold for.

    Those are `settings` itself where nothing depends on other files: then `engine.check` has the last word. Every check
    of a fixed version is to go by them too.
    """
    diagnostics = engine.check(source, settings)
    edits = [edit for diagnostic in diagnostics if diagnostic.fix is not None for edit in diagnostic.fix.edits]
    if source.language != "go" or not edits or not os.path.isabs(source.path):
        return diagnostics, settings
    package = replace(settings, go_names=gomod.declared_beside(source.path))
    written = {word for edit in edits for word in _WORD.findall(edit.content)}
    return (diagnostics if package.go_names.isdisjoint(written) else engine.check(source, package)), package
