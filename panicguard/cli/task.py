"""What a run is to do, from its flags and the settings of the directory it runs in. Nothing else asks those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.cli.flags import ADDING
from panicguard.config import ConfigError
from panicguard.files import links
from panicguard.run.task import Does, Task

if TYPE_CHECKING:
    from panicguard.config.options import Options
    from panicguard.settings import Settings
    from panicguard.suppression.write import Annotation


def task_of(settings: Settings, options: Options) -> Task:
    """What to do with each file. Raises ConfigError for a reason that a suppression comment cannot hold."""
    annotation = _annotation_of(options)
    does = _does(settings, options, annotation)
    return Task(
        does,
        unsafe=settings.unsafe_fixes,
        annotation=annotation,
        trees=tuple(map(links.tree_of, options.paths or (".",))),
        only=settings.fix_only and does is Does.FIX,
        lists_fixes=settings.show_fixes and does is Does.FIX,
    )


def is_fix_ignored(settings: Settings, task: Task) -> bool:
    """Whether the settings ask for fixes where comments are added instead."""
    return task.does is Does.ANNOTATE and (settings.fix or settings.fix_only)


def _does(settings: Settings, options: Options, annotation: Annotation | None) -> Does:
    if annotation is not None:
        return Does.ANNOTATE
    if options.diff:
        return Does.DIFF
    return Does.FIX if settings.fix or settings.fix_only else Does.CHECK


def _annotation_of(options: Options) -> Annotation | None:
    """What suppression comments to add, if any. Raises ConfigError for a reason that a comment cannot hold."""
    for name, kind in ADDING.items():
        reason = getattr(options, name)
        if reason is not None:
            from panicguard.suppression.directives import Kind
            from panicguard.suppression.write import Annotation

            if len(reason.splitlines()) > 1:
                raise ConfigError(f"--{name.replace('_', '-')} <reason> cannot contain newline characters")
            return Annotation(Kind(kind), reason.strip())
    return None
