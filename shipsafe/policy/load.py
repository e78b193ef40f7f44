"""Files -> Policy: the effective document, read into the noun that everything else is given."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from shipsafe.model.location import Location
from shipsafe.model.policy import AdvisoryPolicy, AdvisorySource, FailOn, FunctionConfig, GatePolicy, LockChoice, Mode, Policy, Select
from shipsafe.model.severity import Severity
from shipsafe.policy import vex
from shipsafe.policy.attest import attest_policy
from shipsafe.policy.chain import Found, find_policy, read_chain
from shipsafe.policy.command_line import NOTHING_GIVEN, Given, documents
from shipsafe.policy.deploying import break_glass_policy, deploy_policy, enforce_policy
from shipsafe.policy.document import Document, as_age, as_date
from shipsafe.policy.indexes import check_indexes, find_links, named_indexes
from shipsafe.policy.keys import GATES
from shipsafe.policy.merge import merge
from shipsafe.policy.pipeline import approval_policy, pipeline_policy
from shipsafe.policy.signing import sign_policy
from shipsafe.policy.waivers import read_waivers

_OWN_KEYS = ("mode", "enforce-from", "fail-on", "unscored")


def load(
    root: Path,
    *,
    explicit: Path | None = None,
    offline: bool,
    cache: Path,
    fetch: Callable[[str], bytes],
    today: date,
    given: Given = NOTHING_GIVEN,
) -> Policy:
    """The policy that holds for a project.

    Args:
        root: the project's folder, absolute.
        explicit: a policy file to use instead of the one that is found.
        offline: nothing is fetched.
        cache: the user's cache folder, where policies by URL are kept.
        fetch: gives the bytes of an https URL.
        today: the day on which a waiver's length is judged.
        given: what the command line sets over it, within what a base has fixed.

    Raises:
        ConfigError, IntegrityError, IncompleteError: see `read_chain`, `merge` and `read_waivers`.
    """
    found = Found.at(explicit.resolve()) if explicit is not None else find_policy(root)
    shown = known_as(found.path, root) if found else None
    chain = read_chain(found, shown=shown, offline=offline, cache=cache, fetch=fetch)
    own, home = chain[-1], found.path.parent if found else root
    values, origins = merge([*chain, *documents(given, chain, home)])
    unwaivable, longest = _texts(values, "unwaivable"), as_age(values.get("longest-waiver"))
    indexes = values.get("indexes", {})
    check_indexes(own, indexes)
    sign = sign_policy(own, values)
    break_glass = break_glass_policy(own, values)
    return Policy(
        path=shown,
        digest=_digest(values),
        required=_texts(values, "required"),
        accounts=_texts(values, "accounts"),
        first_party=_texts(values, "first-party"),
        evidence=values.get("evidence"),
        publishers=tuple(values.get("layers", {}).get("publishers", ())),
        lock=values.get("lock"),
        lock_choice=LockChoice(
            groups=_texts(values, "groups"), extras=_texts(values, "extras"), only_groups=values.get("only-groups", False)
        ),
        selects=_selects(values, own),
        shared_lock=str(home / values["shared-lock"]) if values.get("shared-lock") else None,
        constraints=tuple(str(home / one) for one in _texts(values, "constraints")),
        refuses_prebuilt=values.get("prebuilt") == "refuse",
        proves_prebuilt=values.get("prebuilt") == "prove",
        index=indexes.get("default"),
        extra_indexes=tuple(indexes.get("extra", ())),
        named_indexes=named_indexes(indexes),
        find_links=find_links(own, indexes, home),
        pypi_mirrors=tuple(indexes.get("mirrors-pypi", ())),
        advisories=_advisories(values.get("advisories", {}), home),
        gates={gate: _gate(values.get("gates", {}).get(gate, {})) for gate in GATES},
        parameters={name: _parameter(value) for name, value in values.get("parameters", {}).items()},
        functions=_functions(own),
        waivers=read_waivers(chain, unwaivable=unwaivable, longest=longest, today=today, origins=origins),
        unwaivable=unwaivable,
        longest_waiver=longest,
        baseline=_baseline(values.get("baseline", "off"), home),
        longest_baseline=as_age(values.get("longest-baseline")),
        vex=vex.paths(chain, home),
        sign=replace(sign, emergency=break_glass.profile if break_glass.allowed else None),
        attest=attest_policy(own, values),
        deploy=deploy_policy(own, values, sign, home),
        enforce=enforce_policy(own, values),
        break_glass=break_glass,
        pipeline=pipeline_policy(own, values),
        approvals=approval_policy(values, home),
        overrides=given.words,
        origins=origins,
        effective=values,
    )


def known_as(path: Path, root: Path) -> str:
    """The file as the user knows it: relative to the project where it lies in or just above it."""
    return path.name if path.parent == root else os.path.relpath(path, root)


def _texts(values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(values.get(key, ()))


def _parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _digest(values: Mapping[str, Any]) -> str:
    """`sha256:` + hex over the effective policy: comments, order and the name of the file do not matter."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _gate(table: Mapping[str, Any]) -> GatePolicy:
    word = table.get("fail-on", "high")
    severity = word.removesuffix(":fixable")
    fail_on = FailOn(threshold=None if severity == "never" else Severity(severity), fixable_only=word.endswith(":fixable"))
    return GatePolicy(
        mode=Mode(table.get("mode", "enforce")),
        enforce_from=as_date(table.get("enforce-from")),
        fail_on=fail_on,
        unscored_blocks=table.get("unscored") == "fail",
        settings={key: value for key, value in table.items() if key not in _OWN_KEYS},
    )


def _baseline(name: str, folder: Path) -> str | None:
    """Also where a base names it: the file lies beside the project's own policy."""
    return None if name == "off" else os.path.normpath(folder / name)


def _advisories(table: Mapping[str, Any], folder: Path) -> AdvisoryPolicy:
    source = table.get("source", "snapshot")
    where = source if isinstance(source, dict) else {}
    return AdvisoryPolicy(
        source=AdvisorySource.FOLDER if where else AdvisorySource(source),
        path=str((folder / where["path"]).resolve()) if where else None,
        stated_date=as_date(where.get("date")),
        max_age=as_age(table.get("max-age", "7d")),
        unknown_age_allowed=table.get("unknown-age", "allow") == "allow",
        label=table.get("label", ""),
    )


def _selects(values: Mapping[str, Any], own: Document) -> tuple[Select, ...]:
    """`[[select]]`, and what `[[functions]]` say of themselves, which wins."""
    entries = [*values.get("select", ()), *({**entry, "function": entry["name"]} for entry in own.values.get("functions", ()))]
    return tuple(
        Select(
            function=entry["function"],
            groups=tuple(entry["groups"]) if "groups" in entry else None,
            extras=tuple(entry["extras"]) if "extras" in entry else None,
            only_groups=entry.get("only-groups"),
            member=entry.get("member"),
        )
        for entry in entries
        if entry.keys() & {"groups", "extras", "only-groups", "member"}
    )


def _functions(document: Document) -> tuple[FunctionConfig, ...]:
    """Only the project's own file names functions; a base cannot."""
    found = []
    for number, entry in enumerate(document.values.get("functions", ())):
        name, line = document.place(f"functions.{number}")
        found.append(
            FunctionConfig(
                name=entry["name"],
                handler=entry["handler"],
                runtime=entry["runtime"],
                code=entry["code"],
                architecture=entry.get("architecture", "x86_64"),
                requirements=entry.get("requirements"),
                layers=tuple(entry.get("layers", ())),
                location=Location(path=name, line=line),
            )
        )
    return tuple(found)
