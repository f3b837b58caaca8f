"""The keys of the configuration, in one table: the source for parsing, validation, error messages and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from panicguard.report.formats import FORMATS
from panicguard.settings import EXCLUDE, GO_CALL, INCLUDE, LANGUAGES, SEVERITIES, SPAWN_EXEMPT, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array."""

    of: Kind


@dataclass(frozen=True, slots=True)
class TableOf:
    """A table: what its keys are, and what they hold."""

    keys: str
    of: Kind


@dataclass(frozen=True, slots=True)
class Either:
    """An array or a table, or one value instead."""

    many: ListOf | TableOf
    one: str


Kind: TypeAlias = "str | tuple[str, ...] | ListOf | TableOf | Either"
"""bool, int, str, path, glob, module (a dotted name), spawner, call (of `GO_CALL_PARTS`), selector or version; a tuple
of the strings that it may be."""


class Field(NamedTuple):
    """A key of the configuration. `default` and `example` are TOML, the default of a key without one is empty."""

    kind: Kind
    default: str
    doc: str
    example: str
    lint: bool = True
    """Whether the key may also stand in the table `lint`."""


def _toml_list(items: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


_BY_FILE = TableOf("glob", ListOf("selector"))
_SELECTORS = ListOf("selector")

FIELDS: Mapping[str, Field] = {
    "select": Field(_SELECTORS, "", "The rules to run: codes, prefixes, names, or ALL.", '["PNC1", "bare-thread"]'),
    "ignore": Field(_SELECTORS, "[]", "The rules not to run.", '["PNC401"]'),
    "extend-select": Field(_SELECTORS, "[]", "Rules to run in addition to the selected ones.", '["PNC3"]'),
    "extend-ignore": Field(_SELECTORS, "[]", "The same as `ignore`.", '["PNC401"]'),
    "fixable": Field(_SELECTORS, '["ALL"]', "The rules whose findings may be fixed.", '["PNC1"]'),
    "unfixable": Field(_SELECTORS, "[]", "The rules whose findings are only reported.", '["PNC501"]'),
    "extend-fixable": Field(_SELECTORS, "[]", "Rules that may be fixed in addition to the fixable ones.", '["PNC2"]'),
    "extend-safe-fixes": Field(_SELECTORS, "[]", "Rules whose unsafe fixes count as safe.", '["PNC304"]'),
    "extend-unsafe-fixes": Field(_SELECTORS, "[]", "Rules whose safe fixes count as unsafe.", '["PNC103"]'),
    "per-file-ignores": Field(_BY_FILE, "{}", "Rules not to run, by path pattern.", '{ "scripts" = ["PNC1"] }'),
    "extend-per-file-ignores": Field(_BY_FILE, "{}", "More of `per-file-ignores`.", '{ "scripts/*.py" = ["PNC4"] }'),
    "lint.exclude": Field(ListOf("glob"), "[]", "In `[lint]`: more of `exclude`.", '["generated"]', lint=False),
    "external": Field(ListOf("str"), "[]", "Codes of other tools, which are never reported or removed.", '["V"]'),
    "severity": Field(
        TableOf("selector", SEVERITIES),
        "{}",
        "Severity of findings by rule; the default is `error`.",
        '{ "PNC4" = "warning" }',
    ),
    "runtime-module": Field(
        "module", "", "The module that fixes import the runtime from: `myapp.mruntime`.", '"myapp.mruntime"'
    ),
    "go-runtime": Field(
        "str", "", "The package that fixes of Go files import the runtime from.", '"example.com/app/mruntime"'
    ),
    "go-call": Field(
        "call",
        f'"{GO_CALL}"',
        "The call that fixes of Go files write; `{name}` stands for the enclosing function.",
        '"{runtime}.SafeGoWithContextAndComponent({ctx}, nil, {component}, {name}, {runtime}.{policy}, {fn})"',
    ),
    "default-policy": Field(
        ("KeepRunning", "CrashProcess"), '"KeepRunning"', "The policy that fixes write.", '"CrashProcess"'
    ),
    "component": Field(
        Either(TableOf("glob", "str"), "str"),
        "{}",
        "The component fixes write: a name, or names by path pattern.",
        '{ "src/billing" = "billing" }',
    ),
    "spawn-exempt": Field(
        ListOf("glob"),
        _toml_list(SPAWN_EXEMPT),
        "Files in which the rules about spawns do not apply.",
        '["tests", "scripts/*.py"]',
    ),
    "boundary-packages": Field(
        ListOf("glob"),
        "[]",
        "The Go packages that may call `recover`; if set, it is reported elsewhere.",
        '["internal/adapters/http", "internal/bootstrap"]',
    ),
    "strict-spawns": Field("bool", "false", "Report every raw spawn, observed ones too.", "true"),
    "extend-spawners": Field(
        ListOf("spawner"),
        "[]",
        "Functions that spawn their first argument, and how: as a `task`, a `thread` or a `job`.",
        '["myapp.background.run", "*.add_executor_job:job"]',
    ),
    "extend-guards": Field(
        ListOf("function"), "[]", "Functions and decorators as good as SafeGo.", '["myapp.safe.guarded"]'
    ),
    "low-confidence": Field("bool", "false", "Report what is likely but not proven.", "true"),
    "error-hooks": Field(
        "bool",
        "",
        "Whether a hook is told of the errors of threads (`threading.excepthook`) and of collected tasks "
        "(`loop.set_exception_handler`); by default it is where the project sets one.",
        "false",
    ),
    "reporters": Field(
        ListOf("module"), "[]", "Functions that report the exception being handled.", '["myapp.log.note"]'
    ),
    "extend": Field(
        Either(ListOf("path"), "path"),
        "[]",
        "Files that this one extends, the last one wins; `~` and variables are expanded.",
        '"../panicguard.toml"',
        lint=False,
    ),
    "inherit-ruff": Field(
        "bool",
        "true",
        "Take excludes, `target-version`, `line-length` and `src` from Ruff's configuration where they are not set, "
        "and `line-length` from Black's.",
        "false",
        lint=False,
    ),
    "required-version": Field("version", "", "The versions of panicguard that may run.", '">=0.3,<1"', lint=False),
    "preview": Field("bool", "false", "Accepted; no rule is in preview.", "true"),
    "exclude": Field(ListOf("glob"), _toml_list(EXCLUDE), "Files and directories to leave out.", '["gen"]', lint=False),
    "extend-exclude": Field(
        ListOf("glob"),
        "[]",
        "Files and directories to leave out in addition to `exclude`.",
        '["third_party"]',
        lint=False,
    ),
    "include": Field(
        ListOf("glob"), _toml_list(INCLUDE), "The files that directories are searched for.", '["src/*.py"]', lint=False
    ),
    "extend-include": Field(
        ListOf("glob"), "[]", "Files to search for in addition to `include`.", '["*.pyw"]', lint=False
    ),
    "extension": Field(
        TableOf("str", tuple(LANGUAGES.values())),
        "{}",
        "How to read files, by extension.",
        '{ "ipy" = "ipynb" }',
        lint=False,
    ),
    "respect-gitignore": Field("bool", "true", "Leave out what git ignores.", "false", lint=False),
    "force-exclude": Field("bool", "false", "Exclude files that the command line names, too.", "true", lint=False),
    "target-version": Field(
        VERSIONS,
        "",
        "The oldest Python to support; by default `requires-python`. A fix that imports the runtime is "
        "unsafe below `py310`, which the runtime needs.",
        '"py312"',
        lint=False,
    ),
    "per-file-target-version": Field(
        TableOf("glob", VERSIONS), "{}", "The oldest Python, by path pattern.", '{ "scripts" = "py313" }', lint=False
    ),
    "src": Field(
        ListOf("path"),
        '[".", "src"]',
        "Where the project's own packages are: imports of them are looked up there.",
        '["lib"]',
        lint=False,
    ),
    "line-length": Field(
        "int",
        "88",
        "The length of a line: fixes of Python break a call that they would make longer.",
        "120",
        lint=False,
    ),
    "cache-dir": Field(
        "path",
        '".panicguard_cache"',
        "Where results are cached: inside the project, unless `--cache-dir` or its variable says otherwise.",
        '"build/panicguard"',
        lint=False,
    ),
    "fix": Field("bool", "false", "Fix what can be fixed.", "true", lint=False),
    "fix-only": Field("bool", "false", "Fix, and do not report what is left.", "true", lint=False),
    "unsafe-fixes": Field("bool", "", "Apply unsafe fixes too; false: do not even mention them.", "true", lint=False),
    "show-fixes": Field("bool", "false", "List what was fixed.", "true", lint=False),
    "output-format": Field(tuple(FORMATS), '"full"', "How to print diagnostics.", '"concise"', lint=False),
    "baseline": Field("path", "", "The file of known findings, which are not reported.", '"baseline.json"', lint=False),
    "fail-level": Field(SEVERITIES, '"info"', "The lowest severity that makes a run fail.", '"warning"', lint=False),
}
