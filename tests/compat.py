"""What panicguard has of `ruff check`: each flag, key, comment, format and command, as plain data.

`tests/generate.py` generates the table in the README, and `tests/test_compat.py` compares it with both programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SAME, BETTER, ACCEPTED, OTHER = "same", "better", "accepted", "does not apply"
KINDS = {"flag": "Flags of `check`", "command": "Commands", "key": "Keys", "comment": "Comments", "format": "Formats"}


class Row(NamedTuple):
    """`how` is empty for what is the same. In a comment, TOOL is the program's name and CODE a code."""

    kind: str
    name: str
    verdict: str
    how: str = ""


def _same(kind: str, names: str) -> Iterator[Row]:
    return (Row(kind, name, SAME) for name in names.split())


ROWS = (
    *_same(
        "flag",
        "--fix --no-fix --unsafe-fixes --no-unsafe-fixes --show-fixes --no-show-fixes --diff --fix-only --no-fix-only "
        "--ignore-noqa --output-format --output-file --preview --no-preview --extension --statistics "
        "--add-noqa --add-ignore --show-files --show-settings --help --select --extend-select "
        "--per-file-ignores --extend-per-file-ignores --fixable --unfixable --extend-fixable --exclude "
        "--extend-exclude --respect-gitignore --no-respect-gitignore --no-force-exclude --no-cache "
        "--cache-dir --stdin-filename --exit-zero --exit-non-zero-on-fix --quiet --silent --config --isolated "
        "--color",
    ),
    Row(
        "flag", "--target-version", ACCEPTED, "decides whether a fix that imports the runtime is safe, and nothing else"
    ),
    Row("flag", "--watch", BETTER, "also sees the configuration change, and survives a broken one"),
    Row("flag", "--ignore", BETTER, "an unknown rule is a warning, not the end of the run"),
    Row(
        "flag",
        "--force-exclude",
        BETTER,
        "without it, a hint says when an excluded file is checked because it is named",
    ),
    Row("flag", "--verbose", BETTER, "says which configuration is used, in one line"),
    *_same("command", "check config linter clean version help generate-shell-completion"),
    Row("command", "rule", BETTER, "suggests the nearest code or name for a mistyped one"),
    Row(
        "command",
        "server",
        BETTER,
        "reports on the whole workspace, and survives bad messages and a broken configuration",
    ),
    Row("command", "format", OTHER, "panicguard formats nothing"),
    Row("command", "analyze", OTHER, "panicguard analyzes no imports"),
    *_same(
        "key",
        "cache-dir extend fix unsafe-fixes fix-only show-fixes required-version preview exclude extend-exclude "
        "extend-include include force-exclude respect-gitignore extension "
        "output-format lint.select lint.extend-select "
        "lint.extend-ignore lint.fixable lint.unfixable lint.extend-fixable lint.extend-safe-fixes "
        "lint.extend-unsafe-fixes lint.per-file-ignores lint.extend-per-file-ignores lint.external lint.exclude "
        "lint.preview",
    ),
    Row("key", "target-version", ACCEPTED, "decides whether a fix that imports the runtime is safe, and nothing else"),
    Row("key", "per-file-target-version", ACCEPTED, "as `target-version`"),
    Row("key", "src", ACCEPTED, "shown by `--show-settings`; no rule uses it"),
    Row("key", "line-length", ACCEPTED, "fixes keep to it; also taken from Black's table"),
    Row("key", "lint.ignore", BETTER, "an unknown rule is a warning, not the end of the run"),
    Row("key", "indent-width", OTHER, "no rule measures indentation"),
    Row("key", "output-prefer-rule-codes", OTHER, "codes are always shown"),
    Row("key", "lint.explicit-preview-rules", OTHER, "no rule is in preview"),
    Row("key", "builtins", OTHER, "no rule is about undefined names"),
    Row("key", "namespace-packages", OTHER, "no rule depends on where a package begins"),
    Row("key", "lint.allowed-confusables", OTHER, "no rule reads prose"),
    Row("key", "lint.dummy-variable-rgx", OTHER, "no rule is about unused variables"),
    Row("key", "lint.future-annotations", OTHER, "no fix writes annotations"),
    Row("key", "lint.ignore-init-module-imports", OTHER, "no rule is about unused imports"),
    Row("key", "lint.logger-objects", OTHER, "`reporters` names the functions that report an error"),
    Row("key", "lint.task-tags", OTHER, "no rule reads prose"),
    Row("key", "lint.typing-extensions", OTHER, "no fix writes annotations"),
    Row("key", "lint.typing-modules", OTHER, "no rule reads annotations"),
    Row("key", "lint.<plugin>.*", OTHER, "panicguard has no plugins; the options of its rules are keys of their own"),
    Row("key", "format.*", OTHER, "panicguard formats nothing"),
    Row("key", "analyze.*", OTHER, "panicguard analyzes no imports"),
    *(
        Row("comment", comment, SAME)
        for comment in ("# noqa", "# noqa: CODE", "# flake8: noqa", "# TOOL: noqa", "# TOOL: noqa: CODE")
    ),
    Row("comment", "# TOOL: ignore[CODE]", BETTER, "names as well as codes"),
    Row("comment", "# TOOL: file-ignore[CODE]", BETTER, "names and prefixes as well as codes"),
    Row("comment", "# TOOL: disable[CODE]", BETTER, "names as well as codes, and between brackets too"),
    Row("comment", "# TOOL: enable[CODE]", BETTER, "names as well as codes, and between brackets too"),
    *_same("format", "concise full json json-lines junit grouped github gitlab pylint rdjson azure sarif"),
)


def table() -> str:
    """The table in Markdown: what is the same in one line, the rest line by line."""
    rows = ["| | | |", "|---|---|---|"]
    for kind, title in KINDS.items():
        these = [row for row in ROWS if row.kind == kind]
        same = ", ".join(_code(row.name) for row in these if row.verdict == SAME)
        rows.append(f"| {title} | the same | {same} |")
        rows += [f"| {_code(row.name)} | {row.verdict} | {row.how} |" for row in these if row.verdict != SAME]
    return "\n".join(rows)


def _code(name: str) -> str:
    return f"`{name.replace('TOOL', 'panicguard').replace('CODE', 'PNC101')}`"
