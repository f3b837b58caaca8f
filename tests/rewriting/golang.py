"""Rewritings of Go files."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from rewriting.edits import Edit, Rewriting, insert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

    from rewriting.gofile import GoModule, Token

NOTE = "// so: go func() { defer x(recover() `"
_DIRECTIVE = re.compile(r"//(?:\S|\s*nolint| Code generated)")
"""Comments that are more than words, and end with their line."""
_OF_TYPES = (b"make", b"new")
"""Functions whose argument is a type: the grammar knows it by their names."""
_VALUES = frozenset(
    "identifier selector_expression call_expression func_literal int_literal interpreted_string_literal "
    "binary_expression unary_expression composite_literal index_expression true false nil".split()
)
_STATEMENTS = frozenset("go_statement defer_statement expression_statement inc_statement send_statement".split())


def comments_at_line_ends(module: GoModule) -> Iterator[Edit]:
    return (insert(a.end, f" {NOTE}") for a, _ in module.ends_of_rows())


def other_comments(module: GoModule) -> Iterator[Edit]:
    for token in module.tokens:
        if token.text.startswith("//") and not _DIRECTIVE.match(token.text):
            yield Edit(token.start, token.end, NOTE)


def comments_within_rows(module: GoModule) -> Iterator[Edit]:
    return (insert(b.start, "/* go func() { ( */ ") for _, b in module.gaps())


def comment_lines(module: GoModule) -> Iterator[Edit]:
    return (insert(module.row_start(token.start), f"{NOTE}\n") for token in module.first_tokens())


def empty_lines(module: GoModule) -> Iterator[Edit]:
    return (insert(module.row_start(token.start), " \t\n\n") for token in module.first_tokens())


def carriage_returns_and_newlines(module: GoModule) -> Iterator[Edit]:
    return (insert(at.start(), "\r") for at in re.finditer("\n", module.text))


def without_indentation(module: GoModule) -> Iterator[Edit]:
    return (Edit(module.row_start(token.start), token.start, "") for token in module.first_tokens())


def indented_by_blanks(module: GoModule) -> Iterator[Edit]:
    return (Edit(start := module.row_start(t.start), t.start, "   " * (t.start - start)) for t in module.first_tokens())


def blanks_everywhere(module: GoModule) -> Iterator[Edit]:
    return (insert(b.start, " \t") for _, b in module.gaps())


def fewest_blanks(module: GoModule) -> Iterator[Edit]:
    for a, b in module.gaps():
        if a.end < b.start and not (_is_wordy(a) and _is_wordy(b)) and (a.text in "(){}[],;" or b.text in "(){}[],;"):
            yield Edit(a.end, b.start, "")


def _is_wordy(token: Token) -> bool:
    return token.text[0].isalnum() or token.text[0] in "_\"'`"


def breaks(module: GoModule) -> Iterator[Edit]:
    """A newline wherever it ends no statement."""
    return (Edit(a.end, b.start, "\n\t\t") for a, b in module.gaps() if not a.may_end)


def breaks_with_comments(module: GoModule) -> Iterator[Edit]:
    return (Edit(a.end, b.start, f" {NOTE}\n\n") for a, b in module.gaps() if not a.may_end)


def semicolons(module: GoModule) -> Iterator[Edit]:
    for a, b in module.pairs():
        if a.may_end and "\n" in module.text[a.end : b.start]:
            yield insert(a.end, ";")


def in_one_row(module: GoModule) -> Iterator[Edit]:
    may_end = False
    for a, b in module.pairs():
        may_end = may_end if a.is_comment else a.may_end
        if "\n" in module.text[a.end : b.start]:
            if not _DIRECTIVE.match(a.text):
                yield Edit(a.end, b.start, "; " if may_end else " ")
            may_end = False
    for token in module.tokens:
        if token.text.startswith("//") and not _DIRECTIVE.match(token.text):
            yield Edit(token.start, token.end, f"/*{token.text[2:].replace('*/', '')}*/")


def bracketed_values(module: GoModule) -> Iterator[Edit]:
    for node in module.nodes("argument_list", "expression_list"):
        for child in node.named_children:
            if child.type in _VALUES and _is_value(node):
                yield from _bracketed(module, child)


def _is_value(node: Node) -> bool:
    above = node.parent
    if node.type == "argument_list":
        return above is not None and above.type == "call_expression"
    return above is not None and (above.type == "return_statement" or above.child_by_field_name("right") == node)


def bracketed_conditions(module: GoModule) -> Iterator[Edit]:
    for node in module.nodes("if_statement"):
        condition = node.child_by_field_name("condition")
        if condition is not None:
            yield from _bracketed(module, condition)


def bracketed_callees(module: GoModule) -> Iterator[Edit]:
    """`(f)(x)`; but the grammar does not know `go (f)(x)`."""
    for node in module.nodes("call_expression"):
        callee = node.child_by_field_name("function")
        is_statement = node.parent is not None and node.parent.type in ("go_statement", "defer_statement")
        if (
            callee is not None
            and not is_statement
            and callee.type in ("identifier", "selector_expression")
            and callee.text not in _OF_TYPES
        ):
            yield from _bracketed(module, callee)


def bracketed_literals(module: GoModule) -> Iterator[Edit]:
    return (edit for node in module.nodes("func_literal") for edit in _bracketed(module, node))


def bracketed_owners(module: GoModule) -> Iterator[Edit]:
    packages = {module.text[slice(*module.span(name))] for name in module.nodes("package_identifier")}
    packages |= {name for name, _ in _packages(module)}
    for node in module.nodes("selector_expression"):
        owner = node.child_by_field_name("operand")
        if owner is not None and module.text[slice(*module.span(owner))] not in packages:
            yield from _bracketed(module, owner)


def _bracketed(module: GoModule, node: Node) -> Iterator[Edit]:
    start, end = module.span(node)
    yield insert(start, "(")
    yield insert(end, ")")


def declared_by_var(module: GoModule) -> Iterator[Edit]:
    """`var x = v` for `x := v`."""
    for node in module.nodes("short_var_declaration"):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if _is_in_block(node) and left is not None and right is not None and len(left.named_children) == 1:
            yield insert(module.span(node)[0], "var ")
            end = module.span(left)[1]
            equals = module.text.index(":=", end)
            yield Edit(equals, equals + 2, "=")


def in_blocks(module: GoModule) -> Iterator[Edit]:
    for node in module.nodes(*_STATEMENTS):
        if _is_in_block(node):
            yield insert(module.span(node)[0], "{ ")
            yield insert(module.span(node)[1], " }")


def _is_in_block(node: Node) -> bool:
    return node.parent is not None and node.parent.type in ("statement_list", "block")


def imports_one_by_one(module: GoModule) -> Iterator[Edit]:
    for group in module.nodes("import_spec_list"):
        declaration = group.parent
        assert declaration is not None
        yield Edit(module.span(declaration)[0], module.span(group.children[0])[1], "")
        yield from (
            insert(module.span(spec)[0], "import ") for spec in group.named_children if spec.type == "import_spec"
        )
        yield Edit(*module.span(group.children[-1]), "")


def imports_in_brackets(module: GoModule) -> Iterator[Edit]:
    for spec in module.nodes("import_spec"):
        if spec.parent is not None and spec.parent.type == "import_declaration":
            yield insert(module.span(spec)[0], "( ")
            yield insert(module.span(spec)[1], " )")


def _packages(module: GoModule) -> Iterator[tuple[str, Node]]:
    """The imports without a name of their own, by that of the package: the last part of a path that has no version."""
    for spec in module.nodes("import_spec"):
        last = module.text[slice(*module.span(spec))].strip('"').rpartition("/")[2]
        if (
            spec.child_by_field_name("name") is None
            and re.fullmatch(r"[a-z]\w*", last)
            and not re.fullmatch(r"v\d+", last)
        ):
            yield last, spec


def imports_named(module: GoModule) -> Iterator[Edit]:
    return (insert(module.span(spec)[0], f"{name} ") for name, spec in _packages(module))


def imports_renamed(module: GoModule) -> Iterator[Edit]:
    uses: dict[str, list[tuple[int, int]]] = defaultdict(list)
    names: dict[str, int] = defaultdict(int)
    for node in module.nodes("identifier", "package_identifier"):
        text = module.text[slice(*module.span(node))]
        names[text] += 1
        above = node.parent
        is_owner = above is not None and (
            (above.type == "selector_expression" and above.child_by_field_name("operand") == node)
            or above.type == "qualified_type"
        )
        if is_owner:
            uses[text].append(module.span(node))
    for name, spec in _packages(module):
        if names[name] == len(uses[name]) and f"{name}2" not in names:
            yield insert(module.span(spec)[0], f"{name}2 ")
            yield from (Edit(start, end, f"{name}2") for start, end in uses[name])


_LAYOUT: tuple[Callable[[GoModule], Iterator[Edit]], ...] = (
    comments_at_line_ends,
    comments_within_rows,
    carriage_returns_and_newlines,
    without_indentation,
    indented_by_blanks,
    blanks_everywhere,
    fewest_blanks,
    semicolons,
)
_ROWS: tuple[Callable[[GoModule], Iterator[Edit]], ...] = (
    other_comments, comment_lines, empty_lines, breaks, breaks_with_comments, in_one_row
)  # fmt: skip
_FORMS: tuple[Callable[[GoModule], Iterator[Edit]], ...] = (
    bracketed_values,
    bracketed_conditions,
    bracketed_callees,
    bracketed_literals,
    bracketed_owners,
    declared_by_var,
    in_blocks,
    imports_one_by_one,
    imports_in_brackets,
    imports_named,
    imports_renamed,
)
GO = (
    *(Rewriting(f"go_{function.__name__}", function, same_comments=True) for function in _LAYOUT),
    *(Rewriting(f"go_{function.__name__}", function) for function in _ROWS),
    *(Rewriting(f"go_{function.__name__}", function, same_tree=False, same_comments=True) for function in _FORMS),
)
