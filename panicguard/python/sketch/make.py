"""Nodes of libcst's classes, made without their whitespace and punctuation, and without being checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panicguard.python.cst import cst
from panicguard.python.nodes import child_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from libcst import CSTNode

_TABLE = """
Module body default_indent default_newline
SimpleStatementLine body | SimpleStatementSuite body | IndentedBlock body
Expr value | Assign targets value | AssignTarget target | AnnAssign target annotation value
AugAssign target value | Annotation annotation | Return value | Raise exc cause | From item | Assert test msg
Del target | TypeAlias name value | Pass | Break | Continue | Global names | Nonlocal names | NameItem name
Import names | ImportFrom module names relative | ImportAlias name asname | AsName name | ImportStar | Dot
If test body orelse | Else body | While test body orelse | For target iter body orelse asynchronous
With items body asynchronous | WithItem item asname | Asynchronous
Try body handlers orelse finalbody | TryStar body handlers orelse finalbody | Finally body
ExceptHandler type name body | ExceptStarHandler type name body
FunctionDef decorators name params returns body asynchronous | Decorator decorator
ClassDef decorators name bases keywords body
Parameters posonly_params params star_arg kwonly_params star_kwarg | ParamStar | Param name annotation default star
Name value | Attribute value attr | Call func args | Arg value keyword star | Await expression | Yield value
Lambda params body | IfExp test body orelse | NamedExpr target value
BooleanOperation left operator right | BinaryOperation left operator right | UnaryOperation operator expression
Comparison left comparisons | ComparisonTarget operator comparator
BitOr | Add | Not | Minus | And | Or | Is | IsNot | Equal | NotEqual | In | NotIn | LessThan
Subscript value slice | SubscriptElement slice | Index value | Slice lower upper step
Tuple elements | List elements | Set elements | Dict elements | Element value comma | StarredElement value
DictElement key value | StarredDictElement value
ListComp elt for_in | SetComp elt for_in | GeneratorExp elt for_in | DictComp key value for_in
CompFor target iter ifs inner_for_in asynchronous | CompIf test
Integer value | Float value | Imaginary value | Ellipsis | SimpleString value | ConcatenatedString left right
FormattedString parts start | FormattedStringText value | FormattedStringExpression expression format_spec
"""
"""The classes, and the fields of each that are set; the others that hold nodes are None."""
_FIELDS = {kind: fields for kind, *fields in map(str.split, _TABLE.strip().replace("\n", "|").split("|"))}


def _maker(kind: str, given: list[str]) -> Callable[..., Any]:
    """A function that makes nodes of a class. It is compiled, as those of dataclasses are: a slice has thousands."""
    cls = getattr(cst, kind)
    others = [name for name in child_fields(cls) if name not in given]
    lines = [
        f"def make({', '.join(given)}):",
        " node = new(cls)",
        *(f" put(node, {name!r}, {name})" for name in given),
        *(f" put(node, {name!r}, None)" for name in others),
        " return node",
    ]
    namespace: dict[str, Any] = {"new": object.__new__, "put": object.__setattr__, "cls": cls}
    exec("\n".join(lines), namespace)
    return namespace["make"]  # type: ignore[no-any-return]


class _Makers:
    """A function for each class, by its name; compiled at its first use."""

    def __getattr__(self, kind: str) -> Callable[..., CSTNode]:
        maker = _maker(kind, _FIELDS[kind])
        setattr(self, kind, maker)
        return maker


new = _Makers()
