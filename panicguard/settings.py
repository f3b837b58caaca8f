"""Configuration: one frozen value, read from panicguard.toml or [tool.panicguard]."""

from __future__ import annotations

from dataclasses import dataclass

SPAWN_EXEMPT = (
    "**/tests/**",
    "test_*.py",
    "*_test.py",
    "conftest.py",
    "*_pb2.py",
    "*_pb2_grpc.py",
    "**/mocks/**",
)
EXCLUDE = (
    ".bzr .direnv .eggs .git .git-rewrite .hg .ipynb_checkpoints .mypy_cache .nox .pants.d .pyenv "
    ".pytest_cache .pytype .ruff_cache .panicguard_cache .svn .tox .venv .vscode __pypackages__ _build buck-out dist "
    "node_modules site-packages venv"
).split()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run depends on. Hashable; two equal values give equal results."""

    root: str = ""
    """The directory that relative patterns start from."""
    enabled: frozenset[str] = frozenset()
    """The codes of the rules that are on, selectors already resolved."""
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    exclude: tuple[str, ...] = tuple(EXCLUDE)
    runtime_module: str | None = None
    """The dotted name of the runtime that fixes import; None: the vendored copy found in the project, else
    panicguard.mruntime."""
    default_policy: str = "KeepRunning"
    component: tuple[tuple[str, str], ...] = ()
    """(path pattern, component name): the component for spawns in those files."""
    spawn_exempt: tuple[str, ...] = SPAWN_EXEMPT
    strict_spawns: bool = False
    low_confidence: bool = False
    reporters: tuple[str, ...] = ()
    """Dotted names of functions that report an exception they are given (PNC303)."""
    target_version: tuple[int, int] = (3, 10)
