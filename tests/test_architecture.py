"""Who may import whom: DESIGN's table, spelled once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "panicguard"
SERVER = Path(__file__).parent.parent / "lsp"

# Module -> what it may import of the package. A package stands for what is in it; itself is always allowed.
ALLOWED = {
    "__main__": {"", "cli", "streams"},
    "streams": {"report"},
    "notebook": set(),
    "reading": set(),
    "links": set(),
    "source": {"notebook"},
    "model": {"source"},
    "rule": {"model", "python", "go"},
    "patterns": {"settings"},
    "settings": {"", "links", "patterns", "reading", "rule", "report"},
    "files": {"gomod", "patterns", "reading", "remarks", "settings"},
    "gomod": {"reading", "settings"},
    "comments": {"source", "python", "go"},
    "go": {"model", "source", "settings", "patterns", "python", "directives", "scopes"},
    "python": {"model", "source", "settings", "patterns"},
    "rules": {"rule", "model", "python", "go"},
    "directives": {"comments", "source", "python"},
    "scopes": {"comments", "directives", "model", "source", "python"},
    "suppress": {"comments", "go", "directives", "scopes", "model", "source", "python"},
    "engine": {"model", "source", "rule", "settings", "patterns", "suppress", "python", "go"},
    "annotate": {"comments", "directives", "scopes", "suppress", "model", "source", "python"},
    "atomic": {"reading"},
    "fix": {"go", "engine", "model", "source", "settings", "python"},
    "mode": {"annotate"},
    "pool": {"engine", "fix", "annotate", "atomic", "links", "mode", "model", "reading", "source", "rule", "settings"}
    | {"suppress"},
    "cache": {"", "links", "model", "reading", "rule", "source", "settings"},
    "baseline": {"model", "source"},
    "ratchet": {"atomic", "baseline", "links", "model", "options", "reading", "report", "settings"},
    "checking": {"", "cache", "commands", "files", "links", "mode", "model", "options", "pool", "ratchet", "report"}
    | {"remarks", "ruff", "settings", "source", "streams"},
    "watch": {"gomod", "checking", "files", "options", "remarks", "report", "settings"},
    "remarks": {"report"},
    "report": {"", "model", "rule", "source"},
    "vendor": {"reading"},
    "ruff": {"report", "settings"},
    "commands": {"report"},
    "options": {"commands", "files", "rule", "settings", "report", "annotate", "directives"},
    "cli": {"", "cache", "checking", "commands", "files", "links", "options", "remarks", "report", "rule", "settings"}
    | {"streams", "vendor", "watch"},
    "mruntime": set(),
}
# fmt: off
SERVER_MAY = {
    "", "engine", "fix", "pool", "annotate", "comments", "directives", "gomod", "suppress", "files", "options",
    "settings", "patterns", "mode", "model", "source", "rule", "python", "go", "report",
}
# fmt: on
"""What the language server may import of the package."""
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def part(module: str) -> str:
    return module.removeprefix("panicguard").lstrip(".").partition(".")[0]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "panicguard":
            names = {alias.name for alias in node.names}
            found.update("panicguard" if n.startswith("__") else f"panicguard.{n}" for n in names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {part(name) for name in found if name.partition(".")[0] in ("panicguard", "panicguard_lsp")}


def imports_at_run_time(path: Path, package: str) -> bool:
    tree = ast.parse(path.read_text())
    guarded = {n for block in ast.walk(tree) if isinstance(block, ast.If) for n in ast.walk(block)}
    return any(
        isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package
        for node in ast.walk(tree)
        if node not in guarded
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_is_upstream_of_it(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    assert imported(path) - {own, "_lsp"} <= ALLOWED[own]


@pytest.mark.parametrize("path", sorted(SERVER.glob("*.py")), ids=lambda p: p.name)
def test_the_server_imports_only_what_is_upstream_of_it(path: Path) -> None:
    assert imported(path) <= SERVER_MAY


def test_one_file_of_the_server_makes_values_of_the_protocol() -> None:
    assert {path.name for path in SERVER.glob("*.py") if imports_at_run_time(path, "lsprotocol")} == {"convert.py"}


def test_nothing_but_the_command_imports_the_server() -> None:
    assert {p.name for p in MODULES if "panicguard_lsp" in p.read_text()} == {"cli.py"}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert not {"utils", "helpers", "common"} & {p.stem for p in MODULES}
