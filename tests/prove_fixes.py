"""Fix a copy of a tree and prove that nothing else changed.

    python tests/prove_fixes.py DIRECTORY [--unsafe-fixes] [--keep COPY]

Every changed file compiles; its comments are the same; its syntax tree is the same but for fixed calls, the import
they need, a folded `.start()`, and what an unsafe fix adds (a `raise`, a bound loop variable); a second run
changes nothing. The comparison reads trees of Python's own `ast` and knows nothing of how a fix is made. It runs under
the newest Python there is, for the newest syntax.
"""

from __future__ import annotations

import argparse
import ast
import collections
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
import warnings
from pathlib import Path

NEWEST = ("python3.15", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10")
_UNPARENTHESIZED = re.compile(r"^([ \t]*except) ([\w.]+(?:, [\w.]+)+)(?=:)", re.MULTILINE)
"""`except A, B:`, which Python knows from 3.14 on."""
RUNTIME = ("SafeGo", "SafeGoWithContextAndComponent", "SafeThread", "SafeTimer")


# Under the newest Python: pairs of texts -> complaints


def compare(before: str, after: str) -> list[str]:
    """What is wrong with the change from one text to the other."""
    if sys.version_info < (3, 14):
        before, after = (_UNPARENTHESIZED.sub(r"\1 (\2)", text) for text in (before, after))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trees = [ast.parse(text) for text in (before, after)]
            compile(after, "after", "exec")
    except SyntaxError as error:
        return [f"does not compile: {error}"]
    found = list(_statements(trees[0].body, trees[1].body, module=True))
    if _comments(before) != _comments(after):
        found.append("the comments changed")
    return found


def _comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sorted(token.string.strip() for token in tokens if token.type == tokenize.COMMENT)


def _statements(old: list[ast.stmt], new: list[ast.stmt], *, module: bool = False):
    at = 0
    imported = False
    for statement in new:
        if module and not imported and _is_runtime_import(statement) and not _same(old, at, statement):
            imported = True
            continue
        if at == len(old):
            if isinstance(statement, ast.Raise) and statement.exc is None:
                continue
            yield f"line {statement.lineno}: a new statement"
            return
        fixed = _fixed_call(statement)
        if isinstance(statement, ast.Raise) and isinstance(old[at], ast.Pass):
            at += 1
            continue
        yield from _nodes(old[at], statement)
        at += 1
        if fixed and at < len(old) and _is_start(old[at]) and not _same(new, new.index(statement) + 1, old[at]):
            at += 1
    if at < len(old):
        yield f"line {old[at].lineno}: a statement is gone"


def _same(statements: list[ast.stmt], at: int, other: ast.stmt) -> bool:
    return at < len(statements) and ast.dump(statements[at]) == ast.dump(other)


def _is_runtime_import(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Import, ast.ImportFrom)) and any(
        alias.name.rpartition(".")[2] == "mruntime" for alias in statement.names
    )


def _is_start(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(), "start"), [], [])):
            return True
    return False


def _fixed_call(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Call) and _runtime_name(node) for node in ast.walk(statement))


def _runtime_name(call: ast.Call) -> str:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return name if name in RUNTIME else ""


def _nodes(old: ast.AST, new: ast.AST):
    if isinstance(old, ast.Call) and isinstance(new, ast.Call) and _runtime_name(new) and not _runtime_name(old):
        yield from _spawn(old, new)
        return
    if type(old) is not type(new):
        yield f"line {getattr(new, 'lineno', '?')}: {type(old).__name__} became {type(new).__name__}"
        return
    if isinstance(old, ast.Lambda) and isinstance(new, ast.Lambda):
        yield from _nodes(old.body, new.body)
        added = [arg.arg for arg in new.args.args[len(old.args.args) :]]
        bound = [getattr(value, "id", "") for value in new.args.defaults[len(old.args.defaults) :]]
        if added != bound and added != [arg.arg for arg in new.args.kwonlyargs]:
            yield f"line {new.lineno}: the parameters of a lambda"
        return
    for field in old._fields:
        a, b = getattr(old, field, None), getattr(new, field, None)
        if isinstance(a, list) and a and isinstance(a[0], ast.stmt):
            yield from _statements(a, b)
        elif isinstance(a, list):
            if len(a) != len(b):
                yield f"line {getattr(new, 'lineno', '?')}: {field} of {type(old).__name__}"
                return
            for x, y in zip(a, b, strict=True):
                if isinstance(x, ast.AST):
                    yield from _nodes(x, y)
                elif x != y:
                    yield f"{x!r} became {y!r}"
        elif isinstance(a, ast.AST) and isinstance(b, ast.AST):
            yield from _nodes(a, b)
        elif a != b:
            yield f"line {getattr(new, 'lineno', '?')}: {a!r} became {b!r}"


def _spawn(old: ast.Call, new: ast.Call):
    """A spawn and its fix hold the same expressions; what may go and what may come is listed here."""
    receivers = []
    if isinstance(old.func, ast.Attribute):
        receivers.append(old.func.value)
        if old.func.attr == "start" and isinstance(old.func.value, ast.Call):
            old = old.func.value
            receivers = [old.func.value] if isinstance(old.func, ast.Attribute) else []
    before, after = _atoms(old), _atoms(new)
    gone, come = before - after, after - before
    component = next((a.value for a in new.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)), None)
    may_go = {ast.dump(ast.Constant(None)), ast.dump(ast.Constant(component))}
    may_come = {ast.dump(ast.Constant(component)), ast.dump(ast.Constant(True))}
    may_come |= {_dump(receiver) for receiver in receivers}
    strange = [a for a in gone if a not in may_go]
    strange += [a for a in come if a not in may_come and "KeepRunning" not in a and "CrashProcess" not in a]
    if strange:
        yield f"line {new.lineno}: other arguments: {strange[:3]}"


def _atoms(call: ast.Call) -> collections.Counter[str]:
    """The expressions that a call is given, those in `args=(...)` and `kwargs={...}` one by one."""
    found: list[str] = []
    for arg in call.args:
        parts = arg.elts if isinstance(arg, (ast.Tuple, ast.List)) else [arg]
        found += map(_dump, parts)
    for keyword in call.keywords:
        value = keyword.value
        if isinstance(value, (ast.Tuple, ast.List)) and keyword.arg == "args":
            found += map(_dump, value.elts)
        elif isinstance(value, ast.Dict) and keyword.arg == "kwargs":
            found += (_dump(item) for item in value.values)
        else:
            found.append(_dump(value))
    return collections.Counter(found)


def _dump(node: ast.AST) -> str:
    """A node as text, lambdas without the defaults that bind a name to itself."""
    if isinstance(node, ast.Lambda):
        return f"lambda: {ast.dump(node.body)}"
    return ast.dump(node)


# Under this Python: fix, and hand the pairs over


def prove(directory: Path, *, unsafe: bool) -> int:
    from panicguard import cli, files, pool

    settings_for = cli._settings_for(cli._Options(isolated=True))
    mode = pool.Mode(fix=True, unsafe=unsafe, write=True)

    def fix() -> list:
        return list(pool.run(files.discover([str(directory)], settings_for), mode))

    first = fix()
    changed = [result for result in first if result.original is not None]
    pairs = [(r.source.path, r.original.text, r.source.text) for r in changed]
    answer = subprocess.run(
        [_newest(), __file__, "--compare"], input=json.dumps(pairs), capture_output=True, text=True, check=True
    )
    complaints = json.loads(answer.stdout)
    again = [result.source.path for result in fix() if result.original is not None]
    faults = [(r.source.path, d.message) for r in first for d in r.diagnostics if d.code == "internal-error"]

    rules = collections.Counter(code for result in changed for code in result.fixed)
    print(f"{len(first)} files, {len(changed)} changed, {sum(rules.values())} fixes: {dict(sorted(rules.items()))}")
    print(f"{len(complaints)} with another difference, {len(again)} changed by a second run, {len(faults)} refused")
    for path, message in [*complaints, *faults, *((path, "changed again") for path in again)]:
        print(f"  {path}: {message}")
    return 1 if complaints or again or faults else 0


def _newest() -> str:
    return next((found for name in NEWEST if (found := _runs(name))), sys.executable)


def _runs(name: str) -> str | None:
    path = shutil.which(name)
    done = subprocess.run([path, "-c", ""], capture_output=True, check=False) if path else None
    return path if done is not None and done.returncode == 0 else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path)
    parser.add_argument("--unsafe-fixes", action="store_true")
    parser.add_argument("--keep", type=Path, help="where to make the copy, to look at afterwards")
    parser.add_argument("--compare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.compare:
        pairs = json.load(sys.stdin)
        json.dump([(path, c) for path, before, after in pairs for c in compare(before, after)], sys.stdout)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        copy = options.keep or Path(temporary) / "copy"
        shutil.copytree(options.directory, copy, symlinks=True)
        return prove(copy, unsafe=options.unsafe_fixes)


if __name__ == "__main__":
    sys.exit(main())
