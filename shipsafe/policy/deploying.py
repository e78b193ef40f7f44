"""`[deploy]`, `[enforce]` and `[break-glass]` of a policy: how functions go live, and what keeps others out.

[deploy]
alias = "live"
rollout = "canary"

[[deploy.function]]
function = "Orders"
name = "orders-prod"
smoke-payload = "smoke/orders.json"

[[deploy.stage]]
name = "prod"
target = "prod"
after = "dev"
soak = "24h"
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from shipsafe.model.deployment import (
    WHOLE,
    CodeDeployGroup,
    DefaultAlarm,
    DeployPolicy,
    DeployRule,
    FunctionDeploy,
    Rollout,
    SmokeTest,
    Stage,
    Strategy,
)
from shipsafe.model.enforcement import EnforcePolicy, Enforcing, Ring
from shipsafe.model.override import BreakGlassPolicy
from shipsafe.model.signing import SignPolicy
from shipsafe.policy.document import Document, as_age

_DAY = timedelta(hours=24)
_ROLE = (r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", "Write the role's ARN.")
SHAPES = {  # key: shape, and what to write instead
    "name": (r"[A-Za-z0-9_-]{1,64}", "A function's name has up to 64 letters, digits, hyphens and underscores."),
    # Lambda CreateAlias: (?!^[0-9]+$)([a-zA-Z0-9-_]+), up to 128
    "alias": (r"(?!\d+$)[A-Za-z0-9_-]{1,128}", "An alias has letters, digits, hyphens and underscores, and is no number."),
    "account": (r"\d{12}", "An account has twelve digits."),
    "region": (r"[a-z]{2,4}(?:-[a-z0-9]+)+-\d{1,2}", "Write eu-central-1, for example."),
    "role": _ROLE,
    # CloudFormation CreateChangeSet: StackName
    "stack": (r"[A-Za-z][A-Za-z0-9-]{0,127}", "A stack's name begins with a letter and has up to 128 letters, digits and hyphens."),
    "stack-role": _ROLE,
    "profile": (r"[A-Za-z0-9_]{2,64}", "A signing profile's name has 2 to 64 letters, digits and underscores."),
    "configuration": (r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:code-signing-config:csc-[a-z0-9]{17}", "Write its ARN."),
}  # fmt: skip
_WAYS: dict[str, Callable[[Any], Any]] = {"rollout": Rollout, "percent": int, "every": as_age}


def deploy_policy(document: Document, values: Mapping[str, Any], sign: SignPolicy, home: Path) -> DeployPolicy:
    """What the merged policy says of going live; `document` is the project's own, for places, and files are relative to `home`.

    Raises:
        ConfigError: a name is one that AWS would refuse, a percentage is none, half of a pair is missing, or a file or stage leads nowhere.
    """
    table = values.get("deploy", {})
    _shaped(document, "deploy", table, ("alias",))
    _ways(document, "deploy", table)
    default = FunctionDeploy(
        alias=table.get("alias"),
        strategy=Strategy(**{key: make(table[key]) for key, make in _WAYS.items() if key in table}),
        strategy_stated=any(key in table for key in _WAYS),
        alarms=tuple(table.get("alarms", ())),
        default_alarm=DefaultAlarm(errors=table.get("errors", 5), percent=table.get("error-percent", 1))
        if table.get("default-alarm", "on") == "on"
        else None,
    )
    rules = tuple(_rule(document, number, entry, home) for number, entry in enumerate(table.get("function", ())))
    stages = tuple(_stages(document, table.get("stage", ()), sign))
    deadline = as_age(table.get("deadline"))
    return DeployPolicy(default=default, rules=rules, stages=stages, **({"deadline": deadline} if deadline else {}))


def enforce_policy(document: Document, values: Mapping[str, Any]) -> EnforcePolicy:
    """What it says of code-signing configurations.

    Raises:
        ConfigError: an account or ARN cannot be one, or two rings have one name.
    """
    table = values.get("enforce", {})
    _shaped(document, "enforce", table, ("configuration", "role"))
    rings: list[Ring] = []
    for number, entry in enumerate(table.get("ring", ())):
        place = f"enforce.ring.{number}"
        if any(one.name == entry["name"] for one in rings):
            raise document.error(place, f"Two rings are called {entry['name'][:80]!r}.", "Give each a name of its own.")
        for account in entry.get("accounts", ()):
            _shaped(document, f"{place}.accounts", {"account": account}, ("account",))
        tags = {name: str(value) for name, value in entry.get("tags", {}).items()}
        rings.append(
            Ring(
                name=entry["name"],
                functions=tuple(entry.get("functions", ())),
                tags=tags,
                accounts=tuple(entry.get("accounts", ())),
                mode=Enforcing(entry.get("mode", "enforce")),
            )
        )
    return EnforcePolicy(
        mode=Enforcing(table.get("mode", "enforce")),
        rings=tuple(rings),
        quiet=as_age(table.get("quiet", "7d")) or timedelta(),
        configuration=table.get("configuration"),
        role=table.get("role"),
    )


def break_glass_policy(document: Document, values: Mapping[str, Any]) -> BreakGlassPolicy:
    """What it says of emergencies.

    Raises:
        ConfigError: a name cannot be one, or one is to be valid for more than a day.
    """
    table = values.get("break-glass", {})
    _shaped(document, "break-glass", table, ("role", "profile"))
    longest = as_age(table.get("longest", "24h")) or _DAY
    if longest > _DAY:
        raise document.error("break-glass.longest", "What breaks the glass is valid for at most 24 hours.", 'Write "24h" or less.')
    return BreakGlassPolicy(
        allowed=table.get("allowed", True),
        role=table.get("role"),
        profile=table.get("profile"),
        second_person=table.get("second-person", False),
        longest=longest,
    )


def _rule(document: Document, number: int, entry: Mapping[str, Any], home: Path) -> DeployRule:
    place = f"deploy.function.{number}"
    _shaped(document, place, entry, ("name", "alias", "role"))
    _ways(document, place, entry)
    changes: dict[str, Any] = {key: entry[key] for key in ("name", "alias", "role") if key in entry}
    changes |= {key: make(entry[key]) for key, make in _WAYS.items() if key in entry}
    if "alarms" in entry:
        changes["alarms"] = tuple(entry["alarms"])
    _pair(document, place, entry, "smoke-expect", "smoke-payload")
    if "smoke-payload" in entry:
        paths = (_inside(document, place, entry, key, home) for key in ("smoke-payload", "smoke-expect"))
        changes["smoke"] = SmokeTest(payload=next(paths) or "", expect=next(paths))
    _pair(document, place, entry, "codedeploy-application", "codedeploy-group")
    _pair(document, place, entry, "codedeploy-group", "codedeploy-application")
    if "codedeploy-group" in entry:
        changes["codedeploy"] = CodeDeployGroup(application=entry["codedeploy-application"], group=entry["codedeploy-group"])
    return DeployRule(function=entry["function"], changes=changes)


def _inside(document: Document, place: str, entry: Mapping[str, Any], key: str, home: Path) -> str | None:
    """A file below the policy's folder: what is sent to a function is no other file of the machine, whoever wrote the policy."""
    if key not in entry:
        return None
    path = home / entry[key]
    if not path.resolve().is_relative_to(home.resolve()):
        raise document.error(f"{place}.{key}", f"{entry[key][:120]!r} leads out of the policy's folder.", "Put the file below it.")
    return str(path)


def _stages(document: Document, entries: list[Mapping[str, Any]], sign: SignPolicy) -> Iterator[Stage]:
    targets = {one.name for one in sign.targets}
    names: list[str] = []
    stacks: dict[tuple[str | None, ...], str] = {}
    for number, entry in enumerate(entries):
        place, name, after = f"deploy.stage.{number}", entry["name"], entry.get("after")
        _shaped(document, place, entry, ("account", "region", "role", "stack", "stack-role"))
        _pair(document, place, entry, "stack-role", "stack")
        if name in names:
            raise document.error(place, f"Two stages are called {name[:80]!r}.", "Give each a name of its own.")
        if entry["target"] not in targets:
            remedy = f"There are: {', '.join(sorted(targets))}." if targets else "Add a [[sign.target]]."
            raise document.error(f"{place}.target", f"There is no [[sign.target]] {entry['target'][:80]!r}.", remedy)
        if after is not None and after not in names:
            raise document.error(f"{place}.after", f"No stage before this one is called {after[:80]!r}.", "List the stages in their order.")
        if after is None and "soak" in entry:
            raise document.error(f"{place}.soak", "A stage soaks after another one.", 'Add `after = "dev"`, for example.')
        names.append(name)
        if "stack" in entry and (other := stacks.setdefault(_stack_of(entry, sign), name)) != name:
            what = f"Stages {other} and {name} are the same stack, so that what goes to one is live in the other."
            raise document.error(f"{place}.stack", what, "Give each a stack of its own.")
        yield Stage(
            name=name, target=entry["target"], account=entry.get("account"), region=entry.get("region"), role=entry.get("role"),
            after=after, soak=as_age(entry.get("soak")) or timedelta(), stack=entry.get("stack"), stack_role=entry.get("stack-role"),
        )  # fmt: skip


def _stack_of(entry: Mapping[str, Any], sign: SignPolicy) -> tuple[str | None, ...]:
    """Account, Region and name of a stage's stack."""
    target = next(one for one in sign.targets if one.name == entry["target"])
    return (entry.get("account") or target.account, entry.get("region") or target.region, entry["stack"])


def _shaped(document: Document, place: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        shape, remedy = SHAPES[key]
        if key in table and not re.fullmatch(shape, table[key], re.ASCII):
            raise document.error(f"{place}.{key}", f"{table[key][:120]!r} cannot be the `{key}` here.", remedy)


def _ways(document: Document, place: str, table: Mapping[str, Any]) -> None:
    for key in ("percent", "error-percent"):
        if key in table and table[key] >= WHOLE:
            raise document.error(f"{place}.{key}", f"`{key}` is from 1 to 99, and not {table[key]}.", "Write 10, for example.")
    if "every" in table and not as_age(table["every"]):
        raise document.error(f"{place}.every", "A step that is watched for no time is not watched.", 'Write "5m", for example.')


def _pair(document: Document, place: str, entry: Mapping[str, Any], one: str, other: str) -> None:
    if one in entry and other not in entry:
        raise document.error(f"{place}.{one}", f"`{one}` needs `{other}` beside it.", f"Add `{other}`.")
