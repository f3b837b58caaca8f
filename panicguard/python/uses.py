"""What is done with a value: the ways in which it may be used."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from libcst import CSTNode


class UseKind(str, enum.Enum):
    """What is done with a value, and which node the use has."""

    DROPPED = "dropped"
    """Nothing: a statement of its own, a piece of an f-string, a loop that binds no name."""
    AWAITED = "awaited"
    """Awaited; the node is the `await`."""
    WAITED = "waited"
    """Waited for until it ends, without reading its result; the node is the call that waits."""
    RETURNED = "returned"
    """Returned; the node is the `return`."""
    LAMBDA = "lambda"
    """Returned by a lambda, which is the node."""
    YIELDED = "yielded"
    """Yielded; the node is the `yield`, or the `from` of one."""
    ARGUMENT = "argument"
    """Passed to code that is not known to keep it or to read it; the node is the call, `name` the keyword or the place
    of the argument; or the node is the container of a caller."""
    KEPT = "kept"
    """Kept in an attribute, a global or a container that lives on; the node is the target, `name` its name."""
    HELD = "held"
    """Put into a container in a variable of a function, which holds it for as long; the node is the variable."""
    METHOD = "method"
    """A method called, or an attribute read, `name` says which; the node is the call, or the attribute."""
    TESTED = "tested"
    """Compared, tested for truth, deleted or looked at by a builtin, none of which learns of an error."""
    OTHER = "other"
    """Anything else."""


class Use(NamedTuple):
    """One use of a value; `node` and `name`: see `UseKind`."""

    kind: UseKind
    node: CSTNode
    name: str = ""
