"""What packages are called where a fix writes, and the edits that import those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.apis import RUNTIME
from panicguard.go.layout import comment_behind
from panicguard.go.names import package_name, specs
from panicguard.go.nodes import text
from panicguard.model import Edit

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.module import GoModule

_CONTEXT = "context"
_OTHER_NAME = "stdcontext"


class Packages(NamedTuple):
    """The names of the runtime and of `context`, and the edits that make them so."""

    runtime: str
    context: str
    edits: tuple[Edit, ...]


class _New(NamedTuple):
    """An import to add: its path, and its name where that is another than the package's."""

    path: str
    name: str = ""
    comment: str = ""
    """What stands behind it on its line."""

    @property
    def spec(self) -> str:
        return f'{self.name} "{self.path}"{self.comment}'.lstrip()


def packages(module: GoModule, site: Node) -> Packages | None:
    """The packages that a SafeGo call at a node needs; None where their names are taken, or the runtime is unknown."""
    runtime, context = _runtime(module, site), _context(module, site)
    if runtime is None or context is None:
        return None
    return Packages(runtime[0], context[0], _edits(module, [one for _, one in (runtime, context) if one is not None]))


def runtime_package(module: GoModule, site: Node) -> tuple[str, tuple[Edit, ...]] | None:
    """The name of the runtime for a node, and the edits that import it; None where its name is taken, or it is
    unknown."""
    found = _runtime(module, site)
    return None if found is None else (found[0], _edits(module, [found[1]] if found[1] is not None else []))


def _runtime(module: GoModule, site: Node) -> tuple[str, _New | None] | None:
    names = module.names
    name = next((name for name, path in names.imports.items() if names.normal(path) == RUNTIME), None)
    if name is not None:
        return None if names.lookup(site, name) is not None else (name, None)
    path = module.settings.go_runtime
    if path is None or module.is_part_of(path):
        return None
    name = package_name(path)
    return None if names.is_taken(name, site) else (name, _New(path))


def _context(module: GoModule, site: Node) -> tuple[str, _New | None] | None:
    names = module.names
    name = next((name for name, path in names.imports.items() if path == _CONTEXT), None)
    if name is not None:
        return None if names.lookup(site, name) is not None else (name, None)
    if _CONTEXT in names.dots:
        return None
    if not names.is_taken(_CONTEXT, site):
        return _CONTEXT, _New(_CONTEXT)
    return None if names.is_taken(_OTHER_NAME, site) else (_OTHER_NAME, _New(_CONTEXT, _OTHER_NAME))


def _edits(module: GoModule, new: list[_New]) -> tuple[Edit, ...]:
    if not new:
        return ()
    newline = module.source.newline
    declarations = module.tree.all("import_declaration")
    if not declarations:
        at = _behind(module, module.tree.all("package_clause")[0])
        return (Edit(at, at, f"{newline}{newline}import {_block(new, newline)}"),)
    imported = declarations[0].named_children[-1]
    if imported.type != "import_spec_list" or not specs(imported):
        (start, end), behind = module.span(imported), _behind(module, imported)
        comment = module.source.text[end:behind]
        old = [_New(_path(one), text(one.child_by_field_name("name")), comment) for one in specs(declarations[0])]
        return (Edit(start, behind, _block([*old, *new], newline)),)
    found = [_insertion(module, imported, one, newline) for one in sorted(new)]
    found.sort(key=lambda edit: (edit.start, edit.content.startswith(newline * 2)))  # a group of its own comes last
    if len(found) == 2 and found[0].start == found[1].start:
        return (Edit(found[0].start, found[0].start, found[0].content + found[1].content),)
    return tuple(found)


def _is_std(path: str) -> bool:
    return "." not in path.partition("/")[0]


def _behind(module: GoModule, node: Node) -> int:
    """The offset behind a node, and behind the comment that follows it on its line."""
    end = module.span(node)[1]
    row, _ = module.source.location(end)
    comment = comment_behind(module.source, row)
    if comment is None or module.source.text[end:comment].strip():
        return end
    return _line_end(module, node)


def _block(imports: list[_New], newline: str) -> str:
    """A new block: the packages of std, then the others."""
    every = sorted(imports)
    groups = [[one for one in every if _is_std(one.path) is std] for std in (True, False)]
    written = [newline.join(f"\t{one.spec}" for one in group) for group in groups if group]
    return f"({newline}{(newline * 2).join(written)}{newline})"


def _insertion(module: GoModule, block: Node, new: _New, newline: str) -> Edit:
    """The edit that adds an import to a block: in its group, sorted by path, or in a group of its own."""
    groups: list[list[Node]] = []
    for spec in specs(block):
        if groups and spec.start_point[0] == groups[-1][-1].start_point[0] + 1:
            groups[-1].append(spec)
        else:
            groups.append([spec])
    group = max(groups, key=lambda one: _kinship(one, new.path), default=None)
    if group is None or _kinship(group, new.path) < 0:
        if _is_std(new.path):
            at = module.tree.offset(block.start_byte) + 1
            return Edit(at, at, f"{newline}\t{new.spec}{newline}")
        at = _line_end(module, groups[-1][-1])
        return Edit(at, at, f"{newline}{newline}\t{new.spec}")
    for spec in group:
        if _path(spec) > new.path:
            at = module.tree.offset(spec.start_byte)
            return Edit(at, at, f"{new.spec}{newline}\t")
    at = _line_end(module, group[-1])
    return Edit(at, at, f"{newline}\t{new.spec}")


def _path(spec: Node) -> str:
    return text(spec.child_by_field_name("path"))[1:-1]


def _kinship(group: list[Node], path: str) -> int:
    """How much a group of imports is the one for a path; below 0: it is not."""
    paths = [_path(spec) for spec in group]
    if _is_std(path) or any(_is_std(one) for one in paths):
        return 0 if _is_std(path) and all(_is_std(one) for one in paths) else -1
    return max(_common(one.split("/"), path.split("/")) for one in paths) - 1


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _line_end(module: GoModule, node: Node) -> int:
    """The end of the line that a node ends in, without its newline."""
    row, _ = module.source.location(module.tree.offset(node.end_byte))
    return module.source.line_starts[row - 1] + len(module.source.line(row))
