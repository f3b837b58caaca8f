"""The settings of a run, and what they say about a file."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from panicguard.globs import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONFIG_FILES = (".panicguard.toml", "panicguard.toml", "pyproject.toml")
"""The names of configuration files; the first of them in a directory wins."""
SPAWN_EXEMPT = (
    "**/tests/**",
    "**/test/**",
    "**/testing/**",
    "**/_test*/**",
    "testing.py",
    "**/examples/**",
    "**/*_examples/**",
    "**/benchmarks/**",
    "test_*.py",
    "*_test.py",
    "conftest.py",
    "*_pb2.py",
    "*_pb2_grpc.py",
    "**/mocks/**",
    "*_test.go",
    "*.pb.go",
    "*_mock.go",
    "mock_*.go",
    "**/mruntime/*.go",
)
TESTS = ("**/tests/**", "**/test/**", "test_*.py", "*_test.py", "tests.py", "conftest.py")
"""Python files that are tests, or belong to them, whatever the settings say of spawns there."""


# fmt: off
EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pants.d", ".panicguard_cache", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox",
    ".venv", ".vscode", "__pypackages__", "_build", "buck-out", "dist", "node_modules", "site-packages",
    "venv", "**/vendor/**/*.go", "**/testdata/**/*.go", "_*.go",
)
# fmt: on


# fmt: on
LANGUAGES: Mapping[str, str] = {".py": "python", ".pyi": "pyi", ".ipynb": "ipynb", ".go": "go"}
"""Suffix -> how a file that has it is read. Other files, if they are named, are read as Python."""
FRONT_ENDS: Mapping[str, str] = {"python": "python", "pyi": "python", "ipynb": "python", "go": "go"}
"""How a file is read -> the front end that reads it, `Source.language`."""
INCLUDE = tuple(f"*{suffix}" for suffix in LANGUAGES)
"""The files that a directory is searched for."""
GO_CALL = "{runtime}.SafeGoWithContextAndComponent({ctx}, {component}, {runtime}.{policy}, {fn})"
GO_CALL_PARTS = ("runtime", "ctx", "component", "name", "policy", "fn")
"""The names that may stand in braces in a `go-call`, which ends in `{fn})`."""
VERSIONS = ("py37", "py38", "py39", "py310", "py311", "py312", "py313", "py314", "py315")
SPAWNED = ("task", "thread", "job")
"""What may stand behind the name of a spawner: what its calls start."""
SEVERITIES = ("error", "warning", "info")
"""The most severe first."""


class Imported(NamedTuple):
    """What a name that a file imports is in the module of the project that it comes from."""

    name: str
    """As the imports of the file give it: `.pools.POOL`; for `keeps`, as the file writes it: `self.client.run`."""
    kind: str
    """`alias`: another name of `of`. `object`: an instance of the class `of`. `class`: one that derives from `of`.
    `spawner`: a function that hands its first argument to `of`, and the handle to its caller. `keeps`: a function that
    no error leaves; `of` is `TOLD` where they are logged or handed on, else `KEPT`, or `EXPECTED` if that holds only of
    those that are to be expected."""
    of: str
    """Otherwise a qualified name: `concurrent.futures.ThreadPoolExecutor`."""


class Hook(NamedTuple):
    """A hook for errors that a module of a project sets."""

    kind: str
    """`threading.excepthook`, or `set_exception_handler` of event loops."""
    path: str
    row: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run depends on. Hashable, of plain values; two equal values give equal results."""

    root: str = ""
    """The directory that relative patterns start from."""
    enabled: frozenset[str] = frozenset()
    """The codes of the rules that are on, selectors already resolved."""
    unfixable: frozenset[str] = frozenset()
    """The codes of the rules whose findings come without their fix."""
    forced_safe: frozenset[str] = frozenset()
    forced_unsafe: frozenset[str] = frozenset()
    """The codes whose safe fixes are unsafe; and `forced_safe`, whose unsafe ones are safe."""
    severity: tuple[tuple[str, str], ...] = ()
    """(code, severity) for the rules whose findings are not errors."""
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    exclude: tuple[str, ...] = EXCLUDE
    include: tuple[str, ...] = INCLUDE
    extension: tuple[tuple[str, str], ...] = ()
    """(extension without its dot, language): how files are read, over `LANGUAGES`."""
    external: tuple[str, ...] = ()
    go_version: tuple[int, int] | None = None
    """The version of Go that the go.mod of a file's module names; None if there is no go.mod."""
    go_names: frozenset[str] = frozenset()
    """What the other files of a file's package declare; known only where a fix depends on it."""
    imported: tuple[Imported, ...] = ()
    """What a Python file imports from other modules of the project and may spawn with: see `run/modules.py`."""
    hooks: tuple[Hook, ...] = ()
    """The hooks that other modules of a file's project set; known only where a finding depends on it."""
    go_recovering: frozenset[str] = frozenset()
    """The functions of the other files of a file's package that recover where they are deferred, methods with their
    type; known only where a finding depends on it."""
    go_guarded: frozenset[str] = frozenset()
    """Those that recover from panics of their own."""
    go_runtime: str | None = None
    """The import path of the Go runtime that fixes import; None: only files that import it already are fixed."""
    runtime_module: str | None = None
    """The dotted name of the runtime that fixes import. None: the project's copy, else the installed one."""
    go_call: str = GO_CALL
    """What a fix writes for a spawn in Go, up to the function that it ends in; `GO_CALL_PARTS` in braces."""
    default_policy: str = "KeepRunning"
    component: tuple[tuple[str, str], ...] = ()
    """(path pattern, component name): the component for spawns in those files, the first that matches."""
    spawn_exempt: tuple[str, ...] = SPAWN_EXEMPT
    boundary_packages: tuple[str, ...] = ()
    """Path patterns of the Go packages in which `recover` is allowed; empty: in all."""
    strict_spawns: bool = False
    extend_spawners: tuple[str, ...] = ()
    """Functions that spawn their first argument: dotted names, or `*.name` for a method of whatever object; behind a
    colon task, thread or job, if it is not to be inferred."""
    extend_guards: tuple[str, ...] = ()
    """Dotted names of functions and decorators that report the errors of what is passed to them."""
    low_confidence: bool = False
    error_hooks: bool | None = None
    """Whether a hook is told of the errors of threads and tasks; None: by what the project shows."""
    reporters: tuple[str, ...] = ()
    """Dotted names of functions that report an exception being handled (PNC303)."""
    preview: bool = False
    target_version: str = "py310"
    per_file_target_version: tuple[tuple[str, str], ...] = ()
    src: tuple[str, ...] = (".", "src")
    line_length: int = 88
    cache_dir: str = ".panicguard_cache"
    """A path: a relative one starts from `root`; empty: no cache."""
    respect_gitignore: bool = True
    force_exclude: bool = False
    fix: bool = False
    fix_only: bool = False
    unsafe_fixes: bool | None = None
    """None: not applied, but counted in the summary; False: not even mentioned."""
    show_fixes: bool = False
    ignore_noqa: bool = False
    """Whether suppression comments, of every kind, are ignored."""
    output_format: str = "full"
    baseline: str | None = None
    fail_level: str = "info"
    """The lowest severity with which a finding makes the run fail."""
    warnings: tuple[str, ...] = ()
    """For the user: mistakes in the configuration that do no harm."""


def last_part(name: str) -> str:
    """The word that a function of `extend-spawners` or `extend-guards` is written with, whatever it is called on."""
    return name.partition(":")[0].rpartition(".")[2]


def language(settings: Settings, path: str) -> str:
    """How a file is read: python, pyi, ipynb or go."""
    dot = path.rfind(".")  # called for every file, and os.path.splitext takes three times as long
    return _language(settings.extension, path[dot:] if dot > path.rfind(os.sep) + 1 else "")


@functools.lru_cache(maxsize=256)
def _language(extension: tuple[tuple[str, str], ...], suffix: str) -> str:
    return dict(extension).get(suffix[1:]) or LANGUAGES.get(suffix, "python")


def front_end(settings: Settings, path: str) -> str:
    """The front end that reads a file, python or go."""
    return FRONT_ENDS[language(settings, path)]


def ignored_codes(settings: Settings, path: str) -> frozenset[str]:
    """The codes that `per-file-ignores` turns off for a file."""
    ignored: frozenset[str] = frozenset()
    for pattern, codes in settings.per_file_ignores:
        negated = pattern.startswith("!")
        if path != "-" and matches(settings.root, (pattern.removeprefix("!"),), path) is not negated:
            ignored |= codes
    return ignored


def is_spawn_exempt(settings: Settings, path: str) -> bool:
    """Whether the rules about spawns skip a file."""
    return matches(settings.root, settings.spawn_exempt, path)


def is_test(settings: Settings, path: str) -> bool:
    """Whether a Python file is a test: by its name, or because the settings leave spawns in it alone, as in tests."""
    return is_spawn_exempt(settings, path) or matches(settings.root, TESTS, path)


def is_boundary(settings: Settings, path: str) -> bool:
    """Whether a Go file belongs to a package that may recover."""
    return matches(settings.root, settings.boundary_packages, path)


def component_for(settings: Settings, path: str) -> str | None:
    """The component that the settings give the spawns of a file: that of the first pattern that matches."""
    return _first(settings, settings.component, path)


def target_version(settings: Settings, path: str) -> str:
    """The oldest Python that a file is for, as `py310`: that of the first pattern that matches, or the project's."""
    return _first(settings, settings.per_file_target_version, path) or settings.target_version


def _first(settings: Settings, table: Iterable[tuple[str, str]], path: str) -> str | None:
    """What stands beside the first pattern that matches."""
    return next((value for pattern, value in table if matches(settings.root, (pattern,), path)), None)
