"""A base and what extends it, as one document; what the base has fixed can only get tighter."""

from collections.abc import Mapping
from typing import Any

from shipsafe.model.severity import Severity
from shipsafe.policy.document import Document, as_age, as_date, leaves
from shipsafe.policy.keys import BY_PATH
from shipsafe.policy.kinds import Key, Tighter

# Lists that grow along the chain instead of being replaced.
_ADDED = ("fixed", "unwaivable", "waivers")
_DEFAULTS = {  # what holds where nobody writes it, and is fixed with its table
    "enforce.quiet": "7d", "deploy.default-alarm": "on", "break-glass.allowed": True, "break-glass.second-person": False,
    "break-glass.longest": "24h", "approvals.source": "github",
}  # fmt: skip
_WHOLE = ("deploy.", "enforce.", "break-glass.")  # tables of which a base that fixes them leaves nothing open that it does not write
_WAYS = ("alias", "rollout", "percent", "every")  # of [deploy], that a [[deploy.function]] may say otherwise
_GROUP = ("codedeploy-application", "codedeploy-group")  # whose own configuration says how calls move


def merge(chain: list[Document]) -> tuple[dict[str, Any], dict[str, str]]:
    """Merge a chain of documents, the base first: the effective values, and dotted key -> origin.

    Raises:
        ConfigError: a document loosens what one before it has fixed.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for document in chain:
        for path, pattern, value in leaves(document.values):
            if pattern in BY_PATH and "*" not in pattern:
                _check_fixed(document, path, value, values, origins)
        _check_fixed_lists(document, values)
        _check_fixed_waivers(document, values, origins)
        values = _merged(values, document.values)
        for path, _, _ in leaves(document.values):
            origins[path] = document.origin(path)
    values.pop("extends", None)
    return values, origins


def _merged(base: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in child.items():
        there = result.get(key)
        if key in _ADDED and isinstance(there, list):
            result[key] = there + [item for item in value if item not in there]
        elif isinstance(there, dict) and isinstance(value, dict) and "path" not in value and "path" not in there:
            result[key] = _merged(there, value)
        else:
            result[key] = value
    return result


def _check_fixed(document: Document, path: str, value: Any, values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    if not _is_marked(path, values) or path in _ADDED:
        return
    there: Any = values
    for part in path.split("."):
        there = there.get(part) if isinstance(there, Mapping) else None
    there = _DEFAULTS.get(path) if there is None else there
    if there is None:
        # A gate that blocks today would block later or never; packages would come from elsewhere; a list of permissions would grow.
        grows = BY_PATH[path].tighter is Tighter.SUBSET and bool(value)
        grows = grows or (BY_PATH[path].tighter is Tighter.OFF and value != "off")
        observes = path.endswith(".enforce-from") or (path.endswith(".mode") and value != "enforce")
        open_no_more = path.startswith(_WHOLE) and BY_PATH[path].tighter is Tighter.SAME
        loosens = observes or path.startswith("indexes.") or grows or open_no_more
    else:
        loosens = not _is_tighter(BY_PATH[path], there, value)
    if loosens:
        fixed = (
            f"is fixed by {origins.get('fixed', 'its base')}"
            if there is None
            else f"is fixed as {there!r} by {origins.get(path, 'its base')}"
        )
        raise document.error(path, f"`{path}` {fixed}, and {value!r} loosens it.", "Tighten it, or leave it out.")


def _is_marked(path: str, values: Mapping[str, Any]) -> bool:
    fixed = values.get("fixed", ())
    if path == "baseline" and "waivers" in fixed:  # it lets through what a waiver would
        return True
    if path == "break-glass.profile" and _is_marked("sign.target", values):  # what it signs is trusted as what a target's profile signs
        return True
    return any(path == key or path.startswith(f"{key}.") for key in fixed)


def _check_fixed_lists(document: Document, values: Mapping[str, Any]) -> None:
    """Which index claims which names, whose statements count, and whose signatures, is fixed as a whole."""
    lists = ("indexes.named", "attest.key", "attest.identity", "sign.target", "enforce.ring", "deploy.function", "deploy.stage")
    for path in lists:
        table, _, name = path.partition(".")
        here = document.values.get(table, {}).get(name)
        if here is not None and _is_marked(path, values) and here != values.get(table, {}).get(name):
            raise document.error(f"{path}.0", f"`{path}` is fixed by its base, and is another here.", "Leave it out.")
    _check_fixed_ways(document, values)
    if _is_marked("enforce.mode", values) and values.get("enforce", {}).get("mode", "enforce") == "enforce":
        for number, ring in enumerate(document.values.get("enforce", {}).get("ring", ())):
            if ring.get("mode") == "warn" and ring not in values.get("enforce", {}).get("ring", ()):
                remedy = "Take its `mode` out."
                raise document.error(
                    f"enforce.ring.{number}.mode", "`enforce.mode` is fixed by its base, and this ring loosens it.", remedy
                )


def _check_fixed_ways(document: Document, values: Mapping[str, Any]) -> None:
    """What is fixed of how all functions go live is fixed of each."""
    deploy = values.get("deploy", {})
    for number, entry in enumerate(document.values.get("deploy", {}).get("function", ())):
        if entry in deploy.get("function", ()):
            continue
        for key in (*_WAYS, *_GROUP):
            whole = key if key in _WAYS else "rollout"
            if key in entry and _is_marked(f"deploy.{whole}", values) and entry[key] != deploy.get(key):
                what = f"`deploy.{whole}` is fixed by its base, and `{key}` says otherwise for {entry['function'][:80]!r}."
                raise document.error(f"deploy.function.{number}.{key}", what, f"Take its `{key}` out.")


def _check_fixed_waivers(document: Document, values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    """A statement of a VEX document does what a waiver does."""
    for key, place, what in (("waivers", "waivers.0", "a waiver"), ("vex", "vex", "a VEX document")):
        if "waivers" in values.get("fixed", ()) and document.values.get(key):
            origin = origins.get("fixed", "its base")
            raise document.error(place, f"`waivers` is fixed by {origin}, and {what} loosens.", "Remove it.")


def _is_tighter(key: Key, old: Any, new: Any) -> bool:  # noqa: C901 - one line a kind
    match key.tighter:
        case Tighter.SUBSET:
            return set(new) <= set(old)
        case Tighter.SUPERSET:
            return set(new) >= set(old)
        case Tighter.SHORTER:
            longest, proposed = as_age(old), as_age(new)
            return longest is None or (proposed is not None and proposed <= longest)
        case Tighter.LONGER:
            shortest, wished = as_age(old), as_age(new)
            return shortest is None or (wished is not None and wished >= shortest)
        case Tighter.EARLIER:
            first, proposed_day = as_date(old), as_date(new)
            return first is None or (proposed_day is not None and proposed_day <= first)
        case Tighter.LOWER:
            return _strictness(new) >= _strictness(old) and not (new.endswith(":fixable") and not old.endswith(":fixable"))
        case Tighter.HIGHER:
            return bool(new >= old)
        case Tighter.LAST_CHOICE:
            return key.choices.index(new) >= key.choices.index(old)
        case Tighter.TRUE:
            return bool(new) or not old
        case Tighter.FALSE:
            return not new or bool(old)
        case Tighter.OFF:
            return bool(new in ("off", old))
        case Tighter.SAME:
            return bool(new == old)


def _strictness(threshold: str) -> int:
    """The lower the severity that blocks, the stricter."""
    severity = threshold.removesuffix(":fixable")
    return -1 if severity == "never" else Severity(severity).rank
