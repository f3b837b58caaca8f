"""Fix a copy of the Go toolchain's own source, and prove that what could be built still can be.

    python tests/prove_go_fixes.py [PACKAGES]

As many packages as that, or 300, those that spawn first; not those that the runtime itself is made of. All files of a
package are fixed, its tests too, with unsafe fixes. Then `go build` and `go vet` must not report anything that they did
not report before, gofmt must have nothing to change, and a second run must change nothing. Prints what was fixed, and
exits with 1 if one of these does not hold.
"""

from __future__ import annotations

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from toolchain import ENV, GOROOT

from panicguard.cli.vendor import vendor

RUNTIME = "mruntime"
"""In the toolchain's own source there are no modules: what it imports stands beside it."""
EVERYTHING = ("spawn-exempt=[]", "exclude=[]", f'go-runtime="{RUNTIME}"')


class Package(NamedTuple):
    path: str
    files: list[Path]


class Copy(NamedTuple):
    """A copy of the toolchain, with the runtime in it."""

    root: Path

    def go(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**ENV, "GOROOT": str(self.root), "GOFLAGS": ""}
        command = [self.root / "bin" / "go", *arguments]
        return subprocess.run(command, cwd=self.root / "src", env=env, capture_output=True, text=True, check=False)

    def packages(self, *patterns: str) -> list[Package]:
        """Those of some that may import the runtime, which it does not need itself."""
        needed = set(self.go("list", "-deps", RUNTIME).stdout.split())
        listed = self.go("list", "-f", "{{.ImportPath}} {{.Dir}}", *patterns).stdout.splitlines()
        found = dict(line.split(" ", 1) for line in listed)
        return [
            Package(path, sorted(Path(directory).glob("*.go")))
            for path, directory in sorted(found.items())
            if path not in needed and "vendor/" not in path
        ]

    def complaints(self, packages: list[Package]) -> collections.Counter[str]:
        """The complaints of build and vet about packages, without the lines."""
        names = [package.path for package in packages]
        said = self.go("build", *names).stderr + self.go("vet", *names).stderr
        return collections.Counter(re.sub(r":\d+(:\d+)?", "", line) for line in said.splitlines())

    def unformatted(self, packages: list[Package]) -> set[str]:
        names = [str(path) for package in packages for path in package.files]
        command = [self.root / "bin" / "gofmt", "-l", *names]
        return set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())

    def fix(self, packages: list[Package]) -> str:
        """What panicguard reports about its fixes."""
        configured = [flag for setting in EVERYTHING for flag in ("--config", setting)]
        command = [
            sys.executable,
            "-m",
            "panicguard",
            "fix",
            "--isolated",
            "--no-cache",
            "--unsafe-fixes",
            "--show-fixes",
        ]
        names = [str(path) for package in packages for path in package.files]
        command += [*configured, "--output-format", "concise", *names]
        return subprocess.run(command, cwd=self.root / "src", capture_output=True, text=True, check=False).stdout


def copied(folder: Path) -> Copy:
    """A copy of the toolchain. Its files are linked: who changes one puts another in its place."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    shutil.copytree(GOROOT, folder / "go", copy_function=link, ignore=shutil.ignore_patterns("__pycache__"))
    vendor(folder / "go" / "src", RUNTIME, "go")
    return Copy(folder / "go")


def spawning(packages: list[Package]) -> list[Package]:
    """The packages, those in which a goroutine is started first."""
    word = re.compile(rb"^\s*go [\w(]|\.(?:Try)?Go\(|AfterFunc\(", re.MULTILINE)
    return sorted(packages, key=lambda package: not any(word.search(path.read_bytes()) for path in package.files))


def prove(copy: Copy, packages: list[Package]) -> list[str]:
    """What does not hold once these packages are fixed."""
    before, crooked = copy.complaints(packages), copy.unformatted(packages)
    texts = {path: path.read_bytes() for package in packages for path in package.files}
    said = copy.fix(packages)
    changed = {path: path.read_bytes() for path, text in texts.items() if path.read_bytes() != text}
    count = sum(any(path in changed for path in package.files) for package in packages)
    print(f"{len(packages)} packages, {len(texts)} files: {len(changed)} files of {count} packages are changed")
    fixed: collections.Counter[str] = collections.Counter()
    for number, code in re.findall(r"^ +(\d+) . (PNC\d+) ", said, re.MULTILINE):
        fixed[code] += int(number)
    left = collections.Counter(re.findall(r":\d+: (PNC\d+|[a-z-]+)(?=:? )", said))
    print("fixed:", *(f"{code} {number}" for code, number in sorted(fixed.items())))
    print("left: ", *(f"{code} {number}" for code, number in sorted(left.items())))
    wrong = [f"new: {line}" for line in (copy.complaints(packages) - before)]
    wrong += [f"not formatted: {path}" for path in sorted(copy.unformatted(packages) - crooked)]
    wrong += [f"fault: {line}" for line in said.splitlines() if "internal-error" in line]
    copy.fix(packages)
    wrong += [f"changed again: {path}" for path, text in changed.items() if path.read_bytes() != text]
    return wrong


def main() -> int:
    number = int(sys.argv[1]) if sys.argv[1:] else 300
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        packages = spawning(copy.packages("std", "cmd"))[:number]
        wrong = prove(copy, packages)
    print(*wrong, sep="\n", end="\n" * bool(wrong))
    print("a finding above does not hold" if wrong else "all of them build, are vetted and formatted as before")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
