"""The straight line of `layers check`: a project, the layers of its functions, and whether Lambda would let each in under Enforce.

Before anything is deployed, and without a look at what runs: what the template names is looked at wherever the policy signs for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shipsafe.adapters.aws.looks import Looks, open_looks
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.enforce.layers import LayerTrust, preflight
from shipsafe.enforce.wanted import wanted_at
from shipsafe.errors import ExitCode, NothingError, gravest
from shipsafe.flows.enforce_places import places, signing_at
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, LayerRef
from shipsafe.readers import read_project
from shipsafe.verify.layers import here


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedLayer:
    """A layer that functions name in one place; `trust` None for a layer of the project itself, which `sign` signs."""

    text: str
    functions: tuple[str, ...]
    code: ExitCode
    sentence: str
    remedy: str = ""
    trust: LayerTrust | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLayers:
    """What was found for one account and Region. `publishers`: ARNs of the profile versions that may sign there."""

    aws: Aws
    publishers: tuple[str, ...]
    layers: tuple[UsedLayer, ...]


def layers_of(
    path: Path,
    policy: Policy,
    connect: Callable[[Place], Aws],
    *,
    now: datetime,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    targets: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
) -> tuple[PlaceLayers, ...]:
    """Look at every layer that a project's functions name. Changes nothing.

    Raises:
        NothingError: no function uses a layer.
        ConfigError: the project or the policy cannot be read, or nobody may sign.
        IncompleteError: there are no credentials, or a profile could not be looked at.
        IntegrityError: the credentials are another account's, or a profile was revoked.
    """
    project = read_project(path, policy=policy, overrides=overrides or {})
    if not any(function.layers or _unread(function) for function in project.functions):
        raise NothingError("No function of the project uses a layer.", remedy="There is nothing to look at.", path=str(path))
    found = []
    for aws, signing in places(policy, targets, connect):
        looks = open_looks(aws, clock, sleep)
        publishers = wanted_at(looks, policy, signing_at(aws, policy, signing)).publishers
        found.append(PlaceLayers(aws=aws, publishers=publishers, layers=tuple(_used(looks, project.functions, publishers, now))))
    return tuple(found)


def exit_code(found: Iterable[PlaceLayers]) -> ExitCode:
    """5 where a layer would be refused, else 4 where nobody could look."""
    return gravest(layer.code for place in found for layer in place.layers)


def _unread(function: Function) -> str:
    return next((f"{one.location or function.location}: {one.reason}" for one in function.unresolved if one.field == "layers"), "")


def _used(looks: Looks, functions: Sequence[Function], publishers: Sequence[str], now: datetime) -> Iterator[UsedLayer]:
    users: dict[str, list[str]] = {}
    known: dict[str, LayerRef] = {}
    for function in functions:
        if why := _unread(function):
            yield UsedLayer(text="Layers", functions=(function.name,), code=ExitCode.INCOMPLETE, sentence=f"They cannot be read: {why}.")
        for ref in function.layers:
            text = here(ref.arn, looks.aws) if ref.arn else ref.text
            users.setdefault(text, []).append(function.name)
            known[text] = ref
    near = [text for text, ref in known.items() if ref.arn and not _far(ref, looks.aws)]
    trusted = {one.arn: one for one in preflight(looks, near, publishers, now)}
    for text, ref in known.items():
        yield _one(text, ref, tuple(dict.fromkeys(users[text])), trusted.get(text), looks.aws)


def _one(text: str, ref: LayerRef, functions: tuple[str, ...], trust: LayerTrust | None, aws: Aws) -> UsedLayer:
    if ref.local:
        return UsedLayer(text=text, functions=functions, code=ExitCode.PASS, sentence="The project's own: `sign` signs it with the rest.")
    if _far(ref, aws):
        sentence = f"It is in {ref.region}, and functions of {aws.region} cannot attach it."
        return UsedLayer(text=text, functions=functions, code=ExitCode.INTEGRITY, sentence=sentence, remedy="Name it in that region.")
    if trust is None:
        sentence = f"It cannot be read: {ref.unresolved or ref.changeable or 'it is no ARN'}."
        remedy = "Give the value with --parameter-overrides or in [parameters] of the policy."
        return UsedLayer(text=text, functions=functions, code=ExitCode.INCOMPLETE, sentence=sentence, remedy=remedy)
    return UsedLayer(text=text, functions=functions, code=trust.code, sentence=trust.sentence, remedy=trust.remedy, trust=trust)


def _far(ref: LayerRef, aws: Aws) -> bool:
    """Whether it lies in another Region than the functions."""
    return ref.region not in (None, aws.region, "${AWS::Region}")
