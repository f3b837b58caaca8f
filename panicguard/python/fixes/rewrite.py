"""What every shape of fix takes and returns: the new arguments as source text, and the edits that rewrite a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit

if TYPE_CHECKING:
    from panicguard.python.file import PythonFile

SAFEGO = "SafeGo"
WITH_CONTEXT = "SafeGoWithContextAndComponent"


class Labels(NamedTuple):
    """The component and the policy of a spawn as they are written, and how they are separated from what follows."""

    component: str
    """With its quotes."""
    policy: str
    separator: str
    """A comma and what follows it: a blank, or a line break and the margin of the next line."""
    quote: str
    """The quote for other strings that are written."""

    def before(self, *others: str) -> str:
        """The text that goes before the first argument: the component, the policy and then `others`."""
        return "".join(part + self.separator for part in (self.component, self.policy, *others))


class Rewrite(NamedTuple):
    """The function of the runtime that is called instead, and the edits to the arguments. `unsafe`: the program may
    behave differently."""

    callee: str
    edits: list[Edit]
    unsafe: bool = False


def insert(at: int, text: str) -> Edit:
    """The edit that inserts `text` at an offset (code points)."""
    return Edit(at, at, text)


def may_remove_comment(module: PythonFile, edit: Edit) -> bool:
    """Whether there is a `#` in the text that an edit removes; it may also stand in a string."""
    return "#" in module.source.text[edit.start : edit.end]
