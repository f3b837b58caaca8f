"""A module and its statements as libcst has them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from panicguard.python.sketch.expressions import Expressions, NoSketchError
from panicguard.python.sketch.make import new

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    import libcst as cst
    from libcst import CSTNode


@dataclass
class Sketch:
    """A module of libcst's nodes; for those that Python places exactly as libcst does, the node of Python's tree; and
    for each statement that can be parsed by itself, its rows (from 0)."""

    root: cst.Module
    origins: dict[CSTNode, ast.AST] = field(default_factory=dict)
    statements: dict[CSTNode, range] = field(default_factory=dict)


def sketch(tree: ast.Module, text: str, aliases: Container[int] = ()) -> Sketch:
    """A sketch of the tree that CPython has of a text; assignments in the rows (from 0) of `aliases` are type aliases.
    Raises NoSketchError."""
    made = Sketch(new.Module(body=(), default_indent="    ", default_newline="\n"))  # type: ignore[arg-type]
    try:
        body = _Sketcher(text.split("\n"), made, aliases).statements(tree.body)
    except RecursionError:
        raise NoSketchError from None
    object.__setattr__(made.root, "body", body)
    return made


class _Sketcher:
    def __init__(self, lines: Sequence[str], made: Sketch, aliases: Container[int]) -> None:
        self.lines, self.made, self.aliases = lines, made, aliases
        self.parts = Expressions(lines, made.origins)

    def statements(self, body: Sequence[ast.stmt]) -> list[CSTNode]:
        found: list[CSTNode] = []
        last = 0
        line: list[CSTNode] = []
        for node in body:
            compound = _COMPOUND.get(type(node))
            if compound is not None:
                made = compound(self, node)
                found.append(made)
                self.made.origins[made] = node
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
                self.made.statements[made] = range(first - 1, node.end_lineno or 0)
                continue
            if not (line and node.lineno == last):
                line = []
                found.append(new.SimpleStatementLine(body=line))
                first = node.lineno
            line.append(self.simple(node))
            last = node.end_lineno or 0
            self.made.statements[found[-1]] = range(first - 1, last)
        return found

    def simple(self, node: ast.stmt) -> CSTNode:
        sketcher = _SIMPLE.get(type(node))
        if sketcher is None:
            raise NoSketchError
        made = sketcher(self, node)
        self.made.origins[made] = node
        return made

    def assignment(self, node: ast.Assign) -> CSTNode:
        value = self.parts.expression(node.value)
        if node.lineno - 1 in self.aliases:
            return new.TypeAlias(name=self.parts.expression(node.targets[0]), value=value)
        return new.Assign(
            targets=[new.AssignTarget(target=self.parts.expression(target)) for target in node.targets], value=value
        )

    def block(self, body: Sequence[ast.stmt]) -> CSTNode:
        """The body of a compound statement: in rows of its own, or in that of the header."""
        first = body[0]
        row = first.lineno - 1
        if type(first) in _COMPOUND:
            return new.IndentedBlock(body=self.statements(body))
        if row and self.lines[row - 1].endswith("\\"):
            raise NoSketchError
        if self.lines[row].encode()[: first.col_offset].strip():
            return new.SimpleStatementSuite(body=[self.simple(node) for node in body])
        return new.IndentedBlock(body=self.statements(body))

    def otherwise(self, body: Sequence[ast.stmt]) -> CSTNode | None:
        return new.Else(body=self.block(body)) if body else None

    def branch(self, node: ast.If) -> CSTNode:
        below = node.orelse[0] if len(node.orelse) == 1 else None
        orelse: CSTNode | None
        if isinstance(below, ast.If) and self.lines[below.lineno - 1].lstrip(" \t\f").startswith("elif"):
            orelse = self.branch(below)
        else:
            orelse = self.otherwise(node.orelse)
        return new.If(test=self.parts.expression(node.test), body=self.block(node.body), orelse=orelse)

    def attempt(self, node: ast.Try) -> CSTNode:
        return self._attempt(node, new.Try, new.ExceptHandler)

    def group_attempt(self, node: Any) -> CSTNode:
        return self._attempt(node, new.TryStar, new.ExceptStarHandler)

    def _attempt(self, node: ast.Try, attempt: Callable[..., CSTNode], handler: Callable[..., CSTNode]) -> CSTNode:
        body = self.block(node.body)
        handlers = [self._handler(caught, handler) for caught in node.handlers]
        orelse = self.otherwise(node.orelse)
        final = new.Finally(body=self.block(node.finalbody)) if node.finalbody else None
        return attempt(body=body, handlers=handlers, orelse=orelse, finalbody=final)

    def _handler(self, node: ast.ExceptHandler, handler: Callable[..., CSTNode]) -> CSTNode:
        made = handler(
            type=self.parts.optional(node.type),
            name=new.AsName(name=new.Name(value=node.name)) if node.name else None,
            body=self.block(node.body),
        )
        self.made.origins[made] = node
        return made

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> CSTNode:
        return new.FunctionDef(
            decorators=self.decorators(node.decorator_list),
            name=new.Name(value=node.name),
            params=self.parts.parameters(node.args),
            returns=self.parts.annotation(node.returns),
            body=self.block(node.body),
            asynchronous=new.Asynchronous() if isinstance(node, ast.AsyncFunctionDef) else None,
        )

    def decorators(self, nodes: Sequence[ast.expr]) -> list[CSTNode]:
        return [new.Decorator(decorator=self.parts.expression(node)) for node in nodes]

    def definition(self, node: ast.ClassDef) -> CSTNode:
        args = self.parts.arguments(node.bases, node.keywords)
        plain = next((at for at, arg in enumerate(args) if arg.keyword is not None or arg.star == "**"), len(args))
        return new.ClassDef(
            decorators=self.decorators(node.decorator_list),
            name=new.Name(value=node.name),
            bases=args[:plain],
            keywords=args[plain:],
            body=self.block(node.body),
        )

    def context(self, node: ast.With | ast.AsyncWith) -> CSTNode:
        items = [
            new.WithItem(
                item=self.parts.expression(item.context_expr),
                asname=new.AsName(name=self.parts.expression(item.optional_vars)) if item.optional_vars else None,
            )
            for item in node.items
        ]
        asynchronous = new.Asynchronous() if isinstance(node, ast.AsyncWith) else None
        return new.With(items=items, body=self.block(node.body), asynchronous=asynchronous)

    def loop(self, node: ast.For | ast.AsyncFor) -> CSTNode:
        return new.For(
            target=self.parts.expression(node.target),
            iter=self.parts.expression(node.iter),
            body=self.block(node.body),
            orelse=self.otherwise(node.orelse),
            asynchronous=new.Asynchronous() if isinstance(node, ast.AsyncFor) else None,
        )


def _dotted(name: str) -> CSTNode:
    first, *others = name.split(".")
    made = new.Name(value=first)
    for other in others:
        made = new.Attribute(value=made, attr=new.Name(value=other))
    return made


def _aliases(names: Sequence[ast.alias]) -> list[CSTNode]:
    return [
        new.ImportAlias(
            name=_dotted(alias.name),
            asname=new.AsName(name=new.Name(value=alias.asname)) if alias.asname else None,
        )
        for alias in names
    ]


_SIMPLE: dict[type[ast.stmt], Callable[[_Sketcher, Any], CSTNode]] = {
    ast.Expr: lambda s, n: new.Expr(value=s.parts.expression(n.value)),
    ast.Assign: _Sketcher.assignment,
    ast.AnnAssign: lambda s, n: new.AnnAssign(
        target=s.parts.expression(n.target),
        annotation=s.parts.annotation(n.annotation),
        value=s.parts.optional(n.value),
    ),
    ast.AugAssign: lambda s, n: new.AugAssign(target=s.parts.expression(n.target), value=s.parts.expression(n.value)),
    ast.Return: lambda s, n: new.Return(value=s.parts.optional(n.value)),
    ast.Raise: lambda s, n: new.Raise(
        exc=s.parts.optional(n.exc), cause=new.From(item=s.parts.expression(n.cause)) if n.cause else None
    ),
    ast.Assert: lambda s, n: new.Assert(test=s.parts.expression(n.test), msg=s.parts.optional(n.msg)),
    ast.Delete: lambda s, n: new.Del(
        target=s.parts.expression(n.targets[0])
        if len(n.targets) == 1
        else new.Tuple(elements=s.parts.elements(n.targets))
    ),
    ast.Pass: lambda s, n: new.Pass(),
    ast.Break: lambda s, n: new.Break(),
    ast.Continue: lambda s, n: new.Continue(),
    ast.Global: lambda s, n: new.Global(names=[new.NameItem(name=new.Name(value=name)) for name in n.names]),
    ast.Nonlocal: lambda s, n: new.Nonlocal(names=[new.NameItem(name=new.Name(value=name)) for name in n.names]),
    ast.Import: lambda s, n: new.Import(names=_aliases(n.names)),
    ast.ImportFrom: lambda s, n: new.ImportFrom(
        module=_dotted(n.module) if n.module else None,
        names=new.ImportStar() if n.names[0].name == "*" else _aliases(n.names),
        relative=[new.Dot() for _ in range(n.level)],
    ),
}
_COMPOUND: dict[type[ast.stmt], Callable[[_Sketcher, Any], CSTNode]] = {
    ast.If: _Sketcher.branch,
    ast.While: lambda s, n: new.While(
        test=s.parts.expression(n.test), body=s.block(n.body), orelse=s.otherwise(n.orelse)
    ),
    ast.For: _Sketcher.loop,
    ast.AsyncFor: _Sketcher.loop,
    ast.With: _Sketcher.context,
    ast.AsyncWith: _Sketcher.context,
    ast.Try: _Sketcher.attempt,
    **({ast.TryStar: _Sketcher.group_attempt} if hasattr(ast, "TryStar") else {}),
    ast.FunctionDef: _Sketcher.function,
    ast.AsyncFunctionDef: _Sketcher.function,
    ast.ClassDef: _Sketcher.definition,
}
