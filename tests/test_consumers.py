"""The reports for programs, read as those programs read them: by schema, by library, by the documented grammar."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
import xmlschema
from sarif.loader import load_sarif_file
from test_report import text

from panicguard.diagnostic import Applicability, Diagnostic, Edit, Fix, Result, Severity
from panicguard.report import formats
from panicguard.rule import all_rules
from panicguard.source import Source

DATA = Path(__file__).parent / "data"
MESSAGE = "100% `a`, b: <c> & \"d\" 'e'; [f] %0A \x1b😀"
CODE = 'x = "😀"; go(f())\ny = [\n  1,\n]\nx = "😀"; go(f())\n'
GO, LIST, AGAIN = CODE.index("go"), CODE.index("y"), CODE.rindex("go")
RULES = {rule.code: rule.name for rule in all_rules()}


def found(code: str, start: int, end: int, severity: Severity, fix: Fix | None = None) -> Diagnostic:
    return Diagnostic(code, RULES.get(code, code), MESSAGE, start, end, fix, 1, severity)


def fixed(*edits: Edit, applicability: Applicability = Applicability.SAFE) -> Fix:
    return Fix("Do: this, or\nthat", edits, applicability)


RESULTS = [
    Result(
        Source("a dir/é,:%2C;]'&\"<>#?.py", CODE),
        (
            found("PNC102", GO, GO + 2, Severity.ERROR, fixed(Edit(0, 0, "import a\n"), Edit(GO, GO + 2, "run"))),
            found("PNC101", LIST, LIST + 12, Severity.WARNING, fixed(Edit(LIST, LIST + 13, ""))),
            found(
                "PNC102",
                AGAIN,
                AGAIN + 2,
                Severity.INFO,
                fixed(Edit(0, 0, "#"), applicability=Applicability.DISPLAY_ONLY),
            ),
        ),
    ),
    Result(Source("clean.py", CODE), ()),
    Result(Source("broken.py", "def f(:\n"), (found("invalid-syntax", 6, 8, Severity.ERROR),)),
    Result(Source("gone.py", ""), (found("io-error", 0, 0, Severity.ERROR),)),
    Result(Source("-", "x\n"), (found("PNC101", 0, 1, Severity.ERROR),)),
]
FOUND = [(result.source, diagnostic) for result in RESULTS for diagnostic in result.diagnostics]
REPORTS = {"clean": [], "found": RESULTS}


def report(name: str, results: list[Result] = RESULTS) -> str:
    return text([s for piece in formats.render(results, name, unsafe=None) for s in piece])


def severities(results: list[Result], severity: Severity) -> list[Result]:
    return [replace(r, diagnostics=tuple(replace(d, severity=severity) for d in r.diagnostics)) for r in results]


@pytest.mark.parametrize("results", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("name", ["sarif", "rdjson"])
def test_a_document_is_valid(name: str, results: list[Result]) -> None:
    schema = json.loads(next(DATA.glob(f"{name}*.json")).read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    document = json.loads(report(name, results))
    assert [error.message for error in validator(schema).iter_errors(document)] == []
    document["severity" if name == "rdjson" else "version"] = "none"
    assert list(validator(schema).iter_errors(document))


@pytest.mark.parametrize("results", REPORTS.values(), ids=REPORTS)
def test_junit_is_valid_but_for_what_ruff_adds(results: list[Result]) -> None:
    """Ruff says the place of a finding, its severity and the number of skipped tests, which the schema does not
    cover."""
    schema = xmlschema.XMLSchema(DATA / "junit-10.xsd")
    document = report("junit", results)
    plain = re.sub(r"\n *<properties>.*?</properties>", "", document, flags=re.DOTALL)
    plain = re.sub(r' (?:line|column)="\d+"', "", plain)
    plain = re.sub(r'(<testsuites [^>]*) skipped="0"', r"\1", plain)
    assert [error.reason for error in schema.iter_errors(plain)] == []
    assert bool(results) == ("<properties>" in document)
    assert not schema.is_valid(plain.replace("testcase", "case"))


def test_sarif_is_read_with_every_finding_and_rule(tmp_path: Path) -> None:
    path = tmp_path / "report.sarif"
    path.write_text(report("sarif"), encoding="utf-8")
    log = load_sarif_file(str(path))
    assert log.get_distinct_tool_names() == ["panicguard"]
    read = [(r["Code"], r["Severity"], r["Line"]) for r in log.get_records()]
    assert sorted(read) == [
        ("PNC101", "error", 1),
        ("PNC101", "warning", 2),
        ("PNC102", "error", 1),
        ("PNC102", "note", 5),
        ("invalid-syntax", "error", 1),
        ("io-error", "error", 1),
    ]
    [run] = json.loads(report("sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["properties"]["name"]) for rule in rules] == sorted(
        (code, name) for code, name in RULES.items() if code in ("PNC101", "PNC102")
    )
    assert all("## What it does" in rule["fullDescription"]["text"] for rule in rules)
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.endswith("/a%20dir/%C3%A9%2C%3A%252C%3B%5D%27%26%22%3C%3E%23%3F.py")


def test_junit_is_read_with_every_finding() -> None:
    suites = junitparser.JUnitXml.fromstring(report("junit").encode())
    assert (suites.tests, suites.failures, suites.errors) == (6, 6, 0)
    assert [suite.name for suite in suites] == [str(Path.cwd() / r.source.path) for r in RESULTS[:1] + RESULTS[2:4]] + [
        "-"
    ]
    cases = [case for suite in suites for case in suite]
    assert [case.name for case in cases] == [f"org.panicguard.{d.code}" for _, d in FOUND]
    assert {case.result[0].message for case in cases} == {MESSAGE.replace("\x1b", "")}
    assert [p.value for case in cases for p in case.child(junitparser.Properties)] == [
        d.severity.value for _, d in FOUND
    ]


def github_commands(output: str) -> list[tuple[str, dict[str, str], str]]:
    """What the runner of GitHub Actions reads: `::command key=value,key=value::data`, escapes undone."""
    read = []
    for line in output.splitlines():
        command, listed, data = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
        pairs = dict(one.split("=", 1) for one in listed.split(","))
        read.append(
            (command, {key: unescaped(value, ":,\r\n%") for key, value in pairs.items()}, unescaped(data, "\r\n%"))
        )
    return read


def unescaped(value: str, characters: str) -> str:
    """The escapes undone, `%25` the last as both documentations have it."""
    for character in characters:
        value = value.replace(f"%{ord(character):02X}", character)
    return value


def test_github_annotations_are_read_back() -> None:
    read = github_commands(report("github"))
    assert [command for command, _, _ in read] == ["error", "warning", "notice", "error", "error", "error"]
    assert [p["title"] for _, p, _ in read] == [f"panicguard ({d.code})" for _, d in FOUND]
    absolute = [s.path if s.path == "-" else str(Path.cwd() / s.path) for s, _ in FOUND]
    assert [p["file"] for _, p, _ in read] == absolute
    path = RESULTS[0].source.path
    assert read[0][2] == f"{path}:1:10: PNC102 {MESSAGE}\n  help: Do: this, or\nthat"
    assert read[3][2] == f"broken.py:1:7: invalid-syntax: {MESSAGE}"
    places = [{key: int(p[key]) for key in p.keys() - {"title", "file"}} for _, p, _ in read]
    assert places[0] == {"line": 1, "col": 10, "endLine": 1, "endColumn": 12}
    assert places[1] == {"line": 2, "endLine": 4}, "columns of several lines hide an annotation"


def test_azure_commands_are_read_back() -> None:
    lines = report("azure").splitlines()
    parsed = [re.fullmatch(r"##vso\[task\.logissue ([^\]]*)\](.*)", line).groups() for line in lines]
    read = [(dict(one.split("=", 1) for one in listed.rstrip(";").split(";")), data) for listed, data in parsed]
    assert [p["type"] for p, _ in read] == ["error", "warning", "warning", "error", "error", "error"]
    assert unescaped(read[0][0]["sourcepath"], ";]\r\n") == str(Path.cwd() / RESULTS[0].source.path)
    assert (read[0][0]["linenumber"], read[0][0]["columnnumber"], read[0][0]["code"]) == ("1", "10", "PNC102")
    assert {data for _, data in read} == {MESSAGE}


def test_a_line_is_a_command_whatever_the_message_holds() -> None:
    odd = Diagnostic("PNC101", "a", "a\nb\r\nc", 0, 1)
    for name in ("github", "azure"):
        assert len(report(name, [Result(Source("a\n.py", "x"), (odd,))]).splitlines()) == 1


def issues(source: Source, *diagnostics: Diagnostic) -> list[dict[str, Any]]:
    return json.loads(report("gitlab", [Result(source, diagnostics)]))


def test_a_gitlab_fingerprint_moves_with_its_line() -> None:
    here = found("PNC101", GO, GO + 2, Severity.ERROR)
    twin = replace(here, start=AGAIN, end=AGAIN + 2)
    above = "import a\n\n\n"
    before = issues(Source("a.py", CODE), here, twin)
    moved = (replace(d, start=d.start + len(above), end=d.end + len(above)) for d in (here, twin))
    after = issues(Source("a.py", above + CODE), *moved)
    prints = [one["fingerprint"] for one in before]
    assert prints == [one["fingerprint"] for one in after]
    assert len(set(prints)) == 2, "the same line twice"
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in prints)
    changed = [
        issues(Source("b.py", CODE), here),
        issues(Source("a.py", CODE.replace("go", "to")), here),
        issues(Source("a.py", CODE), replace(here, code="PNC102")),
        issues(Source("a.py", CODE), replace(here, message="m")),
    ]
    assert len({prints[0], *(one[0]["fingerprint"] for one in changed)}) == 5
    assert [one["severity"] for one in json.loads(report("gitlab"))] == "major minor info major major major".split()


def test_gitlab_paths_are_those_of_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for project, path in ((str(tmp_path.parent), f"{tmp_path.name}/a.py"), ("", "a.py")):
        monkeypatch.setenv("CI_PROJECT_DIR", project)
        assert issues(Source("a.py", CODE), FOUND[0][1])[0]["location"]["path"] == path
        assert issues(Source("-", CODE), FOUND[0][1])[0]["location"]["path"] == "-"


def test_a_report_says_how_severe_a_finding_is() -> None:
    expected = [diagnostic.severity.value for _, diagnostic in FOUND]
    assert [one["severity"] for one in json.loads(report("json"))] == expected
    assert [json.loads(line)["severity"] for line in report("json-lines").splitlines()] == expected
    assert [one["severity"].lower() for one in json.loads(report("rdjson"))["diagnostics"]] == expected


@pytest.mark.parametrize("severity", Severity)
def test_rdjson_says_it_where_it_is_not_what_ruff_leaves_unsaid(severity: Severity) -> None:
    document = json.loads(report("rdjson", severities(RESULTS, severity)))
    said = {one.get("severity") for one in document["diagnostics"]}
    assert (said, document["severity"]) == ({None if severity is Severity.ERROR else severity.name}, "WARNING")
