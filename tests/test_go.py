"""Go as a whole: bad input, files that are skipped, and fixes that Go's own tools accept."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from bench_go import build, counted, found
from prove_go_fixes import copied, prove
from toolchain import ENV, GO, GOFMT, sources

from fixtures import FIXTURES, cases, golden, source
from panicguard import config
from panicguard.cli.vendor import vendor
from panicguard.diagnostic import Applicability
from panicguard.engine import check
from panicguard.files import gomod
from panicguard.files.discover import discover
from panicguard.fix import fix
from panicguard.go import tree
from panicguard.run.lint import lint_bytes, lint_file
from panicguard.run.task import Does, Task
from panicguard.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from tree_sitter import Node

GUIDE = FIXTURES / "guide"
SETTINGS = dataclasses.replace(config.default(""), go_runtime="example.test/pg/mruntime")
NO_CONTEXT_NEEDED = "package p\n\nfunc work() {}\n\nfunc f() {\n\tgo work()\n}\n"

TEN = (
    "archive/zip bufio compress/flate compress/lzw database/sql encoding/gob go/token html/template internal/gate "
    "internal/singleflight"
).split()
"""Packages in which goroutines are started, and which need few others."""

needs_go = pytest.mark.skipif(not GO.exists(), reason="the Go toolchain is not installed")


def codes(text: str, name: str = "p.go") -> list[str]:
    return [d.code for d in check(Source(name, text, "go"), SETTINGS)]


def goldens() -> list[Path]:
    """The results of fixes that write code; one that only takes a comment out may leave an empty line."""
    folders = (*FIXTURES.glob("PNC[!9]*"), GUIDE)
    return sorted(path for folder in folders for path in folder.rglob("*.fixed.go"))


@needs_go
def test_what_is_fixed_is_formatted() -> None:
    asked = [*map(str, goldens())]
    done = subprocess.run([GOFMT, "-l", *asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module of the name that is in the fixtures, with a copy of the runtime."""
    (tmp_path / "go.mod").write_text("module example.test/pg\n\ngo 1.27\n")
    vendor(tmp_path, "mruntime", "go")
    return tmp_path


def vet(module: Path) -> str:
    """What `go vet` reports for a module; it compiles the tests too."""
    done = subprocess.run([GO, "vet", "./cmd/..."], cwd=module, env=ENV, capture_output=True, text=True, check=False)
    return f"{done.stderr}{done.returncode or ''}"


@needs_go
def test_what_is_fixed_satisfies_vet(module: Path) -> None:
    programs = [path for path in goldens() if path.read_text().startswith("package main\n")]
    for number, path in enumerate(programs):
        package = module / "cmd" / str(number)
        package.mkdir(parents=True)
        shutil.copy(path, package / path.name)
    assert vet(module) == ""


@needs_go
@pytest.mark.skipif(not shutil.which("gcc"), reason="-race needs a C compiler")
def test_what_is_fixed_runs_as_before_and_without_a_race(module: Path) -> None:
    """Except for the `differs_` ones, which show why a fix is unsafe, and those that race to begin with."""
    fixes = FIXTURES / "PNC120" / "fixes"
    names = [path.name.removesuffix(".fixed.go") for path in fixes.glob("*.fixed.go")]
    for name in names:
        for end in (".go", ".fixed.go"):
            package = module / "cmd" / f"{name}{end}"
            package.mkdir(parents=True)
            shutil.copy(fixes / f"{name}{end}", package / "main.go")
    build = [GO, "build", "-race", "-ldflags=-s -w", "-o", f"{module / 'bin'}/", "./cmd/..."]
    subprocess.run(build, cwd=module, env={**ENV, "CGO_ENABLED": "1"}, check=True)

    # Each one waits a second at its end otherwise, for goroutines that might still race.
    env = {**os.environ, "GORACE": "atexit_sleep_ms=50"}

    def outcome(program: str) -> tuple[int, str, bool]:
        done = subprocess.run(
            [module / "bin" / program], capture_output=True, text=True, check=False, timeout=60, env=env
        )
        return done.returncode, done.stdout, "DATA RACE" in done.stderr

    before = {name: outcome(f"{name}.go") for name in names if not name.startswith("differs_")}
    before = {name: was for name, was in before.items() if not was[2]}
    assert len(before) > 20
    assert {name: outcome(f"{name}.fixed.go") for name in before} == before


@needs_go
def test_the_guide_compiles_before_and_after(module: Path) -> None:
    for case in cases():
        if case.parent == GUIDE:
            for folder, path in (("before", case), ("after", golden(case))):
                package = module / "cmd" / folder
                package.mkdir(parents=True, exist_ok=True)
                shutil.copy(path if path.exists() else case, package / case.name)
    assert vet(module) == ""


@needs_go
def test_ten_packages_of_go_itself_build_as_before_once_they_are_fixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = copied(tmp_path)
    packages = copy.packages(*TEN)
    assert prove(copy, packages) == []
    said = capsys.readouterr().out
    assert said.startswith("10 packages, ")
    assert re.search(r"^fixed: PNC120 \d\d", said, re.MULTILINE), said


@needs_go
def test_go_statements_are_found_where_go_itself_finds_them(tmp_path: Path) -> None:
    some = sources()[::25]
    theirs = counted(build(tmp_path), some)
    assert [its if its is None else found(path) for path, its in zip(some, theirs, strict=True)] == theirs
    assert sum(count or 0 for count in theirs) > 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("package p\n\nfunc f() {\n\tgo f()\n", ["PNC120"]),
        ("package p\n\nfunc f() {\n\tgo f(\n}\n\nfunc g() { go f() }\n", ["PNC120", "PNC120"]),
        ("package p\r\n\r\nfunc f() {\r\n\tgo f()\r\n}", ["PNC120"]),
        ("go f()", ["PNC120"]),
        ("}}}} go func() {", []),
        ("package p\n\nvar s = `\n\tgo f()", []),
        ("/* go f() ", []),
        ("", []),
    ],
)
def test_broken_files_are_read_as_far_as_they_go(text: str, expected: list[str]) -> None:
    assert codes(text) == expected
    result = fix(Source("p.go", text, "go"), SETTINGS, unsafe=True)
    assert all(d.is_rule for d in result.diagnostics)


@pytest.mark.parametrize(
    "text",
    [
        "package p\n" + "\nfunc f(x int) {\n\tgo work(x)\n\tdefer func() { recover() }()\n}\n" * 2000,
        "package p\n\nfunc f(x int) {\n" + "\tgo func() { x = x + 1; use(x) }()\n" * 2000 + "}\n",
        "package p\n\nfunc f(x int) {\n" + "\tgo work(x) // c\n" * 2000 + "}\n",
        "package p\n\nfunc g() { go work() }\n"
        + "".join(f"\nfunc f{n}() {{\n\trecover()\n}}\n\nfunc g{n}() {{\n\tf{n}()\n}}\n" for n in range(2000)),
        "package p\n\nvar x = []int{\n" + "\t1, 2, 3, 4, 5, 6, 7, 8, 9,\n" * 180_000 + "}\n\nfunc f() { go g() }\n",
    ],
    ids=["functions", "literals", "comments", "recoverers", "data"],
)
def test_a_large_file_takes_no_longer_than_its_size(text: str) -> None:
    started = time.monotonic()
    assert "PNC120" in codes(text)
    assert time.monotonic() - started < 10  # it is 2 s; where each spawn looks at all the others, 40


def test_nothing_is_fixed_in_what_is_not_understood() -> None:
    text = "package p\n\nfunc work(int, *int) {}\n\nfunc f(n int) {\n\tgo work(n, new(n+))\n}\n"
    assert fix(Source("p.go", text, "go"), SETTINGS, unsafe=True).source.text == text


def test_a_tree_is_the_same_whatever_was_read_before() -> None:
    """A file is parsed out of the one before where that is nearly the same, as it is at every keystroke."""
    chance = random.Random(1)
    texts = [path.read_text("utf-8") for path in sorted(FIXTURES.glob("PNC1*/**/*.go"))]
    edits = 'x|\n|é😀|(|}|"|`|//|/*|go f()\n|func g() {}\n|if x {\n}\n|// c\n|a[b](c)|'.split("|")
    reparsed = 0
    for text in chance.sample(texts, 60):
        edited = text
        for _ in range(8):
            at = chance.randrange(len(edited) + 1)
            line = edited.rfind("\n", 0, at) + 1
            start, end = chance.choice(((at, at), (at, at + 2), (line, line), (line, at)))
            edited = chance.choice((text, edited[:start] + chance.choice(edits) + edited[end:]))
            before = [*tree._last]
            found = tree.parsed(edited)
            reparsed += bool(before) and tree._reparsed(*before[0], found.data) is not None
            assert dumped(found.root) == dumped(tree._parser().parse(found.data).root_node)
    assert reparsed > 50


def dumped(node: Node) -> list[tuple[object, ...]]:
    """All nodes of a tree, with their places."""
    below = [one for child in node.children for one in dumped(child)]
    return [(node.type, node.start_byte, node.end_byte, node.start_point, node.end_point), *below]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_fix_keeps_newlines_and_the_mark(newline: str, end: str, bom: bytes) -> None:
    data = bom + (NO_CONTEXT_NEEDED.rstrip("\n") + end).replace("\n", newline).encode()
    result = lint_bytes("p.go", data, SETTINGS, Task(Does.FIX))
    fixed = result.source.encode()
    assert result.fixed == ("PNC120",)
    assert fixed.startswith(bom + b"package p")
    assert fixed.endswith(b"}" + end.replace("\n", newline).encode())
    assert fixed.count(b"\n") == fixed.count(newline.encode())


def test_a_file_that_is_not_utf_8_is_an_error_and_no_crash() -> None:
    result = lint_bytes("p.go", b"package p // caf\xe9\n\nfunc f() { go f() }\n", SETTINGS, Task())
    assert [d.code for d in result.diagnostics] == ["io-error"]


def test_a_python_cookie_means_nothing_in_go() -> None:
    result = lint_bytes("p.go", "// # coding: latin-1 é\npackage p\n\nfunc f() { go f() }\n".encode(), SETTINGS, Task())
    assert [d.code for d in result.diagnostics] == ["PNC120"]


def test_a_file_with_cgo_is_checked_and_not_fixed() -> None:
    text = 'package p\n\n// int f(void);\nimport "C"\n\nfunc g() {\n\tgo C.f()\n}\n'
    assert codes(text) == ["PNC120"]
    assert fix(Source("p.go", text, "go"), SETTINGS, unsafe=True).source.text == text


def test_generated_files_and_tests_are_left_alone() -> None:
    assert codes(NO_CONTEXT_NEEDED) == ["PNC120"]
    assert codes(f"// Code generated by x. DO NOT EDIT.\n\n{NO_CONTEXT_NEEDED}") == []
    assert codes(NO_CONTEXT_NEEDED, "p_test.go") == []
    large = "// Code generated by x. DO NOT EDIT.\n\npackage p\n" + "\nfunc f() { go f() }\n" * 250_000
    assert codes(large) == []


def test_a_file_without_a_word_of_a_rule_is_never_parsed() -> None:
    program = (
        "import sys; from panicguard import config; from panicguard.engine import check\n"
        "from panicguard.source import Source\n"
        "check(Source('p.go', 'package p\\n\\n// cargo, ago\\nfunc f() { h() }\\n', 'go'), config.default(''))\n"
        "check(Source('p.py', 'import threading\\nthreading.Thread(target=f).start()\\n'), config.default(''))\n"
        "print(sorted(name for name in sys.modules if name.startswith('tree_sitter')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_nested_spawn_is_fixed_in_its_turn() -> None:
    case = FIXTURES / "PNC120" / "fixes" / "nested.go"
    assert fix(source(case), SETTINGS, unsafe=True).source.encode() == golden(case).read_bytes()


def run(folder: Path, *arguments: str, form: str = "concise") -> str:
    command = [sys.executable, "-m", "panicguard", "check", "--output-format", form, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_the_module_says_which_go_and_where_the_runtime_is(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/app\n\ngo 1.21\n")
    loop = "package p\n\nfunc f(xs []int) {\n\tfor _, x := range xs {\n\t\tgo func() { println(x) }()\n\t}\n}\n"
    (tmp_path / "a.go").write_text(loop)
    vendor(tmp_path / "internal", "safe", "go")
    assert [line.split()[1] for line in run(tmp_path).splitlines() if line.startswith("a.go")] == ["PNC120", "PNC501"]
    (tmp_path / "go.mod").write_text("module example.com/app\n\ngo 1.22\n")
    assert "a.go:5:3: PNC120 [*]" in run(tmp_path)
    run(tmp_path, "--fix")
    fixed = (tmp_path / "a.go").read_text()
    assert '\t"example.com/app/internal/safe"\n' in fixed
    assert 'safe.SafeGoWithContextAndComponent(context.Background(), "f", safe.KeepRunning' in fixed
    assert run(tmp_path) == "All checks passed!\n"
    (tmp_path / "a.go").write_text(fixed.replace("AndComponent", "").replace('"f", ', ""))
    assert "PNC201" in run(tmp_path)


def test_an_import_has_another_name_than_what_the_package_declares(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/app\n\ngo 1.22\n")
    vendor(tmp_path, "mruntime", "go")
    (tmp_path / "a.go").write_text(NO_CONTEXT_NEEDED)
    (tmp_path / "b.go").write_text("package p\n\ntype (\n\tcontext struct{}\n)\n")
    run(tmp_path, "--fix")
    fixed = (tmp_path / "a.go").read_text()
    assert 'stdcontext "context"' in fixed
    assert "SafeGoWithContextAndComponent(stdcontext.Background()" in fixed
    (tmp_path / "a.go").write_text(NO_CONTEXT_NEEDED)
    (tmp_path / "b.go").write_text("package p\n\nvar mruntime int\n")
    run(tmp_path, "--fix")
    assert (tmp_path / "a.go").read_text() == NO_CONTEXT_NEEDED


def test_what_recovers_in_another_file_of_the_package_counts(tmp_path: Path) -> None:
    """Whether it is deferred or spawned, and until that file changes."""
    spawns = """package p

import "time"

func f(s *server) {
	time.AfterFunc(1, func() {
		defer tidy()
		s.work()
	})
	time.AfterFunc(1, func() {
		defer s.end()
		s.work()
	})
	time.AfterFunc(1, s.guarded)
	time.AfterFunc(1, s.work)
}
"""
    others = """package p

type server struct{}

func tidy() { println(recover()) }

func (s *server) end() { println(recover()) }

func (s *server) guarded() {
	defer tidy()
	s.work()
}

func (s *server) work() {}
"""
    (tmp_path / "a.go").write_text(spawns)
    (tmp_path / "b.go").write_text(others)
    flagged = re.compile(r"^a\.go:(\d+):\d+: PNC121", re.MULTILINE)
    for _ in range(2):  # cached, too
        assert flagged.findall(run(tmp_path)) == ["15"]
    (tmp_path / "b.go").write_text(others.replace("recover()", "0"))
    assert flagged.findall(run(tmp_path)) == ["6", "10", "14", "15"]
    (tmp_path / "b.go").write_text(others.replace("println(recover())", "panic(recover())"))
    assert flagged.findall(run(tmp_path)) == ["6", "10", "14", "15"]
    (tmp_path / "b.go").write_text(others)
    assert flagged.findall(run(tmp_path)) == ["15"]


TAKEN = {
    "go.mod": "module example.com/app\n\ngo 1.22\n",
    "a.go": NO_CONTEXT_NEEDED,
    "b.go": "package p\n\nfunc mruntime() {}\n\ntype context struct{}\n",
}


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A module in which another file declares the names that a fix would import."""
    for name, text in TAKEN.items():
        (tmp_path / name).write_text(text)
    vendor(tmp_path, "mruntime", "go")
    for path in tmp_path.rglob("*.go"):
        os.utime(path, (0, 0))
    return tmp_path


@pytest.mark.parametrize("others", ["", "package p\n\nfunc g() {}\n"], ids=["gone", "changed"])
def test_no_way_offers_a_fix_that_the_package_has_no_name_for(taken: Path, others: str) -> None:
    """Nor does one keep from it what it said before the other file changed."""
    refused = "a.go:6:2: PNC120 bare go keyword"
    for arguments in ((), ("--no-cache",), ("--unsafe-fixes",)) * 2:
        out = run(taken, *arguments)
        assert out.startswith(refused)
        assert "fixable" not in out
    assert run(taken, "--diff") == run(taken, "--diff", "a.go") == ""
    assert run(taken, "--fix").startswith(refused)
    assert run(taken, form="json").count('"fix": null') == 1
    assert (taken / "a.go").read_text() == NO_CONTEXT_NEEDED
    if others:
        (taken / "b.go").write_text(others)
    else:
        (taken / "b.go").unlink()
    assert run(taken).endswith("[*] 1 fixable with `--fix`.\n")
    diff = run(taken, "--diff")
    assert '+\t"context"\n' in diff
    (taken / "b.go").write_text(TAKEN["b.go"])
    assert "fixable" not in run(taken)
    (taken / "b.go").write_text(others)
    run(taken, "--fix")
    added = "".join(line[1:] for line in diff.splitlines(keepends=True)[2:] if line[0] in " +")
    assert (taken / "a.go").read_text() == added


def test_other_files_are_read_only_where_there_is_a_fix(taken: Path) -> None:
    """And then only where they could matter."""
    gomod.forget()
    (taken / "c.go").write_text("package p\n\nfunc h() { println(1) }\n")
    settings = dict(discover([str(taken)], config.default))
    path = str(taken / "c.go")
    lint_file(path, settings[path], Task())
    assert gomod._declared_in.cache_info().currsize == 0
    path = str(taken / "a.go")
    lint_file(path, settings[path], Task())
    assert gomod._declared_in.cache_info().currsize == 2


MIXED = {
    "panicguard.toml": 'component = { "services/mail" = "mail" }\n'
    'per-file-ignores = { "scripts/**" = ["PNC1"] }\n'
    'runtime-module = "app.mruntime"\nseverity = { PNC2 = "warning" }\n',
    "services/go.mod": "module example.com/app\n\ngo 1.22\n",
    "services/mail/mail.go": NO_CONTEXT_NEEDED,
    "services/mail/mail.py": "import threading\n\n\ndef f(g):\n    threading.Thread(target=g).start()\n",
    "services/old.go": 'package services\n\nimport "example.com/app/mruntime"\n\n'
    "func f() {\n\tmruntime.SafeGo(nil, 0, nil)\n}\n",
    "scripts/tool.go": NO_CONTEXT_NEEDED,
    "scripts/tool.py": "import threading\n\nthreading.Thread(target=print).start()\n",
    "vendor/x/x.go": NO_CONTEXT_NEEDED,
    "services/clean.go": "package services\n\n// go f() is what it does not say\n",
}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A repository with Python and Go in it, one configuration for both, and a copy of the Go runtime."""
    for name, text in MIXED.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    vendor(tmp_path / "services", language="go")
    return tmp_path


def test_one_run_reports_on_both_languages_by_one_configuration(mixed: Path) -> None:
    both = (
        "services/mail/mail.go:6:2: PNC120 [*] bare go keyword forbidden - use mruntime.SafeGoWithContextAndComponent\n"
        "services/mail/mail.py:5:5: PNC103 [*] "
    )
    out = run(mixed)
    assert out.startswith(both)
    assert [line.split()[:2] for line in out.splitlines()[2:3]] == [["services/old.go:6:2:", "PNC201"]]
    assert out.endswith("Found 3 errors.\n[*] 2 fixable with `--fix`.\n")
    assert run(mixed) == run(mixed, "--no-cache") == out


def test_one_report_has_both_languages_in_it(mixed: Path) -> None:
    (sarif,) = json.loads(run(mixed, form="sarif"))["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in sarif["results"]]
    names = [place["artifactLocation"]["uri"].rpartition("/")[2] for place in places]
    assert list(zip(names, (result["ruleId"] for result in sarif["results"]), strict=True)) == [
        ("mail.go", "PNC120"),
        ("mail.py", "PNC103"),
        ("old.go", "PNC201"),
    ]
    assert [result["level"] for result in sarif["results"]] == ["error", "error", "warning"]


def test_one_run_fixes_both_languages_with_the_component_of_the_path(mixed: Path) -> None:
    assert run(mixed, "--fix").startswith("services/old.go:6:2: PNC201")
    go, python = ((mixed / "services" / "mail" / f"mail.{suffix}").read_text() for suffix in ("go", "py"))
    assert '\t"example.com/app/mruntime"\n' in go
    assert 'SafeGoWithContextAndComponent(context.Background(), "mail", mruntime.KeepRunning' in go
    assert "from app import mruntime\n" in python
    assert 'mruntime.SafeGo("mail", mruntime.KeepRunning, g)' in python
    assert (mixed / "scripts" / "tool.go").read_text() == NO_CONTEXT_NEEDED


def test_nothing_of_go_is_looked_for_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    gomod.forget()
    assert len(list(discover([str(tmp_path)], config.default))) == 1
    assert gomod.is_runtime_copy.cache_info().currsize == 0


def test_comments_that_are_written_are_those_of_go(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text("package p\n\nfunc f() {\n\tgo f() // x\n\tgo func() {\n\t\tf()\n\t}()\n}\n")
    run(tmp_path, "--add-ignore=never panics")
    said = "// panicguard: ignore[PNC120] never panics"
    expected = f"package p\n\nfunc f() {{\n\tgo f() // x {said}\n\tgo func() {{ {said}\n\t\tf()\n\t}}()\n}}\n"
    assert (tmp_path / "a.go").read_text() == expected
    assert run(tmp_path) == "All checks passed!\n"


def section(title: str, language: str) -> str:
    """The code in a section of the README."""
    readme = (FIXTURES.parent / "README.md").read_text("utf-8")
    its = re.search(rf"^## {title}\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)
    assert its is not None
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", its[1], re.MULTILINE | re.DOTALL)
    return code


def test_the_comments_of_golangci_lint_that_the_readme_shows_hold() -> None:
    text = section("Beside golangci-lint", "go")
    assert text.count("\tgo work()") == 3
    assert codes(text) == []
    assert codes(re.sub(" *//nolint.*", "", text)) == ["PNC120"] * 3


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_lint_runs_both_and_fails_where_one_does(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(section("Beside golangci-lint", "make"))
    (tmp_path / "golangci-lint").write_text('#!/bin/sh\necho "golangci-lint $*"\n')
    (tmp_path / "panicguard").write_text(f'#!/bin/sh\nexec {sys.executable} -m panicguard "$@"\n')
    for name in ("golangci-lint", "panicguard"):
        (tmp_path / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    def lint(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "a.go").write_text(text)
        return subprocess.run(["make", "lint"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    failed, passed = lint(NO_CONTEXT_NEEDED), lint(NO_CONTEXT_NEEDED.replace("go work()", "work()"))
    assert "golangci-lint run\n" in failed.stdout
    assert "PNC120" in failed.stdout
    assert (failed.returncode, passed.returncode) == (2, 0), passed.stderr


SUPPRESSED = """package p

func f() {
\t// panicguard: disable[bare-go]
\tgo f()
\tif true {
\t\tgo f()
\t}
\t// panicguard: enable[bare-go]
\tgo f()
\t// panicguard: ignore[PNC120]
\tgo f(
\t)
\tgo f() // noqa: PNC120
\tgo func() {
\t\tgo f() // panicguard: ignore[PNC120]
\t}()
}
"""


def test_comments_hold_in_go_where_they_hold_in_python() -> None:
    found = check(Source("p.go", SUPPRESSED, "go"), SETTINGS)
    assert [(d.code, SUPPRESSED.count("\n", 0, d.start) + 1) for d in found] == [("PNC120", 10), ("PNC120", 15)]
    assert codes(f"// panicguard: file-ignore[PNC1]\n{NO_CONTEXT_NEEDED}") == []
    assert codes(f"// panicguard: noqa: PNC121\n{NO_CONTEXT_NEEDED}") == ["PNC900", "PNC120"]


@pytest.mark.parametrize(
    ("call", "written", "applicability"),
    [
        (
            "{runtime}.SafeGoWithContextAndComponent({ctx}, nil, {component}, {name}, {runtime}.{policy}, {fn})",
            'mruntime.SafeGoWithContextAndComponent(context.Background(), nil, "app", "f", mruntime.KeepRunning, f',
            Applicability.SAFE,
        ),
        (
            "{runtime}.Go({ctx}, logger, {component}, {fn})",
            'mruntime.Go(context.Background(), logger, "app", func(_',
            Applicability.UNSAFE,
        ),
    ],
)
def test_the_call_is_as_the_settings_have_it(call: str, written: str, applicability: Applicability) -> None:
    its = dataclasses.replace(SETTINGS, go_call=call, component=(("**", "app"),))
    (found,) = check(Source("p.go", NO_CONTEXT_NEEDED, "go"), its)
    assert found.fix is not None
    assert found.fix.applicability is applicability
    assert written in fix(Source("p.go", NO_CONTEXT_NEEDED, "go"), its, unsafe=True).source.text


@pytest.mark.parametrize("call", ["go {fn}", "{runtime}.Go({fn}, {ctx})", "{runtime}.Go({logger}, {fn})", "x({fn", ""])
def test_a_call_that_is_none_is_a_mistake(tmp_path: Path, call: str) -> None:
    (tmp_path / "panicguard.toml").write_text(f"go-call = '{call}'\n")
    command = [sys.executable, "-m", "panicguard", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "expected a call of `{runtime}`" in done.stderr


def test_vendored_packages_are_not_searched(tmp_path: Path) -> None:
    for name in ("a.go", "vendor/x/b.go", "x/testdata/c.go", "_d.go", "vendor/e.py", "x/f.go"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    its = dataclasses.replace(SETTINGS, root=str(tmp_path))
    found = [os.path.relpath(path, tmp_path) for path, _ in discover([str(tmp_path)], lambda _: its)]
    assert found == ["a.go", "vendor/e.py", "x/f.go"]
