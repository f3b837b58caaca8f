"""From all the keys that apply to a file to its settings."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.config import selectors
from panicguard.config.fields import FIELDS
from panicguard.config.keys import anchored
from panicguard.config.selectors import Layer, codes_of
from panicguard.files import links
from panicguard.files.reading import SETTINGS, read
from panicguard.settings import INCLUDE, VERSIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panicguard.config.chain import Chain
    from panicguard.config.keys import Keys


class Value(NamedTuple):
    """The value of a key, as in TOML; `origins` are the keys that contributed to it, weakest first."""

    value: Any
    origins: tuple[Keys, ...]


def values(chain: Chain) -> dict[str, Value]:
    """The value of each key that is set: the strongest one, or for a key that adds, all of them."""
    resolved: dict[str, Value] = {}
    for keys in chain.keys:
        for key, written in keys.values.items():
            value = anchored(FIELDS[key].kind, written, keys.directory, chain.root)
            if key in resolved and key.startswith("extend-"):
                below = resolved[key]
                resolved[key] = Value(_add(below.value, value), (*below.origins, keys))
            else:
                resolved[key] = Value(value, (keys,))
    return resolved


def _add(below: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: [*below.get(key, ()), *value.get(key, ())] for key in (*below, *value)}
    return [*below, *value]


def resolve(chain: Chain) -> Settings:
    """The settings that a chain results in."""
    resolved = values(chain)
    plain_values = {key: value.value for key, value in resolved.items()}
    cache_dir, refused = _cache_dir(chain.root, resolved.get("cache-dir"))
    get = plain_values.get
    plain: dict[str, Any] = {
        name: tuple(plain_values[key]) if isinstance(plain_values[key], (list, tuple)) else plain_values[key]
        for key in FIELDS
        if key in plain_values and (name := key.replace("-", "_")) in Settings.__dataclass_fields__
    }
    component = get("component", {})
    safe, unsafe = _applicabilities(get("extend-safe-fixes", ()), get("extend-unsafe-fixes", ()))
    ignores = (*get("per-file-ignores", {}).items(), *get("extend-per-file-ignores", {}).items())
    extension = {name.removeprefix("."): language for name, language in get("extension", {}).items()}
    extended = [f"*.{name}" for name in extension]  # an explicit `include` is taken literally
    plain |= {
        "enabled": enabled(chain.keys),
        "unfixable": codes_of("ALL") - selectors.resolve(codes_of("ALL"), _layers(chain.keys, _FIX_KEYS)),
        "forced_safe": safe,
        "forced_unsafe": unsafe,
        "severity": tuple(sorted(selectors.by_code(get("severity", {})).items())),
        "exclude": (*get("exclude", Settings().exclude), *get("extend-exclude", ()), *get("lint.exclude", ())),
        "include": (*get("include", (*INCLUDE, *extended)), *get("extend-include", ())),
        "extension": tuple(extension.items()),
        "component": tuple(component.items()) if isinstance(component, dict) else (("**", component),),
        "per_file_ignores": tuple(
            (pattern, frozenset(code for s in given_selectors for code in codes_of(s)))
            for pattern, given_selectors in ignores
        ),
        "per_file_target_version": tuple(get("per-file-target-version", {}).items()),
        "target_version": get("target-version") or _target_version(_start(chain)),
        "cache_dir": cache_dir,
        "warnings": tuple(dict.fromkeys((*(warning for keys in chain.keys for warning in keys.warnings), *refused))),
    }
    return Settings(**{**plain, "root": chain.root})


def _cache_dir(root: str, configured: Value | None) -> tuple[str, tuple[str, ...]]:
    """Where the cache is ("": there is none), and what to warn of: the settings of a project must not cause anything to
    be written outside of it."""
    refused: tuple[str, ...] = ()
    if configured is not None:
        keys = configured.origins[-1]
        if keys.by_user or not links.leads_out(os.path.join(root, configured.value), root, keys.directory):
            return configured.value, ()
        refused = (
            f"`cache-dir` of {keys.place('cache-dir')} is outside of `{root}`: use `--cache-dir` for such a place",
        )
    default = Settings().cache_dir
    if links.leads_out(os.path.join(root, default), root):
        warning = f"`{os.path.join(root, default)}` links out of the project, so nothing is cached: use `--cache-dir`"
        return "", (*refused, warning)
    return default, refused


_RULE_KEYS = ("select", ("ignore", "extend-ignore"), "extend-select")
_FIX_KEYS = ("fixable", ("unfixable",), "extend-fixable")


def enabled(keys: Iterable[Keys]) -> frozenset[str]:
    """The codes of all the rules that are on."""
    return selectors.resolve(selectors.default_codes(), _layers(keys, _RULE_KEYS))


def _layers(all_keys: Iterable[Keys], names: tuple[str, tuple[str, ...], str]) -> Sequence[Layer]:
    select, ignore, extend = names
    return [
        Layer(
            tuple(keys.values[select]) if select in keys.values else None,
            tuple(selector for key in ignore for selector in keys.values.get(key, ())),
            tuple(keys.values.get(extend, ())),
        )
        for keys in all_keys
    ]


def _applicabilities(safe: Iterable[str], unsafe: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The codes whose fixes are made safe, and made unsafe: the more specific selector wins, unsafe among equals."""
    made = selectors.by_code
    kinds = made(dict.fromkeys(safe, "safe") | dict.fromkeys(unsafe, "unsafe"))
    return frozenset(c for c in kinds if kinds[c] == "safe"), frozenset(c for c in kinds if kinds[c] == "unsafe")


def _start(chain: Chain) -> str:
    """The directory from which a pyproject.toml that says `requires-python` is looked for."""
    return (os.path.dirname(chain.path) if chain.path else chain.root) or os.getcwd()


def _target_version(directory: str) -> str:
    """The lower bound of `requires-python` in the closest pyproject.toml that has one."""
    while True:
        try:
            text = read(os.path.join(directory, "pyproject.toml"), SETTINGS).decode(errors="replace")
        except OSError:
            text = ""
        if bound := re.search(r"""^[ \t]*requires-python[ \t]*=[ \t]*["'](.*?)["']""", text, re.MULTILINE):
            minors = [int(minor) for minor in re.findall(r"(?:>=?|~=|==)\s*3\.(\d+)", bound[1])]
            if minors:
                return VERSIONS[min(max(max(minors) - 7, 0), len(VERSIONS) - 1)]
        parent = os.path.dirname(directory)
        if parent == directory:
            return Settings().target_version
        directory = parent
