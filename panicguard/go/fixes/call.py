"""The SafeGo call that takes the place of a spawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.apis import CONTEXT
from panicguard.go.fixes.component import component, function_name, quoted
from panicguard.go.nodes import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.fixes.imports import Packages
    from panicguard.go.scopes import Binding


class Rewrite(NamedTuple):
    """The lines that take the place of a statement; all but the first have their margin. `unsafe`: the program may
    behave differently."""

    lines: list[str]
    unsafe: bool = False


class SafeGoCall(NamedTuple):
    """What is needed to write a SafeGo call: the names of its packages, the context, the component and the policy."""

    packages: Packages
    context: str
    variable: Binding | None
    """The variable with the context that is passed on, if it is one."""
    component: str
    name: str
    policy: str
    template: str
    """The setting `go-call`."""

    @classmethod
    def at(cls, module: GoFile, packages: Packages, site: Node) -> SafeGoCall:
        """A call at a node, with the nearest context there."""
        variable = module.names.nearest(site, CONTEXT)
        context = variable.name if variable is not None else f"{packages.context}.Background()"
        policy, template = module.settings.default_policy, module.settings.go_call
        name = function_name(module, site)
        return cls(packages, context, variable, component(module, site), name, policy, template)

    def head(self, parameters: str | None = None) -> str:
        """The call up to the brace of its function's body."""
        runtime, context, _ = self.packages
        parts = {
            "runtime": runtime,
            "ctx": self.context,
            "component": quoted(self.component),
            "name": quoted(self.name),
            "policy": self.policy,
            "fn": "",
        }
        if parameters is None:
            parameters = f"(_ {context}.Context)"
        return f"{self.template.format(**parts).removesuffix(')')}func{parameters} {{"

    def parameters_for(self, module: GoFile, nodes: Iterable[Node]) -> str | None:
        """The parameters of the new function if one of the nodes that run in it is the context that is passed on: they
        give it that name. None if none does, or if the variable may hold another context by then."""
        variable = self.variable
        if variable is None or module.names.is_reassigned(variable):
            return None
        if not any(_is_use(module, node, variable) for node in nodes):
            return None
        return f"({variable.name} {self.packages.context}.Context)"


def _is_use(module: GoFile, node: Node, variable: Binding) -> bool:
    return node.type == "identifier" and text(node) == variable.name and module.names.lookup(node) is variable
