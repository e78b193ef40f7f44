"""How `enforce` tells what it found and did: lines for people, and one document for programs."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from shipsafe.cli.screen import Screen
from shipsafe.enforce.changes import Attach, Change, Mark
from shipsafe.enforce.plan import FunctionPlan, PlacePlan
from shipsafe.enforce.roles import Goal
from shipsafe.enforce.rotate import MakeProfile
from shipsafe.errors import ExitCode
from shipsafe.flows.enforce import EnforceSurvey, carry_out
from shipsafe.model.enforcement import Enforcing
from shipsafe.reports.strict_json import dump
from shipsafe.reports.tally import count

# The first that a step has says what it is about.
_SUBJECTS = ("FunctionName", "Resource", "CodeSigningConfigArn", "Description", "profileName")


def lines(found: EnforceSurvey, *, planning: bool) -> Iterator[str]:
    """Place by place: who may sign, each function with what is wrong and what holds it back; then the changes, if `planning`."""
    for place in found.places:
        aws = place.looks.aws
        yield f"account {aws.account}, {aws.region}, as {aws.caller}"
        yield from (f"  {'may sign' if number == 0 else '':8}  {arn}" for number, arn in enumerate(place.wanted.publishers))
        yield from (f"  note      {note}" for note in place.wanted.notes)
        for ring, functions in groupby(sorted(place.functions, key=_order), key=lambda one: (one.case.ring, one.case.mode)):
            named = f"ring {ring[0]}" if ring[0] else "in no ring"
            yield f"  {named} ({ring[1].value})"
            for one in functions:
                yield from _function(one, planning=planning)
        if planning:
            if place.stages:
                yield "  to be changed"
            for stage in place.stages:
                yield from (f"    {line}" for line in _grouped(stage))
    yield from (f"not looked at: {error}" for error in found.unlooked)


def summary(found: EnforceSurvey) -> str:
    """One sentence about all functions."""
    functions = [one for _, one in found.functions]
    enforcing = sum(one.case.standing.enforces for one in functions)
    ready, waiting = sum(map(_ready, functions)), sum(bool(one.holding) for one in functions)
    wrong = sum(bool(one.case.standing.wrongs) for one in functions)
    clean = "nothing is wrong" if not wrong else f"something is wrong with {wrong}"
    strict = f"{enforcing} {'enforces' if enforcing == 1 else 'enforce'}{f', {ready} ready' if ready else ''}"
    return f"{count(len(functions), 'function')}: {strict}, {waiting} held back; {clean}."


def document(found: EnforceSurvey) -> dict[str, Any]:
    """The same as JSON: `places`, `unlooked` and the `exitCode` of `--check`."""
    return {
        "places": [_place(place) for place in found.places],
        "unlooked": [str(error) for error in found.unlooked],
        "exitCode": int(found.exit_code),
    }


def one_line(change: Change | MakeProfile) -> str:
    """A change: the call, its parameters, and why."""
    step = change.step
    return f"{step.api}  {', '.join(f'{name}={_value(value)}' for name, value in step.parameters.items())}: {step.why}"


def what_was_done(change: Change | MakeProfile) -> str:
    """A change that was made, in short: the call, and what it was about."""
    step = change.step
    about = next(str(step.parameters[name]) for name in _SUBJECTS if name in step.parameters)
    return f"{step.api}  {about.rpartition(':')[2] if about.startswith('arn:') else about}"


def _grouped(changes: Sequence[Change]) -> Iterator[str]:
    """A line for each kind of change, with all the functions that it is made for."""

    def kind(change: Change) -> tuple[Any, ...]:
        return (replace(change, function="", before=None), 0) if isinstance(change, Attach) else (type(change), change.step.why)

    for _, same in groupby(changes, key=kind):
        several = list(same)
        if len(several) == 1 or not isinstance(several[0], Attach | Mark):
            yield from map(one_line, several)
            continue
        names = ", ".join(what_was_done(one).partition("  ")[2] for one in several)
        step = several[0].step
        rest = "".join(f", {name}={_value(value)}" for name, value in step.parameters.items() if name not in _SUBJECTS[:2])
        yield f"{step.api}  {names}{rest}: {step.why}"


def _order(one: FunctionPlan) -> tuple[bool, str, str, str]:
    return (not one.case.ring, one.case.ring, one.case.mode, one.case.name)


def _function(one: FunctionPlan, *, planning: bool) -> Iterator[str]:
    standing = one.case.standing
    becomes = f" -> {one.goal.value.capitalize()}" if planning and one.goal is not Goal.AS_IT_IS and _mode(one) != one.goal.value else ""
    yield f"    {one.case.name}  {_mode(one).capitalize()}{becomes}{'' if standing.wrongs else ', nothing is wrong'}"
    told = {*one.holding} if planning else set[str]()  # a layer that holds it back is told once
    for wrong in standing.wrongs:
        line = f"{wrong.sentence} {wrong.remedy}".rstrip()
        if line not in told:
            yield f"      {wrong.what}: {line}"
    if planning and _ready(one):
        since = one.readiness.since
        yield f"      ready: {f'Lambda has warned since {since:%Y-%m-%d}; ' if since else ''}nothing holds Enforce back"
    if planning and one.case.mode is Enforcing.ENFORCE:
        yield from (f"      held back: {line}" for line in one.holding)


def _ready(one: FunctionPlan) -> bool:
    """Whether it gets from less to Enforce."""
    return one.goal is Goal.ENFORCE and not one.case.standing.enforces


def _mode(one: FunctionPlan) -> str:
    """How the attached configuration is: `enforce`, `warn` or `no configuration`."""
    if one.case.standing.enforces:
        return Goal.ENFORCE.value
    return "no configuration" if one.case.standing.configuration is None else Goal.WARN.value


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return ", ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, dict) else str(value)


def _place(place: PlacePlan) -> dict[str, Any]:
    aws = place.looks.aws
    return {
        "account": aws.account,
        "region": aws.region,
        "publishers": list(place.wanted.publishers),
        "notes": list(place.wanted.notes),
        "functions": [_told(one) for one in place.functions],
        "steps": [{"api": step.api, "parameters": dict(step.parameters), "why": step.why} for step in place.steps],
    }


def _told(one: FunctionPlan) -> dict[str, Any]:
    standing, since = one.case.standing, one.readiness.since
    return {
        "name": one.case.name,
        "ring": one.case.ring,
        "wanted": one.case.mode.value,
        "is": _mode(one),
        "becomes": one.goal.value,
        "configuration": standing.configuration.arn if standing.configuration else None,
        "warnedSince": since.isoformat() if since else None,
        "wrongs": [{"what": wrong.what.value, "sentence": wrong.sentence, "remedy": wrong.remedy} for wrong in standing.wrongs],
        "holding": list(one.holding),
        "layers": [{"arn": layer.arn, "letting": layer.letting.value, "signer": layer.profile_version} for layer in standing.layers],
    }


def change(found: EnforceSurvey, screen: Screen) -> list[ExitCode]:
    """Make the changes, and tell of each; gives the codes of what could not be done."""
    codes: list[ExitCode] = []
    for place, applied in zip(
        found.places, carry_out(found, say=lambda _place, done: screen.say(f"done: {what_was_done(done)}")), strict=True
    ):
        where = f"account {place.wanted.account}, {place.wanted.region}"
        for one, error in applied.failed:
            screen.say(f"NOT DONE ({where}): {one_line(one)}: {error}")
            codes.append(error.exit_code)
        for one in applied.left:
            screen.say(f"not begun ({where}), because of that: {one_line(one)}")
    return codes


def show(found: EnforceSurvey, screen: Screen, *, form: bool, told: tuple[str, ...] = ()) -> None:
    """The lines for people, and the document on standard output where that is asked for."""
    for line in told:
        screen.say(line)
    if form:
        sys.stdout.write(dump(document(found)))
