"""What the names of a module stand for, as far as rewritings ask: whether one is bound once, and where it is read."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rewriting.module import Module


class Uses:
    """Where names are read, and how often they are bound, in a module as a whole: no scopes are told apart, so that
    what is bound once is one thing wherever it is read."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._read: dict[str, list[ast.Name]] = defaultdict(list)
        self._bound: Counter[str] = Counter()
        self._top = set(module.tree.body)
        self._owners: dict[ast.AST, ast.Attribute] = {}
        texts = []
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load):
                    self._read[node.id].append(node)
                else:
                    self._bound[node.id] += 1
            elif isinstance(node, ast.alias):
                self._bound[(node.asname or node.name).partition(".")[0]] += 1
            elif isinstance(node, ast.arg):
                self._bound[node.arg] += 1
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                self._bound.update(node.names * 2)
            elif isinstance(name := getattr(node, "name", None), str):
                self._bound[name] += 1
            elif isinstance(node, ast.JoinedStr):
                texts.append(ast.unparse(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
            elif isinstance(node, ast.Attribute):
                self._owners[node.value] = node
        self._texts = set(re.findall(r"\w+", " ".join(texts)))

    def is_free(self, name: str, binding: ast.stmt) -> bool:
        """Whether a name can be replaced: bound once, by this statement of the module itself, and in no text."""
        is_one = self._bound[name] == 1 and binding in self._top
        return name != "*" and is_one and name not in self._texts and f"{name}_2" not in self._bound

    def is_only_global(self, name: str) -> bool:
        """Whether all that binds a name is one statement of the module itself."""
        return self._bound[name] == 1 and name in self._names_at_the_top()

    def of(self, name: str) -> list[ast.Name]:
        return self._read[name]

    def attribute_of(self, name: ast.Name) -> ast.Attribute | None:
        return self._owners.get(name)

    def _names_at_the_top(self) -> set[str]:
        found: set[str] = set()
        for node in self._module.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.Assign):
                found.update(target.id for target in node.targets if isinstance(target, ast.Name))
        return found
