"""Chooses the linear modules of a model that are adapted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_GROUPS = {
    "qv": r"\.(q_proj|v_proj|query|value)\.weight$",
    "mlp": r"\.mlp\.(gate|up|down)_proj\.weight$|\.mlp\.c_(fc|proj)\.weight$"
    r"|\.[0-9]+\.(intermediate|output)\.dense\.weight$",
    "all-linear": r"\.weight$",
}


def checked(targets: str | Collection[str]) -> str | tuple[str, ...]:
    """Return targets as `Settings` keeps them: a group or a pattern, or a tuple of names.

    Raises ValueError if they are neither, or if there are no names.
    """
    if isinstance(targets, str):
        return targets
    if not isinstance(targets, Collection) or not all(isinstance(name, str) for name in targets):
        raise ValueError(
            f"invalid targets: {targets!r}; must be {', '.join(_GROUPS)}, a pattern or a list of "
            "names of modules"
        )
    if not targets:
        raise ValueError("no targets; must name at least one module")
    ordered = sorted(targets) if isinstance(targets, (set, frozenset)) else targets
    return tuple(ordered)


def select(modules: Sequence[str], targets: str | tuple[str, ...], model: str) -> list[str]:
    """Return the modules that are targets, in the order of `modules`.

    `modules` are the paths of the linear modules of a model, `model` its class for messages. A name
    means the path itself or its end, as in PEFT. Raises ValueError if a name or the pattern
    matches no module, or if the pattern is invalid.
    """
    if isinstance(targets, str):
        found = _matched(modules, targets)
        missing = [] if found else [targets]
    else:
        matched = {target: [path for path in modules if _ends(path, target)] for target in targets}
        missing = [target for target, paths in matched.items() if not paths]
        chosen = {path for paths in matched.values() for path in paths}
        found = [path for path in modules if path in chosen]
    if missing:
        ends = sorted({path.rpartition(".")[2] for path in modules})
        raise ValueError(
            f"targets match no linear module of {model}: {', '.join(missing)}; must be "
            f"{', '.join(_GROUPS)}, a pattern, or a list of names of modules, here: "
            f"{', '.join(ends)}"
        )
    return found


def _matched(modules: Sequence[str], pattern: str) -> list[str]:
    """Return the modules whose weight's name contains a match, or which match whole.

    The first is the rule of Java jobs, the second that of PEFT.
    """
    try:
        compiled = re.compile(_GROUPS.get(pattern, pattern))
    except re.error as error:
        raise ValueError(f"invalid targets: {pattern}; not a regular expression: {error}") from None
    return [
        path for path in modules if compiled.search(f"{path}.weight") or compiled.fullmatch(path)
    ]


def _ends(path: str, name: str) -> bool:
    return path == name or path.endswith(f".{name}")
