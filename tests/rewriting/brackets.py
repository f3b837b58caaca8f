"""Rewritings of a Python module by brackets that change nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rewriting.edits import Edit, insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rewriting.module import Module


def _bracketed(module: Module, nodes: Iterable[ast.AST | None]) -> Iterator[Edit]:
    for node in nodes:
        if node is not None and not isinstance(node, ast.Starred):
            start, end = module.span(node)
            yield insert(start, "(")
            yield insert(end, ")")


def bracketed_callees(module: Module) -> Iterator[Edit]:
    return _bracketed(module, (node.func for node in module.nodes(ast.Call)))  # type: ignore[attr-defined]


def bracketed_arguments(module: Module) -> Iterator[Edit]:
    calls: Sequence[ast.Call] = list(module.nodes(ast.Call))  # type: ignore[arg-type]
    yield from _bracketed(module, (arg for call in calls for arg in call.args))
    yield from _bracketed(module, (keyword.value for call in calls for keyword in call.keywords))


def bracketed_owners(module: Module) -> Iterator[Edit]:
    annotated = {node.target for node in module.nodes(ast.AnnAssign)}  # type: ignore[attr-defined]
    owning = (node for node in module.nodes(ast.Attribute) if node not in annotated)
    return _bracketed(module, (node.value for node in owning))  # type: ignore[attr-defined]


def bracketed_values(module: Module) -> Iterator[Edit]:
    kinds = (ast.Assign, ast.AnnAssign, ast.Return, ast.Await, ast.Expr, ast.keyword, ast.NamedExpr)
    return _bracketed(module, (node.value for node in module.nodes(*kinds) if not _is_docstring(node)))  # type: ignore[attr-defined]


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def bracketed_headers(module: Module) -> Iterator[Edit]:
    yield from _bracketed(module, (node.type for node in module.nodes(ast.ExceptHandler)))  # type: ignore[attr-defined]
    yield from _bracketed(module, (node.test for node in module.nodes(ast.If, ast.While)))  # type: ignore[attr-defined]
    yield from _bracketed(module, (node.iter for node in module.nodes(ast.For, ast.AsyncFor)))  # type: ignore[attr-defined]
    yield from _bracketed(module, (node.exc for node in module.nodes(ast.Raise)))  # type: ignore[attr-defined]
    withs: Sequence[ast.With] = list(module.nodes(ast.With, ast.AsyncWith))  # type: ignore[arg-type]
    yield from _bracketed(module, (item.context_expr for node in withs for item in node.items))
    definitions: Sequence[ast.FunctionDef] = list(
        module.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)  # type: ignore[arg-type]
    )
    yield from _bracketed(module, (decorator for node in definitions for decorator in node.decorator_list))
    classes: Sequence[ast.ClassDef] = list(module.nodes(ast.ClassDef))  # type: ignore[arg-type]
    yield from _bracketed(module, (base for node in classes for base in node.bases))


def bracketed_targets(module: Module) -> Iterator[Edit]:
    assigns: Sequence[ast.Assign] = list(module.nodes(ast.Assign))  # type: ignore[arg-type]
    yield from _bracketed(module, (target for node in assigns for target in node.targets))
    yield from _bracketed(module, (node.target for node in module.nodes(ast.For, ast.AsyncFor)))  # type: ignore[attr-defined]
    withs: Sequence[ast.With] = list(module.nodes(ast.With, ast.AsyncWith))  # type: ignore[arg-type]
    yield from _bracketed(module, (item.optional_vars for node in withs for item in node.items))


def bracketed_twice(module: Module) -> Iterator[Edit]:
    for edit in bracketed_values(module):
        yield Edit(edit.start, edit.end, edit.new * 2)
