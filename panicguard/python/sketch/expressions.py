"""Expressions, and what they are made of, as libcst has them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from panicguard.python.cst import cst
from panicguard.python.sketch.make import new

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from libcst import CSTNode

_STRING = re.compile(
    r"""[rRbBuUfF]{0,2}(?:\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''"""
    r"""|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')""",
    re.DOTALL,
)
"""One string, not several side by side."""
_QUOTE = re.compile(r"[rRbBuUfF]*(?:\"{3}|'{3}|\"|')")


class NoSketchError(Exception):
    """There is something in the text of which only libcst can tell how it is made up."""


class Expressions:
    """Sketches the expressions of a text. `origins` gets, for each node that Python places exactly as libcst does, the
    node of Python's tree."""

    def __init__(self, lines: Sequence[str], origins: dict[CSTNode, ast.AST]) -> None:
        self._lines, self._origins = lines, origins
        self._is_in_f_string = False
        """CPython before 3.12 does not know where the parts of an f-string stand."""

    def expression(self, node: ast.expr) -> CSTNode:
        sketcher = _EXPRESSIONS.get(type(node))
        if sketcher is None:
            raise NoSketchError
        made: CSTNode = sketcher(self, node)
        if not self._is_in_f_string and type(node) not in _BRACKETED:
            self._origins[made] = node
        return made

    def expressions(self, nodes: Sequence[ast.expr]) -> list[CSTNode]:
        return [self.expression(node) for node in nodes]

    def optional(self, node: ast.expr | None) -> CSTNode | None:
        return None if node is None else self.expression(node)

    def annotation(self, node: ast.expr | None) -> CSTNode | None:
        return None if node is None else new.Annotation(annotation=self.expression(node))

    def call(self, node: ast.Call) -> CSTNode:
        return new.Call(func=self.expression(node.func), args=self.arguments(node.args, node.keywords, node.func))

    def arguments(
        self, args: Sequence[ast.expr], keywords: Sequence[ast.keyword], func: ast.expr | None = None
    ) -> list[Any]:
        both: list[Any] = [*args, *keywords]
        if keywords and any(type(arg) is ast.Starred for arg in args):
            both.sort(key=lambda node: (node.lineno, node.col_offset))
        return [self.argument(node, func) for node in both]

    def argument(self, node: Any, func: ast.expr | None) -> CSTNode:
        star, keyword, value = "", None, node
        if type(node) is ast.keyword:
            star, value = "" if node.arg else "**", node.value
            keyword = new.Name(value=node.arg) if node.arg else None
        elif type(node) is ast.Starred:
            star, value = "*", node.value
        made = new.Arg(value=self.expression(value), keyword=keyword, star=star)
        if not self._is_in_f_string and (value is not node or self._has_no_brackets(node, func)):
            self._origins[made] = node
        return made

    def _has_no_brackets(self, node: ast.expr, func: ast.expr | None) -> bool:
        """Whether an argument certainly stands in no brackets of its own: it follows a comma, or what is called."""
        row = node.lineno - 1
        before = self._lines[row][: node.col_offset].rstrip() if self._lines[row].isascii() else "?"
        if not before:
            row -= 1
            before = self._lines[row].rstrip()
            if "#" in before or not before.isascii():
                return False
        if type(node) in _BRACKETED or row < 0 or not before:
            return False
        if before[-1] == "(" and func is not None:
            return (func.end_lineno, func.end_col_offset) == (row + 1, len(before) - 1)
        return before[-1] == ","

    def parameters(self, args: ast.arguments) -> CSTNode:
        positional = [*args.posonlyargs, *args.args]
        defaults = [*[None] * (len(positional) - len(args.defaults)), *args.defaults]
        made = [self.parameter(arg, default) for arg, default in zip(positional, defaults, strict=True)]
        only = len(args.posonlyargs)
        star: Any = cst.MaybeSentinel.DEFAULT
        if args.vararg is not None:
            star = self.parameter(args.vararg, None, "*")
        elif args.kwonlyargs:
            star = new.ParamStar()
        keywords = [self.parameter(a, default) for a, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
        return new.Parameters(
            posonly_params=made[:only],
            params=made[only:],
            star_arg=star,
            kwonly_params=keywords,
            star_kwarg=self.parameter(args.kwarg, None, "**") if args.kwarg else None,
        )

    def parameter(self, arg: ast.arg, default: ast.expr | None, star: str = "") -> CSTNode:
        return new.Param(
            name=new.Name(value=arg.arg),
            annotation=self.annotation(arg.annotation),
            default=self.optional(default),
            star=star,
        )

    def elements(self, nodes: Sequence[ast.expr]) -> list[CSTNode]:
        return [
            self.starred(node)
            if isinstance(node, ast.Starred)
            else new.Element(value=self.expression(node), comma=None)
            for node in nodes
        ]

    def starred(self, node: ast.Starred) -> CSTNode:
        return new.StarredElement(value=self.expression(node.value))

    def comprehensions(self, nodes: Sequence[ast.comprehension]) -> CSTNode:
        first, *others = nodes
        return new.CompFor(
            target=self.expression(first.target),
            iter=self.expression(first.iter),
            ifs=[new.CompIf(test=self.expression(test)) for test in first.ifs],
            inner_for_in=self.comprehensions(others) if others else None,
            asynchronous=new.Asynchronous() if first.is_async else None,
        )

    def subscript(self, node: ast.Subscript) -> CSTNode:
        within: list[ast.expr] = [node.slice]
        if isinstance(node.slice, ast.Tuple) and node.slice.elts:
            first = node.slice.elts[0]
            if (first.lineno, first.col_offset) == (node.slice.lineno, node.slice.col_offset):
                within = node.slice.elts
            elif self.raw(node.slice).count("(") != 1:
                raise NoSketchError  # whose brackets these are, the elements' or the tuple's, the tree does not say
        return new.Subscript(value=self.expression(node.value), slice=[self.element(part) for part in within])

    def element(self, node: ast.expr) -> CSTNode:
        if isinstance(node, ast.Slice):
            lower, upper, step = map(self.optional, (node.lower, node.upper, node.step))
            return new.SubscriptElement(slice=new.Slice(lower=lower, upper=upper, step=step))
        value = self.expression(node.value if isinstance(node, ast.Starred) else node)
        return new.SubscriptElement(slice=new.Index(value=value))

    def constant(self, node: ast.Constant) -> CSTNode:
        value = node.value
        if value is None or isinstance(value, bool):
            return new.Name(value=str(value))
        if value is ...:
            return new.Ellipsis()
        written = repr(value) if self._is_in_f_string else self.raw(node)
        if not isinstance(value, (str, bytes)):
            return _NUMBERS[type(value)](value=written)
        if _STRING.fullmatch(written):
            return new.SimpleString(value=written)
        none = new.SimpleString(value="''"), new.SimpleString(value="''")
        return new.ConcatenatedString(left=none[0], right=none[1])

    def f_string(self, node: ast.JoinedStr) -> CSTNode:
        was, self._is_in_f_string = self._is_in_f_string, True
        written = "f''" if was else self.raw(node)
        parts = [
            new.FormattedStringExpression(
                expression=self.expression(part.value),
                format_spec=self.f_string(part.format_spec).parts if part.format_spec else None,  # type: ignore
            )
            if isinstance(part, ast.FormattedValue)
            else new.FormattedStringText(value="")
            for part in node.values
        ]
        self._is_in_f_string = was
        quote = _QUOTE.match(written)
        made = new.FormattedString(parts=parts, start=quote[0] if quote else "")
        if was or _STRING.fullmatch(written):
            return made
        # Which of several strings a part is in, the tree does not say: its place is not found in libcst's node then.
        return new.ConcatenatedString(left=made, right=new.SimpleString(value="''"))

    def raw(self, node: Any) -> str:
        """A node as it is written."""
        first, last = node.lineno - 1, node.end_lineno - 1
        rows = [row.encode() for row in self._lines[first : last + 1]]
        rows[-1] = rows[-1][: node.end_col_offset]
        rows[0] = rows[0][node.col_offset :]
        return b"\n".join(rows).decode(errors="replace")


def _boolean(sketcher: Expressions, node: ast.BoolOp) -> CSTNode:
    made = sketcher.expression(node.values[0])
    operator = _BOOLEAN[type(node.op)]
    for value in node.values[1:]:
        made = new.BooleanOperation(left=made, operator=operator, right=sketcher.expression(value))
    return made


def _pair(sketcher: Expressions, key: ast.expr | None, value: ast.expr) -> CSTNode:
    if key is None:
        return new.StarredDictElement(value=sketcher.expression(value))
    return new.DictElement(key=sketcher.expression(key), value=sketcher.expression(value))


def _comprehension(maker: Callable[..., CSTNode]) -> Callable[[Expressions, Any], CSTNode]:
    return lambda s, n: maker(elt=s.expression(n.elt), for_in=s.comprehensions(n.generators))


_BRACKETED = frozenset((ast.Tuple, ast.GeneratorExp))
"""What stands, for Python alone, with its brackets."""
_NUMBERS = {int: new.Integer, float: new.Float, complex: new.Imaginary}
_BIT_OR, _OTHER = new.BitOr(), new.Add()
"""The operators between values: what verdicts ask is whether it is `|`."""
_NOT, _MINUS = new.Not(), new.Minus()
"""Those before one: what verdicts ask is whether it is `not`."""
_BOOLEAN: dict[type[ast.boolop], CSTNode] = {ast.And: new.And(), ast.Or: new.Or()}
_COMPARING: dict[type[ast.cmpop], CSTNode] = {
    ast.Is: new.Is(),
    ast.IsNot: new.IsNot(),
    ast.Eq: new.Equal(),
    ast.NotEq: new.NotEqual(),
    ast.In: new.In(),
    ast.NotIn: new.NotIn(),
}
_ORDERING = new.LessThan()
"""All other comparisons: no verdict asks which."""
_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any], CSTNode]] = {
    ast.Name: lambda s, n: new.Name(value=n.id),
    ast.Attribute: lambda s, n: new.Attribute(value=s.expression(n.value), attr=new.Name(value=n.attr)),
    ast.Call: Expressions.call,
    ast.Await: lambda s, n: new.Await(expression=s.expression(n.value)),
    ast.Yield: lambda s, n: new.Yield(value=s.optional(n.value)),
    ast.YieldFrom: lambda s, n: new.Yield(value=new.From(item=s.expression(n.value))),
    ast.NamedExpr: lambda s, n: new.NamedExpr(target=s.expression(n.target), value=s.expression(n.value)),
    ast.IfExp: lambda s, n: new.IfExp(
        test=s.expression(n.test), body=s.expression(n.body), orelse=s.expression(n.orelse)
    ),
    ast.Lambda: lambda s, n: new.Lambda(params=s.parameters(n.args), body=s.expression(n.body)),
    ast.BoolOp: _boolean,
    ast.BinOp: lambda s, n: new.BinaryOperation(
        left=s.expression(n.left),
        operator=_BIT_OR if type(n.op) is ast.BitOr else _OTHER,
        right=s.expression(n.right),
    ),
    ast.UnaryOp: lambda s, n: new.UnaryOperation(
        operator=_NOT if type(n.op) is ast.Not else _MINUS, expression=s.expression(n.operand)
    ),
    ast.Compare: lambda s, n: new.Comparison(
        left=s.expression(n.left),
        comparisons=[
            new.ComparisonTarget(operator=_COMPARING.get(type(op), _ORDERING), comparator=s.expression(c))
            for op, c in zip(n.ops, n.comparators, strict=True)
        ],
    ),
    ast.Subscript: Expressions.subscript,
    ast.Starred: Expressions.starred,
    ast.Tuple: lambda s, n: new.Tuple(elements=s.elements(n.elts)),
    ast.List: lambda s, n: new.List(elements=s.elements(n.elts)),
    ast.Set: lambda s, n: new.Set(elements=s.elements(n.elts)),
    ast.Dict: lambda s, n: new.Dict(elements=[_pair(s, k, v) for k, v in zip(n.keys, n.values, strict=True)]),
    ast.ListComp: _comprehension(new.ListComp),
    ast.SetComp: _comprehension(new.SetComp),
    ast.GeneratorExp: _comprehension(new.GeneratorExp),
    ast.DictComp: lambda s, n: new.DictComp(
        key=s.expression(n.key), value=s.expression(n.value), for_in=s.comprehensions(n.generators)
    ),
    ast.Constant: Expressions.constant,
    ast.JoinedStr: Expressions.f_string,
}
