"""Rewritings of how a Python module imports what it uses."""

from __future__ import annotations

import ast
import itertools
import re
from typing import TYPE_CHECKING

from rewriting.edits import Edit, Rewriting, insert
from rewriting.names import Uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rewriting.module import Module

_KINDS = (ast.Import, ast.ImportFrom)


def _imports(module: Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """The imports that have their rows to themselves, and their margins; those of the future stay where they are."""
    for node in module.nodes(*_KINDS):
        if getattr(node, "module", "") != "__future__" and (margin := module.margin(node)) is not None:  # type: ignore[arg-type]
            yield node, margin  # type: ignore[misc]


def _under(module: Module, header: str, footer: str = "") -> Iterator[Edit]:
    """Each import under a header; of several rows the last one is what it stands in."""
    for node, margin in _imports(module):
        start, end = module.span(node)
        rows = [f"{row}\n{margin}{'    ' * depth}" for depth, row in enumerate(header.split("\n"), 1)]
        yield insert(start, "".join(rows))
        if footer:
            yield insert(module.row_end(end), "".join(f"\n{margin}{row}" for row in footer.split("\n")))


def in_a_try(module: Module) -> Iterator[Edit]:
    return _under(module, "try:", "except ImportError:\n    raise")


def in_a_try_with_finally(module: Module) -> Iterator[Edit]:
    return _under(module, "try:", "finally:\n    pass")


def in_an_if(module: Module) -> Iterator[Edit]:
    return _under(module, "if True:")


def in_an_else(module: Module) -> Iterator[Edit]:
    for node, margin in _imports(module):
        yield insert(module.span(node)[0], f"if not 1:\n{margin}    pass\n{margin}else:\n{margin}    ")


def in_a_with(module: Module) -> Iterator[Edit]:
    return _under(module, 'with memoryview(b""):')


def in_a_for(module: Module) -> Iterator[Edit]:
    return _under(module, "for once_ in (1,):")


def in_a_while(module: Module) -> Iterator[Edit]:
    return _under(module, "while True:", "    break")


def in_a_match(module: Module) -> Iterator[Edit]:
    return _under(module, "match 1:\ncase _:")


def in_the_row_of_an_if(module: Module) -> Iterator[Edit]:
    return (insert(module.span(node)[0], "if True: ") for node, _ in _imports(module))


def in_the_row_of_a_try(module: Module) -> Iterator[Edit]:
    for node, margin in _imports(module):
        start, end = module.span(node)
        yield insert(start, "try: ")
        yield insert(module.row_end(end), f"\n{margin}except ImportError: raise")


def after_other_statements(module: Module) -> Iterator[Edit]:
    return (insert(module.span(node)[0], "one_ = 1; import this_; ") for node, _ in _imports(module))


def before_other_statements(module: Module) -> Iterator[Edit]:
    return (insert(module.span(node)[1], "; import this_; one_ = 1;") for node, _ in _imports(module))


def before_other_names(module: Module) -> Iterator[Edit]:
    for node, _ in _imports(module):
        if isinstance(node, ast.Import):
            yield insert(module.span(node)[1], ", importlib, this_.imports")


def after_other_names(module: Module) -> Iterator[Edit]:
    for node, _ in _imports(module):
        if isinstance(node, ast.Import):
            yield insert(module.span(node.names[0])[0], "this_, that.imports as other_, ")


def split(module: Module) -> Iterator[Edit]:
    """One import for each name."""
    for node, margin in _imports(module):
        start, end = module.span(node)
        if len(node.names) > 1 and "#" not in module.text[start:end]:
            head = "import " if isinstance(node, ast.Import) else f"from {'.' * node.level}{node.module or ''} import "
            yield Edit(start, end, f"\n{margin}".join(head + ast.unparse(alias) for alias in node.names))


def joined(module: Module) -> Iterator[Edit]:
    """One import for several in a row."""
    for body in module.bodies():
        for a, b in itertools.pairwise(body):
            between = module.text[module.span(a)[1] : module.span(b)[0]]
            if isinstance(a, ast.Import) and isinstance(b, ast.Import) and not between.strip():
                yield Edit(module.span(a)[1], module.span(b.names[0])[0], ", ")


def in_brackets(module: Module) -> Iterator[Edit]:
    for node, _ in _imports(module):
        end = module.span(node)[1]
        first = module.span(node.names[0])[0]
        if isinstance(node, ast.ImportFrom) and node.names[0].name != "*" and module.text[end - 1] != ")":
            yield insert(first, "(  # imported\n")
            yield insert(end, ",\n)")


def aliased(module: Module) -> Iterator[Edit]:
    """Each module and function under another name, wherever it is used."""
    uses = Uses(module)
    for node, _ in _imports(module):
        for alias in node.names:
            if alias.asname or "." in alias.name or not uses.is_free(alias.name, node):
                continue
            new = {"asyncio": "aio"}.get(alias.name, f"{alias.name}_2")
            yield insert(module.span(alias)[1], f" as {new}")
            yield from (Edit(*module.span(name), new) for name in uses.of(alias.name))


def aliased_by_assignment(module: Module) -> Iterator[Edit]:
    """Each module and function under another name that is assigned from the first one."""
    uses = Uses(module)
    for node, _ in _imports(module):
        end = module.span(node)[1]
        for alias in node.names:
            if alias.asname or "." in alias.name or not uses.is_free(alias.name, node):
                continue
            yield insert(end, f"; {alias.name}_2 = {alias.name}")
            yield from (Edit(*module.span(name), f"{alias.name}_2") for name in uses.of(alias.name))


def from_modules(module: Module) -> Iterator[Edit]:
    """`from asyncio import create_task` for `import asyncio`, where every use of the module is an attribute."""
    uses = Uses(module)
    for node, _ in _imports(module):
        if not isinstance(node, ast.Import) or len(node.names) > 1:
            continue
        alias = node.names[0]
        if alias.asname or "." in alias.name or not uses.is_free(alias.name, node):
            continue
        read = [(name, uses.attribute_of(name)) for name in uses.of(alias.name)]
        attributes = {attribute.attr for _, attribute in read if attribute is not None}
        if (
            not attributes
            or any(a is None for _, a in read)
            or any(re.search(rf"(?<!\.)\b{a}\b", module.text) for a in attributes)
        ):
            continue
        yield Edit(*module.span(node), f"from {alias.name} import {', '.join(sorted(attributes))}")
        for name, attribute in read:
            assert attribute is not None
            yield Edit(module.span(name)[0], module.span(attribute)[1], attribute.attr)


def whole_modules(module: Module) -> Iterator[Edit]:
    """`import asyncio` for `from asyncio import create_task`."""
    uses = Uses(module)
    for node, _ in _imports(module):
        if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
            continue
        owner = node.module
        if all(
            not alias.asname and alias.name != "*" and uses.is_free(alias.name, node) for alias in node.names
        ) and not re.search(rf"\b{owner.partition('.')[0]}\b", module.text.replace(f"from {owner} import", "")):
            yield Edit(*module.span(node), f"import {owner}")
            for alias in node.names:
                yield from (Edit(*module.span(name), f"{owner}.{alias.name}") for name in uses.of(alias.name))


_ALL: tuple[Callable[[Module], Iterator[Edit]], ...] = (
    in_a_try,
    in_a_try_with_finally,
    in_an_if,
    in_an_else,
    in_a_with,
    in_a_for,
    in_a_while,
    in_a_match,
    in_the_row_of_an_if,
    in_the_row_of_a_try,
    after_other_statements,
    before_other_statements,
    before_other_names,
    after_other_names,
    split,
    joined,
    in_brackets,
    aliased,
    aliased_by_assignment,
    from_modules,
    whole_modules,
)
IMPORTS = tuple(Rewriting(f"imports_{function.__name__}", function, same_tree=False) for function in _ALL)
