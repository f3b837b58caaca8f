"""Ruff and panicguard's comments: what it does to them in a project that runs both, and how panicguard warns of
that."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fixtures import WANT, cases, source
from panicguard.config.ruff import advice

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
NEEDED = pytest.mark.skipif(RUFF is None, reason="needs ruff")
COMMENT = re.compile(r"# (?:noqa: [^#\n]*PNC|panicguard: )[^#\n]*")
FORMS = {
    "alone": "# noqa: {}",
    "named": "# panicguard: ignore[{}] for now",
    "mixed": "# noqa: E501, {}",
}


def suppressed() -> dict[str, str]:
    """Every fixture but the notebooks with what it wants suppressed in every form, the last lines with the forms for
    more than a line."""
    texts = {}
    for case in cases():
        if source(case).encoding != "utf-8":
            continue  # Ruff reads nothing else
        text = case.read_text()
        if case.suffix != ".py" or "want+" in text or "want-" in text or not WANT.search(text):
            continue
        for name, form in FORMS.items():

            def comment(match: re.Match[str], form: str = form) -> str:
                return form.format(", ".join(dict.fromkeys(re.findall(r"PNC\d+", match["wants"]))))

            texts[f"{case.parent.name}_{case.stem}_{name}.py"] = (
                WANT.sub(comment, text)
                + "\n# panicguard: file-ignore[PNC1] for now\n# panicguard: noqa: PNC1\n# flake8: noqa: PNC1\n"
                + "# panicguard: disable[PNC101] for now\n# panicguard: enable[PNC101] again\n"
                + "# panicguard: ignore[PNC101]\n"
            )
    return texts


def after_ruff(folder: Path, external: list[str]) -> dict[str, str]:
    for name, text in suppressed().items():
        (folder / name).write_text(text)
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--fix", "-q"]
    command += ["--config", f"lint.external = {json.dumps(external)}", "--target-version=py314", str(folder)]
    subprocess.run(command, capture_output=True, check=False)
    return {name: (folder / name).read_text() for name in suppressed()}


def comments(text: str) -> Counter[str]:
    return Counter(comment.strip().replace("E501, ", "") for comment in COMMENT.findall(text))


@NEEDED
def test_ruff_that_is_told_removes_none_of_our_comments(tmp_path: Path) -> None:
    before = suppressed()
    after = after_ruff(tmp_path, ["PNC"])
    assert len(before) > 60
    assert sum(before[name] != text for name, text in after.items()) > len(before) / 3  # it had something to fix
    assert {name: comments(text) for name, text in after.items()} == {n: comments(text) for n, text in before.items()}


@NEEDED
def test_ruff_that_is_not_told_removes_what_stands_beside_an_unused_code(tmp_path: Path) -> None:
    after = after_ruff(tmp_path, [])
    for name, before in suppressed().items():
        if name.endswith("_mixed.py"):
            assert not re.search(
                "# noqa: .*PNC", after[name].replace("flake8: noqa", "").replace("panicguard: noqa", "")
            )
        else:
            assert comments(after[name]) == comments(before)


ASKED = ("PNC101", "PNC103")
TELLING = {
    "nothing": ("pyproject.toml", "[tool.ruff]\n", '[tool.ruff.lint]\n  external = ["PNC"]'),
    "another tool": (
        "pyproject.toml",
        '[tool.ruff.lint]\nexternal = ["V"]\n',
        '[tool.ruff.lint]\n  external = ["V", "PNC"]',
    ),
    "a file of its own": ("ruff.toml", "", '[lint]\n  external = ["PNC"]'),
    "a hidden file": (".ruff.toml", 'lint.external = ["PNC1012"]\n', 'external = ["PNC1012", "PNC"]'),
    "one code": ("ruff.toml", 'lint.external = ["PNC101"]\n', 'external = ["PNC101", "PNC"]'),
    "us": ("ruff.toml", 'lint.external = ["PNC"]\n', None),
    "more than us": ("pyproject.toml", '[tool.ruff]\nlint.external = ["P"]\n', None),
    "our codes": ("ruff.toml", 'lint.external = ["PNC101", "PNC103"]\n', None),
    "us, at the top": ("ruff.toml", 'external = ["PNC"]\n', None),
    "us, elsewhere": ("ruff.toml", 'extend = "shared/base.toml"\n', None),
    "a file that is not there": ("ruff.toml", 'extend = "nowhere.toml"\n', 'external = ["PNC"]'),
    "itself": ("ruff.toml", 'extend = "ruff.toml"\n', 'external = ["PNC"]'),
    "broken": ("ruff.toml", "lint.external = [", None),
    "no text": ("ruff.toml", "\udcff", None),
    "another type": ("pyproject.toml", "tool.ruff = 1\n", None),
    "no Ruff": ("pyproject.toml", '[tool.other]\nname = "ruff"\n', None),
}


@pytest.mark.parametrize(("name", "text", "said"), TELLING.values(), ids=TELLING)
def test_what_ruff_has_to_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, said: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text, errors="surrogateescape")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.toml").write_text('lint.external = ["PNC"]\n')
    (tmp_path / "src").mkdir()
    for directory in ("", "src", str(tmp_path / "src")):
        got = advice(directory, ASKED)
        if said is None:
            assert got is None
        else:
            assert got is not None
            assert f"Add to {name}:" in got
            assert said in got
            assert advice(directory, ()) is None


def test_the_nearest_configuration_of_ruff_counts(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text("")
    below = tmp_path / "below"
    below.mkdir()
    (below / "pyproject.toml").write_text("[project]\n# ruff\n")
    assert advice(str(below), ASKED) is not None
    (below / "pyproject.toml").write_text('[tool.ruff.lint]\nexternal = ["PNC"]\n')
    assert advice(str(below), ASKED) is None
    (below / "ruff.toml").write_text("")  # goes before pyproject.toml
    assert advice(str(below), ASKED) is not None
