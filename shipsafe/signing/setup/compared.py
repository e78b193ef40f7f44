"""Two policies of IAM compared: what one that was found allows beyond the one that is wanted, and what it lacks.

It compares what is allowed, statement by statement: how statements are named, ordered or split says nothing. A Deny takes away and never
adds; none is looked at.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shipsafe.signing.setup.trust import ASSUME
from shipsafe.signing.setup.values import as_list

_SHOWN = 4
_TAG = "sts:TagSession"  # of the credentials; it lets nobody in
_EXACT = ("stringequals", "foranyvalue:stringequals")
_PATTERNS = ("stringlike", "foranyvalue:stringlike")
_REPOSITORY = re.compile(r"repo:([^/:@*?]+)(?:@\d+)?/([^/:@*?]+)(?:@\d+)?:", re.ASCII)
_OPTIONAL = ("repository_id",)  # a condition that narrows what `sub` has narrowed already


@dataclass(frozen=True, slots=True)
class Compared:
    """Sentences, or grants as `action on resource`: what is allowed `beyond` what is wanted, and what is `lacking`."""

    beyond: tuple[str, ...]
    lacking: tuple[str, ...]


def listed(several: tuple[str, ...]) -> str:
    """For a message: the first of them, and how many more there are."""
    more = f" and {len(several) - _SHOWN} more" if len(several) > _SHOWN else ""
    return "; ".join(several[:_SHOWN]) + more


def compare_trust(found: Any, wanted: Mapping[str, Any]) -> Compared:
    """Of the trust policy of a role with the one that `trust` writes."""
    [theirs] = wanted["Statement"]
    provider, keys = theirs["Principal"]["Federated"], theirs["Condition"]["StringEquals"]
    beyond: list[str] = []
    lacking: list[list[str]] = []  # of each statement about our provider: one lets in what another does not
    for statement in _allowing(found):
        strangers = list(_strangers(statement, provider))
        beyond += strangers
        if strangers:
            continue
        several = [_condition(statement.get("Condition", {}), key, set(as_list(values))) for key, values in keys.items()]
        beyond += [one for more, _ in several for one in more]
        lacking.append([one for _, less in several for one in less])
    if not lacking:
        return Compared(tuple(dict.fromkeys(beyond)), (f"nobody comes in by {provider}",))
    return Compared(tuple(dict.fromkeys(beyond)), tuple(one for one in lacking[0] if all(one in other for other in lacking)))


def of_others(found: Any, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The repositories whose jobs a trust policy lets in, where ours is none of them, by name or by number."""
    theirs, ours = _claimed(found, "sub"), _claimed(wanted, "sub")
    names = {f"{match[1]}/{match[2]}" for one in theirs if (match := _REPOSITORY.match(one))}
    own = {f"{match[1]}/{match[2]}".casefold() for one in ours if (match := _REPOSITORY.match(one))}
    renamed = _claimed(found, "repository_id") & _claimed(wanted, "repository_id")
    return () if renamed or own & {one.casefold() for one in names} else tuple(sorted(names))


def _claimed(document: Any, claim: str) -> set[str]:
    """Every value that some statement asks of a claim."""
    return {
        str(one)
        for statement in _allowing(document)
        for keys in statement.get("Condition", {}).values()
        for name, values in keys.items()
        if name.rpartition(":")[2].lower() == claim
        for one in as_list(values)
    }


def compare_rights(found: Any, wanted: Mapping[str, Any]) -> Compared:
    """Of a permissions policy with the one that `rights` writes."""
    theirs, ours = dict(_grants(found)), dict(_grants(wanted))
    beyond = [text for key, text in theirs.items() if key not in ours]
    lacking = [text for key, text in ours.items() if key not in theirs]
    return Compared(tuple(dict.fromkeys(beyond)), tuple(dict.fromkeys(lacking)))


def _allowing(document: Any) -> Iterator[Mapping[str, Any]]:
    for one in as_list(document["Statement"]) if document else ():
        if one["Effect"] == "Allow":
            yield one


def _strangers(statement: Mapping[str, Any], provider: str) -> Iterator[str]:
    """Whom a statement lets in beside our provider, and how."""
    for name in ("NotPrincipal", "NotAction"):
        if name in statement:
            yield f"{name} lets everybody else in, or allows everything else"
    principal = statement.get("Principal", {})
    named = {"*": principal} if isinstance(principal, str) else principal
    for kind, values in named.items():
        for value in as_list(values):
            if (kind, value) != ("Federated", provider):
                yield f"lets {kind} {value} in"
    for action in as_list(statement.get("Action", [])):
        if action not in (ASSUME, _TAG):
            yield f"allows {action}"


def _condition(conditions: Mapping[str, Any], key: str, wanted: set[str]) -> tuple[list[str], list[str]]:
    """What a statement asks of one claim: too little, and what it does not let in that it should."""
    claim = key.rpartition(":")[2]
    exact = _values(conditions, key, _EXACT) or _values(conditions, key, _PATTERNS)  # where both are, both must hold
    if broad := sorted(one for one in exact if set(one) & {"*", "?"}):
        return [f"`{claim}` may be anything like {one}" for one in broad], []
    if not exact:
        missing = f"asks for no `{claim}`"
        return ([], [missing]) if claim in _OPTIONAL else ([missing], [])
    return [f"`{claim}` may be {one}" for one in sorted(exact - wanted)], [f"`{claim}` may not be {one}" for one in sorted(wanted - exact)]


def _values(conditions: Mapping[str, Any], key: str, operators: tuple[str, ...]) -> set[str]:
    """The values of a key under some operators, in whatever case; where two ask of one key, both must hold."""
    found = [
        {str(one) for one in as_list(value)}
        for operator, keys in conditions.items()
        if operator.lower() in operators
        for name, value in keys.items()
        if name.lower() == key.lower()
    ]
    return set.intersection(*found) if found else set()


def _grants(document: Any) -> Iterator[tuple[str, str]]:
    """Every action on every resource: as a text that is equal where they are, and one for a person."""
    for statement in _allowing(document):
        conditions = {
            operator: {key: sorted({str(one) for one in as_list(value)}) for key, value in keys.items()}
            for operator, keys in statement.get("Condition", {}).items()
        }
        shown = f" where {json.dumps(conditions, sort_keys=True)}" if conditions else ""
        for name in ("NotAction", "NotResource"):
            if name in statement:
                yield json.dumps(statement, sort_keys=True), f"{name} {json.dumps(statement[name])}"
        for action in as_list(statement.get("Action", [])):
            for resource in as_list(statement.get("Resource", [])):
                yield json.dumps([action.lower(), resource, conditions], sort_keys=True), f"{action} on {resource}{shown}"
