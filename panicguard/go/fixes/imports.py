"""The names of packages that a fix needs, and the edits that import those that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit
from panicguard.go.apis import RUNTIME
from panicguard.go.fixes.alignment import comment_behind
from panicguard.go.nodes import text
from panicguard.go.packages import package_name, specs

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile

_CONTEXT = "context"
_OTHER_NAME = "stdcontext"


class Packages(NamedTuple):
    """The names of the runtime and of `context`, and the edits that import them under these names."""

    runtime: str
    context: str
    edits: tuple[Edit, ...]


class _Import(NamedTuple):
    """An import to write: its path, and its name if that differs from the package's."""

    path: str
    name: str = ""
    comment: str = ""
    """What follows it on its line."""

    @property
    def spec(self) -> str:
        return f'{self.name} "{self.path}"{self.comment}'.lstrip()


def packages_at(module: GoFile, site: Node) -> Packages | None:
    """The packages that a SafeGo call at a node needs; None if their names are taken, or the runtime is unknown."""
    runtime, context = _runtime(module, site), _context(module, site)
    if runtime is None or context is None:
        return None
    new = [package for _, package in (runtime, context) if package is not None]
    return Packages(runtime[0], context[0], _edits(module, new))


def runtime_package(module: GoFile, site: Node) -> tuple[str, tuple[Edit, ...]] | None:
    """The name of the runtime for a node, and the edits that import it; None if its name is taken, or the runtime is
    unknown."""
    runtime = _runtime(module, site)
    if runtime is None:
        return None
    name, new = runtime
    return name, _edits(module, [new] if new is not None else [])


def _runtime(module: GoFile, site: Node) -> tuple[str, _Import | None] | None:
    names = module.names
    name = next((name for name, path in names.imports.items() if names.normal(path) == RUNTIME), None)
    if name is not None:
        return None if names.lookup(site, name) is not None else (name, None)
    path = module.settings.go_runtime
    if path is None or module.is_part_of(path):
        return None
    name = package_name(path)
    return None if names.is_taken(name, site) else (name, _Import(path))


def _context(module: GoFile, site: Node) -> tuple[str, _Import | None] | None:
    names = module.names
    name = next((name for name, path in names.imports.items() if path == _CONTEXT), None)
    if name is not None:
        return None if names.lookup(site, name) is not None else (name, None)
    if _CONTEXT in names.dots:
        return None
    if not names.is_taken(_CONTEXT, site):
        return _CONTEXT, _Import(_CONTEXT)
    return None if names.is_taken(_OTHER_NAME, site) else (_OTHER_NAME, _Import(_CONTEXT, _OTHER_NAME))


def _edits(module: GoFile, new: list[_Import]) -> tuple[Edit, ...]:
    """The edits that add imports: to the block of the file's first import declaration, which may have to be created."""
    if not new:
        return ()
    declarations = module.tree.all("import_declaration")
    if not declarations:
        at, newline = _behind(module, module.tree.all("package_clause")[0]), module.source.newline
        return (Edit(at, at, f"{newline}{newline}import {_block(new, newline)}"),)
    block = declarations[0].named_children[-1]
    if block.type != "import_spec_list" or not specs(block):
        return (_made_block(module, declarations[0], block, new),)
    return _insertions(module, block, new)


def _made_block(module: GoFile, declaration: Node, imported: Node, new: list[_Import]) -> Edit:
    """The edit that turns a declaration with one import or an empty list into a block."""
    (start, end), behind = module.span(imported), _behind(module, imported)
    comment = module.source.text[end:behind]
    old = [_Import(_path(spec), text(spec.child_by_field_name("name")), comment) for spec in specs(declaration)]
    return Edit(start, behind, _block([*old, *new], module.source.newline))


def _insertions(module: GoFile, block: Node, new: list[_Import]) -> tuple[Edit, ...]:
    """The edits that add imports to a block; two at the same place are one edit."""
    newline = module.source.newline
    edits = [_insertion(module, block, each, newline) for each in sorted(new)]
    edits.sort(key=lambda edit: (edit.start, edit.content.startswith(newline * 2)))  # a group of its own comes last
    if len(edits) == 2 and edits[0].start == edits[1].start:
        return (Edit(edits[0].start, edits[0].start, edits[0].content + edits[1].content),)
    return tuple(edits)


def _is_std(path: str) -> bool:
    return "." not in path.partition("/")[0]


def _behind(module: GoFile, node: Node) -> int:
    """The offset behind a node, and behind the comment that follows it on its line."""
    end = module.span(node)[1]
    row, _ = module.source.location(end)
    comment = comment_behind(module.source, row)
    if comment is None or module.source.text[end:comment].strip():
        return end
    return _line_end(module, node)


def _block(imports: list[_Import], newline: str) -> str:
    """A new block: the packages of the standard library, then the others."""
    ordered = sorted(imports)
    groups = [[each for each in ordered if _is_std(each.path) is std] for std in (True, False)]
    written = [newline.join(f"\t{each.spec}" for each in group) for group in groups if group]
    return f"({newline}{(newline * 2).join(written)}{newline})"


def _insertion(module: GoFile, block: Node, new: _Import, newline: str) -> Edit:
    """The edit that adds an import to a block: in its group, sorted by path, or in a group of its own."""
    groups = _groups(block)
    group = max(groups, key=lambda group: _kinship(group, new.path), default=None)
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


def _groups(block: Node) -> list[list[Node]]:
    """The imports of a block, split where lines are between them."""
    groups: list[list[Node]] = []
    for spec in specs(block):
        if groups and spec.start_point[0] == groups[-1][-1].start_point[0] + 1:
            groups[-1].append(spec)
        else:
            groups.append([spec])
    return groups


def _path(spec: Node) -> str:
    return text(spec.child_by_field_name("path"))[1:-1]


def _kinship(group: list[Node], path: str) -> int:
    """How well a path fits a group of imports; negative if it does not."""
    paths = [_path(spec) for spec in group]
    if _is_std(path) or any(_is_std(other) for other in paths):
        return 0 if _is_std(path) and all(_is_std(other) for other in paths) else -1
    return max(_common(other.split("/"), path.split("/")) for other in paths) - 1


def _common(left: list[str], right: list[str]) -> int:
    """How many parts two paths have in common from the start."""
    count = 0
    for part, other in zip(left, right, strict=False):
        if part != other:
            break
        count += 1
    return count


def _line_end(module: GoFile, node: Node) -> int:
    """The end of the line that a node ends in, without its newline."""
    row, _ = module.source.location(module.tree.offset(node.end_byte))
    return module.source.line_starts[row - 1] + len(module.source.line(row))
