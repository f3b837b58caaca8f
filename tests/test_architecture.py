"""Who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "panicguard"
SERVER = ROOT / "lsp"
PACKAGES = {"panicguard": PACKAGE, "panicguard_lsp": SERVER}
FLOORS = (
    {"globs", "lines", "notebook"},
    {"settings", "source"},
    {"diagnostic", "files"},
    {"rule"},
    {"report"},
    {"python", "go", "config"},
    {"languages"},
    {"suppression", "inventory"},
    {"rules"},
    {"engine"},
    {"fix"},
    {"run"},
    {"lsp"},
    {"cli"},
    {"__main__"},
)
"""The files and folders of the package (and the server) from the ground up: what stands on a floor imports only what
stands on floors below it, and what is in the same folder. The table of ARCHITECTURE.md."""
APART = {"mruntime", "mruntime_go"}
"""What neither imports nor is imported."""
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")
SERVER_MODULES = sorted(p for p in SERVER.rglob("*.py") if SERVER / "editors" not in p.parents)


def at_run_time(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes of a module that are run: not the blocks of `if TYPE_CHECKING:`."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    typing_only = {node for block in blocks for statement in block.body for node in ast.walk(statement)}
    return (node for node in ast.walk(tree) if node not in typing_only)


def imports_at_run_time(path: Path, package: str) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package)
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == package for alias in node.names))
        for node in at_run_time(ast.parse(path.read_text()))
    )


def files_of(packages: Mapping[str, Path]) -> dict[str, Path]:
    """The files of packages by the names of their modules."""
    return {
        ".".join((name, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__"): path
        for name, folder in packages.items()
        for path in sorted(folder.rglob("*.py"))
        if folder / "editors" not in path.parents
    }


def names_imported(module: str, path: Path, *, for_types: bool) -> Iterator[str]:
    """The full names that a module and the functions in it import; `a.b` for `from a import b`. What is imported only
    under `if TYPE_CHECKING:` counts with `for_types`."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if for_types else at_run_time(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            source = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{source}.{alias.name}" for alias in node.names)


def graph_of(packages: Mapping[str, Path], *, for_types: bool = False) -> dict[str, list[str]]:
    """The modules that each module imports: `a.b` of `from a import b` if that is a module, or else `a`."""
    files = files_of(packages)
    graph: dict[str, list[str]] = {}
    for module, path in files.items():
        names = names_imported(module, path, for_types=for_types)
        modules = {name if name in files else name.rpartition(".")[0] for name in names}
        graph[module] = sorted(modules & files.keys())
    return graph


def circle_in(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Modules of which each imports the next, and the last is the first again; empty if no imports go in a circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        modules: list[str] = error.args[1]
        return modules[::-1]
    return []


def floor_of(module: str) -> int:
    """The floor on which a module stands; -1 for the package itself, which holds only the version."""
    package, _, rest = module.partition(".")
    own = "lsp" if package == "panicguard_lsp" else rest.partition(".")[0]
    return next(number for number, floor in enumerate(({""}, *FLOORS), -1) if own in floor)


def folder_of(module: str) -> str:
    return ".".join(module.split(".")[:2]) if module.startswith("panicguard.") else module.partition(".")[0]


def is_apart(module: str) -> bool:
    return module.partition(".")[2].partition(".")[0] in APART


def test_everything_has_a_floor_of_its_own() -> None:
    here = {folder_of(module).partition(".")[2] for module in files_of({"panicguard": PACKAGE})} - {""}
    assert here == set().union(*FLOORS, APART) - {"lsp", "mruntime_go"}


def test_nothing_imports_what_stands_above_it() -> None:
    """Imports for types count too, except that rules are functions of a front end's file."""
    upwards = [
        f"{module} imports {other}"
        for module, others in graph_of(PACKAGES, for_types=True).items()
        for other in others
        if not is_apart(module) and folder_of(module) != folder_of(other) and floor_of(module) <= floor_of(other)
    ]
    assert upwards == [
        "panicguard.rule imports panicguard.go.file",
        "panicguard.rule imports panicguard.python.evidence",
        "panicguard.rule imports panicguard.python.file",
    ]


def test_the_runtime_stands_apart() -> None:
    graph = graph_of(PACKAGES)
    assert not [m for m, others in graph.items() for other in others if is_apart(m) != is_apart(other)]


def test_one_folder_of_the_server_makes_values_of_the_protocol() -> None:
    assert {path.parent for path in SERVER_MODULES if imports_at_run_time(path, "lsprotocol")} == {SERVER / "proto"}


def test_no_files_import_each_other_in_a_circle() -> None:
    """Not even for types."""
    circle = circle_in(graph_of(PACKAGES, for_types=True))
    assert not circle, " -> ".join(circle)


@pytest.mark.parametrize(
    ("last", "at_run_time", "for_types"),
    [
        ("from .. import first", True, True),
        ("from ..first import f", True, True),
        ("def f():\n    import p.first", True, True),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from p import first", True, True),
        ("if TYPE_CHECKING:\n    from ..first import F", False, True),
        ("from .. import other", False, False),
    ],
)
def test_a_circle_of_imports_is_seen(tmp_path: Path, last: str, at_run_time: bool, for_types: bool) -> None:
    (tmp_path / "sub").mkdir()
    texts = {"__init__.py": "", "first.py": "from p.sub.last import x", "other.py": "", "sub/__init__.py": ""}
    for name, text in (texts | {"sub/last.py": last}).items():
        (tmp_path / name).write_text(text)
    circle = ["p.first", "p.sub.last", "p.first"]
    assert circle_in(graph_of({"p": tmp_path})) == circle * at_run_time
    assert circle_in(graph_of({"p": tmp_path}, for_types=True)) == circle * for_types


def test_nothing_but_the_command_imports_the_server() -> None:
    assert {p.name for p in MODULES if "panicguard_lsp" in p.read_text()} == {"commands.py"}


def test_what_a_run_does_is_decided_in_one_place() -> None:
    """From flags and settings, which nothing else asks whether to fix."""
    asking = {
        "/".join(path.parts[-2:])
        for path in (*MODULES, *SERVER_MODULES)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("settings", "its", "options")
        and node.attr in ("fix", "fix_only", "diff")
    }
    assert asking == {"cli/task.py"}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert not {"utils", "helpers", "common"} & {p.stem for p in MODULES}


def is_no_code(statement: ast.stmt, position: int) -> bool:
    """Whether a top-level statement of a rule is its documentation, an import or its value."""
    match statement:
        case ast.Expr(value=ast.Constant()):
            return position == 0
        case ast.Import() | ast.ImportFrom() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="RULE")]):
            return True
    return False


@pytest.mark.parametrize("path", sorted((PACKAGE / "rules").glob("*.py")), ids=lambda p: p.name)
def test_a_rule_is_its_documentation_and_little_code(path: Path) -> None:
    """Code beyond that is a concept of the language, and belongs in the front end."""
    text = path.read_text()
    tree = ast.parse(text)
    apart = [node for position, node in enumerate(tree.body) if is_no_code(node, position)]
    rows = {row for node in apart for row in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    assert sum(bool(line.strip()) for row, line in enumerate(text.splitlines(), 1) if row not in rows) <= 60
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno >= 25]


@pytest.mark.parametrize("path", [*MODULES, *SERVER_MODULES], ids=lambda p: "/".join(p.parts[-2:]))
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 350


def test_every_package_is_installed() -> None:
    packages = {".".join(p.parent.relative_to(PACKAGE.parent).parts) for p in PACKAGE.rglob("__init__.py")}
    packages |= {".".join(("panicguard_lsp", *p.parent.relative_to(SERVER).parts)) for p in SERVER.rglob("__init__.py")}
    listed = (PACKAGE.parent / "pyproject.toml").read_text().partition("packages = [")[2].partition("]")[0]
    assert packages == set(listed.replace('"', "").replace(",", "").split())


def test_the_top_of_the_package_is_small() -> None:
    files = set(PACKAGE.glob("*.py"))
    folders = {path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert len(files) <= 12
    assert len(folders) <= 12


def test_libcst_waits_for_the_first_file_that_needs_it() -> None:
    loaded = "from panicguard.rule import all_rules; [rule.docs for rule in all_rules()]"
    code = f"import sys; {loaded}; sys.exit('libcst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_rule_waits_for_the_first_file_with_one_of_its_words(tmp_path: Path) -> None:
    tmp_path.joinpath("silent.py").write_text("import asyncio\n")
    code = "import sys; from panicguard.__main__ import main; main()"
    words = ["-X", "importtime", "-c", code, "check", "--isolated", "--no-cache", str(tmp_path)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    assert "All checks passed!" in done.stdout
    assert "panicguard.rule\n" in done.stderr
    assert "panicguard.rules." not in done.stderr
    assert "panicguard.run.hooks" not in done.stderr


def test_nothing_below_the_command_line_knows_click() -> None:
    assert {path.parent for path in MODULES if imports_at_run_time(path, "click")} == {PACKAGE / "cli"}
