"""One parsed Go file as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

from panicguard.diagnostic import Finding
from panicguard.go import nodes
from panicguard.go.names import GoNames
from panicguard.go.scopes import Scopes
from panicguard.go.spawns import Spawn, find, hooks, namings
from panicguard.go.tree import Tree, parsed
from panicguard.go.uses import is_useless, uses_of
from panicguard.go.versions import NEWEST, build_version
from panicguard.settings import GO_CALL, is_boundary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Fix
    from panicguard.settings import Settings
    from panicguard.source import Source


@dataclass(frozen=True, eq=False)
class GoFile:
    """A Go file and what is known about it. Rules query it; they never parse, resolve names or count columns."""

    source: Source
    settings: Settings
    tree: Tree
    names: GoNames

    @cached_property
    def is_fixable(self) -> bool:
        """Whether a spawn may be rewritten: not with cgo, whose functions are not values, nor if it is unclear where to
        write an import."""
        imports, package = self.tree.all("import_declaration"), self.tree.all("package_clause")
        return (
            "C" not in self.names.imports.values()
            and bool(package)
            and not any(declaration.has_error for declaration in imports)
        )

    def is_part_of(self, path: str) -> bool:
        """Whether the file seems to be of the package with this import path, which cannot import itself."""
        return PurePath(self.source.path).parent.as_posix().endswith(f"/{path.partition('/')[2] or path}")

    @property
    def has_own_runtime(self) -> bool:
        """Whether the functions of the runtime have the signatures of panicguard's own: there is no `go-call`."""
        return self.settings.go_call == GO_CALL

    @cached_property
    def version(self) -> tuple[int, int]:
        """The version of Go that the file is for: according to its `//go:build` line, else its module, else a recent
        one."""
        return build_version(self.source.text) or self.settings.go_version or NEWEST

    @cached_property
    def is_boundary(self) -> bool:
        """Whether the file belongs to a package that `boundary-packages` names."""
        return is_boundary(self.settings, self.source.path)

    def calls(self, *functions: str) -> list[Node]:
        """The calls of functions of other packages, which have these names."""
        calls = self.tree.calls(*(function.rpartition(".")[2] for function in functions))
        return [call for call in calls if self.names.qualified(nodes.callee(call)) in functions]

    @cached_property
    def spawns(self) -> tuple[Spawn, ...]:
        return tuple(find(self.tree, self.names))

    @property
    def namings(self) -> Iterator[Node]:
        """See `spawns.namings`."""
        return namings(self.tree, self.names)

    @property
    def hooks(self) -> Iterator[tuple[Node, Node]]:
        """See `spawns.hooks`."""
        return hooks(self.tree, self.names)

    @cached_property
    def recovers(self) -> tuple[Node, ...]:
        """The calls of the builtin `recover`."""
        calls = self.tree.calls("recover")
        return tuple(call for call in calls if self.names.is_builtin(nodes.callee(call), "recover"))

    @cached_property
    def recovering(self) -> dict[int, Node]:
        """The functions and literals of this file that call `recover` themselves, by the ids of their nodes."""
        functions = {}
        for call in self.recovers:
            function = nodes.function(call)
            if function is not None:
                functions[function.id] = function
        return functions

    @cached_property
    def recovering_calls(self) -> dict[int, list[Node]]:
        """The calls, other than by `defer`, of the functions of this file that recover and do nothing else, by the ids
        of those functions; and where one is passed to something that calls it so."""
        recovering = {key: node for key, node in self.recovering.items() if _only_recovers(node)}
        names = {nodes.text(node.child_by_field_name("name")) for node in recovering.values()}
        calls: dict[int, list[Node]] = {}
        for call in self.tree.calls(*sorted(names)):
            declared = self.names.declared(nodes.callee(call)) if not nodes.is_deferred_call(call) else None
            if declared is not None and declared.id in recovering:
                calls.setdefault(declared.id, []).append(call)
        for key, node in recovering.items():
            passed = [use for use in uses_of(self.names, node) if nodes.is_called(use) is None]
            if useless := [use for use in passed if is_useless(self.names, use)]:
                calls.setdefault(key, []).extend(useless)
        return calls

    @cached_property
    def deferred(self) -> frozenset[int]:
        """The ids of the functions and literals of this file that a `defer` in it calls."""
        called = (nodes.statement_call(statement) for statement in self.tree.all("defer_statement"))
        functions = (self.names.declared(nodes.callee(call)) for call in called if call is not None)
        return frozenset(function.id for function in functions if function is not None)

    def span(self, node: Node) -> tuple[int, int]:
        """Start and end of a node, as offsets (code points) into the source."""
        return self.tree.span(node)

    def finding(self, node: Node, message: str, fix: Fix | None = None) -> Finding:
        return Finding(*self.span(node), message, fix)


def _only_recovers(around: Node) -> bool:
    """Whether a named function does nothing but call `recover` and handle the result."""
    if around.type == "func_literal":
        return False
    body = nodes.statements(around.child_by_field_name("body"))
    is_short = 0 < len(body) <= len(("r := recover()", "if r != nil {}"))
    return is_short and any(map(_calls_recover, nodes.within(body[0])))


def _calls_recover(node: Node) -> bool:
    return node.type == "call_expression" and nodes.text(nodes.callee(node)) == "recover"


def parse(source: Source, settings: Settings) -> GoFile:
    tree = parsed(source.text)
    return GoFile(source, settings, tree, GoNames(Scopes(tree), settings.go_runtime, settings.go_names))
