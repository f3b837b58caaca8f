"""The recipes for CI: the action's steps, run as a runner would run them, and what the README says for other places."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import checkout
from sarif.loader import load_sarif_file

ROOT = Path(__file__).parent.parent
ACTION = Path(".github", "actions", "panicguard", "action.yml")
DEFINITION = yaml.safe_load((ROOT / ACTION).read_text("utf-8"))
SCRIPTS = Path(sys.executable).parent
PANICGUARD = SCRIPTS / "panicguard"
CI = re.search(r"^## CI\n(.*?)^## ", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)[1]
BARE = "import asyncio\n\n\nasync def main():\n    asyncio.create_task(send())\n\n\nasync def send(): ...\n"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "a dir").mkdir(parents=True)
    (folder / "a dir" / "bare.py").write_text(BARE)
    (folder / "clean.py").write_text("print('clean')\n")
    return folder


def expand(text: str, known: dict[str, str]) -> str:
    """The expressions of a workflow; one that is not known is an error."""
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda match: known[match[1]], text)


def act(project: Path, repository: Path = ROOT, **given: str) -> tuple[int, str, dict[str, str]]:
    """Runs the action with these inputs: its exit code, what it printed, and its outputs."""
    inputs = {name.replace("-", "_"): str(spec["default"]) for name, spec in DEFINITION["inputs"].items()} | given
    known = {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    known["github.action_path"] = str((repository / ACTION).parent)
    temporary = project.parent
    printed = ""
    for step in DEFINITION["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]  # an input could be a command
        output = temporary / f"output-{step['id']}"
        output.touch()
        env = {name: expand(value, known) for name, value in step["env"].items()}
        runner = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(temporary)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=project,
            env={**os.environ, **runner, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        printed += done.stdout
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        known |= {f"steps.{step['id']}.outputs.{name}": value for name, value in outputs.items()}
        if done.returncode:
            break
    known = {"steps.check.outputs.sarif": ""} | known
    return done.returncode, printed, {n: expand(o["value"], known) for n, o in DEFINITION["outputs"].items()}


def test_the_action_annotates_and_fails(project: Path) -> None:
    code, printed, outputs = act(project, path=str(PANICGUARD))
    assert code == 1
    assert "::error title=panicguard (PNC101),file=" in printed
    assert outputs == {"sarif": ""}


def test_the_action_passes_arguments_on_as_they_are(project: Path) -> None:
    path = str(PANICGUARD)
    assert act(project, path=path, args="clean.py --no-cache")[0] == 0
    assert act(project, path=path, args="'a dir/bare.py' --exit-zero")[0] == 0
    code, printed, _ = act(project, path=path, args="clean.py $(touch made) `touch made` ; touch made")
    assert code == 1  # files that are not there
    assert "touch" in printed
    assert not (project / "made").exists()
    assert act(project, path=path, args="--nonsense")[0] == 2
    assert act(project, path=path, args="")[0] == 1
    assert "unmatched" in act(project, path=path, args="clean.py it's --no-cache")[1]


def test_the_report_is_there_where_the_action_fails(project: Path) -> None:
    code, printed, outputs = act(project, path=str(PANICGUARD), output_format="concise", sarif="out/panicguard.sarif")
    assert code == 1
    assert "a dir/bare.py:5:5: PNC101" in printed.replace("\\", "/")
    assert outputs == {"sarif": "out/panicguard.sarif"}
    found = load_sarif_file(str(project / outputs["sarif"]))
    assert [record["Code"] for record in found.get_records()] == ["PNC101"]


def test_the_action_installs_its_own_panicguard(project: Path, tmp_path: Path) -> None:
    code, printed, _ = act(project, checkout(tmp_path / "repository"))
    if "No matching distribution found for setuptools" in printed:
        pytest.skip("needs a package index")
    assert code == 1, printed
    assert re.search(r"^panicguard \d", printed, re.MULTILINE)
    assert "PNC101" in printed


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", CI, re.MULTILINE | re.DOTALL)


def workflow(key: str) -> dict[str, Any]:
    [found] = [block for block in map(yaml.safe_load, blocks("yaml")) if key in block]
    return found


def test_the_readme_uses_the_action_as_it_is() -> None:
    steps = workflow("jobs")["jobs"]["panicguard"]["steps"]
    [step] = [step for step in steps if "panicguard" in step.get("uses", "")]
    assert step["uses"].partition("@")[0].endswith(f"/{ACTION.parent.as_posix()}")
    assert set(step.get("with", {})) <= set(DEFINITION["inputs"])


def test_the_readmes_job_of_gitlab_leaves_its_report(project: Path) -> None:
    job = workflow("panicguard")["panicguard"]
    install, *commands = job["script"]
    assert install.startswith("pip install ")
    env = {**os.environ, "PATH": os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])}
    done = subprocess.run(["bash", "-ec", "\n".join(commands)], cwd=project, env=env, check=False)
    assert done.returncode == 1
    assert job["artifacts"]["when"] == "always"
    [found] = json.loads((project / job["artifacts"]["reports"]["codequality"]).read_text("utf-8"))
    assert found["location"]["path"] == "a dir/bare.py"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_readmes_makefile(project: Path) -> None:
    [makefile] = blocks("make")
    (project / "Makefile").write_text(makefile)
    env = {**os.environ, "PATH": os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])}
    done = subprocess.run(["make", "lint"], cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "PNC101" in done.stdout
