"""What a rule is, and where the rules are found: a file in `panicguard/rules` with a `RULE` in it."""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
import json
import os
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from panicguard.diagnostic import Diagnostic, Edit, Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Set

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.python.file import PythonFile
    from panicguard.settings import Settings

from panicguard.python.evidence import Evidence
from panicguard.settings import last_part

File = TypeVar("File")

INDEX = "index.json"
"""What all rules say of themselves, in their folder: written by `tests/generate.py`."""
LANGUAGES = ("python", "go")
"""The fields of a rule that hold a check."""


class Fixes(str, enum.Enum):
    """Whether the findings of a rule come with a fix."""

    NONE = "None"
    SOMETIMES = "Sometimes"
    ALWAYS = "Always"


@dataclass(frozen=True, slots=True, eq=False)
class Check(Generic[File]):
    """How a rule checks the files of a language.

    `words` are whole identifiers (in Go substrings) without one of which a file cannot have a finding: a file with none
    of any rule's words is never parsed. In Python a word that is only the callee of an `await` does not count; further
    conditions are in `python/apis.py` (`NEEDS`, `AFTER`). `evidence` matters in Python alone.
    """

    run: Callable[[File], Iterator[Finding]]
    words: tuple[str, ...]
    likely_words: tuple[str, ...] = ()
    """Further words, where what is likely but not proven is reported too."""
    evidence: Set[Evidence] = frozenset((Evidence.WHOLE_SPAWNED_BODY,))
    context: tuple[str, ...] = ()
    """Words that say something beside one of `words` alone: who spawns what these are about, and what becomes of it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a value, not a class to inherit from. It is about the languages that it has a check for."""

    code: str
    python: Check[PythonFile] | None = None
    go: Check[GoFile] | None = None
    default: bool = True
    spawn: bool = False
    """Whether the rule is about a spawn itself, so that `spawn-exempt` files are free of it."""
    fix: Fixes = Fixes.NONE
    reported_by: str = ""
    """The module that reports its findings, where that is known only when all checks have run."""
    module: str = ""
    """The module that it stands in: filled in by `all_rules`."""

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def docs(self) -> str:
        """The docstring of its module. The first line is the summary; the sections are What it does, Why is this bad,
        Example, Use instead, Fix safety, Options, References."""
        return importlib.import_module(self.module).__doc__ or ""

    @property
    def summary(self) -> str:
        return self.docs.strip().partition("\n")[0]


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code. Where the index has it, its module is imported when it first checks a file: most files, and
    so most runs, ask a rule for its words alone."""
    folder = os.path.join(os.path.dirname(__file__), "rules")
    with open(os.path.join(folder, INDEX), "rb") as file:
        known = json.load(file)
    names = [module.name for module in pkgutil.iter_modules([folder])]
    rules = (_indexed(name, known[name]) if name in known else imported(name) for name in names)
    return tuple(sorted(rules, key=lambda rule: rule.code))


def imported(name: str) -> Rule:
    """The rule of a module in `panicguard/rules`, as it stands there."""
    module = f"panicguard.rules.{name}"
    rule: Rule = importlib.import_module(module).RULE
    return dataclasses.replace(rule, module=module)


def index(rule: Rule) -> dict[str, Any]:
    """What the index says of a rule: all but the functions, as JSON can hold it."""
    said = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}
    del said["module"]
    for language in LANGUAGES:
        if (check := said[language]) is not None:
            words = {field.name: getattr(check, field.name) for field in dataclasses.fields(check)}
            del words["run"]
            said[language] = {**words, "evidence": sorted(evidence.name for evidence in check.evidence)}
    return said


def _indexed(name: str, said: Mapping[str, Any]) -> Rule:
    module = f"panicguard.rules.{name}"
    checks = {language: _check(module, language, said[language]) for language in LANGUAGES if said[language]}
    values: dict[str, Any] = {**said, "fix": Fixes(said["fix"]), **checks, "module": module}
    return Rule(**values)


def _check(module: str, language: str, said: Mapping[str, Any]) -> Check[Any]:
    def run(file: object) -> Iterator[Finding]:
        check = getattr(importlib.import_module(module).RULE, language)
        return cast("Iterator[Finding]", check.run(file))

    evidence = frozenset(Evidence[name] for name in said["evidence"])
    words, likely, context = (tuple(said[name]) for name in ("words", "likely_words", "context"))
    return Check(run, words, likely, evidence, context)


@functools.cache
def rule_names() -> Mapping[str, str]:
    """The name of every rule, by its code."""
    return {rule.code: rule.name for rule in all_rules()}


def diagnostics(rule: Rule, findings: Iterator[Finding]) -> Iterator[Diagnostic]:
    """What a rule found, under its code and its name. Equal texts are one object: most findings of a rule differ in
    their places alone, and there may be many."""
    texts: dict[str, str] = {}
    share = texts.setdefault
    name = rule.name
    for finding in findings:
        message, fix = share(finding.message, finding.message), finding.fix
        if fix is not None:
            edits = tuple(_with_content(edit, share(edit.content, edit.content)) for edit in fix.edits)
            fix = Fix(share(fix.title, fix.title), edits, fix.applicability)
        yield Diagnostic(rule.code, name, message, finding.start, finding.end, fix)


def _with_content(edit: Edit, content: str) -> Edit:
    return edit if edit.content is content else Edit(edit.start, edit.end, content)


def declared_words(settings: Settings) -> tuple[str, ...]:
    """The words of the project's own spawners and guards: every rule about spawned code may speak of them."""
    names = map(last_part, (*settings.extend_spawners, *settings.extend_guards))
    return tuple(dict.fromkeys((*names, *imported_words(settings))))


def imported_words(settings: Settings) -> frozenset[str]:
    """The words of what a file imports from other modules of the project and spawns with; a module is none, its
    functions are; nor is what is only handed to a spawn."""
    spawning = (one for one in settings.imported if one.kind != "keeps")
    names = (one.name for one in spawning if one.kind != "alias" or one.of.rpartition(".")[2] != one.of)
    return frozenset(name.rpartition(".")[2] for name in names)
