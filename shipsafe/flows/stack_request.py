"""What CloudFormation is asked for, so that a stack runs a release: the rewritten template, its parameters, capabilities, and a name.

    request = requested(case, asked, stage, stack)      # nothing is asked yet
    request.wanted                                      # as change_sets.create takes it

The name says the release, the content and the state of the stack that it was made on: whoever asks for the same again, because an answer
was lost or the process was killed, asks for the same change set.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipsafe.adapters.aws.change_sets import LARGEST, Wanted
from shipsafe.adapters.aws.stack_looks import Stack
from shipsafe.adapters.shown import shown
from shipsafe.deploy.managed import Via
from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.flows.deploy_case import Deploying
from shipsafe.flows.via import Handing, ViaRequest, hand_over
from shipsafe.model.deployment import Stage
from shipsafe.packing.release import Release
from shipsafe.signing.rewrite.sent import Declared, Sent, read_sent

_HIDDEN = "****"  # what CloudFormation says of a parameter with NoEcho
_SHOWN = 200  # characters of a value in the plan
_DIGITS = 12  # hex digits of each part of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRequest:
    """What is asked for.

    Attributes:
        handing: the template, read and rewritten. sent: its text.
        wanted: the change set.
        family: what names of change sets of this release and content begin with.
        told: a line for each parameter: where its value comes from.
        logical_ids: of the functions and layers of the release, by subject.
    """

    handing: Handing
    sent: Sent
    wanted: Wanted
    family: str
    told: tuple[str, ...]
    logical_ids: Mapping[str, str]


def requested(
    case: Deploying, asked: ViaRequest, stage: Stage, stack: Stack | None, *, state: str, look: bool = False
) -> StackRequest:  # fmt: skip
    """Work out the change set; asks nobody and writes nothing.

    Args:
        case: a release, held and verified.
        asked: template and parameters.
        stage: names the stack.
        stack: as it is, None where there is none.
        state: what tells this state of the stack from every other.
        look: the change set is for a look alone, and is nobody's but ours.

    Raises:
        ConfigError: the template is of another tool, too large, names files of this machine, or a parameter has no value.
        IntegrityError: the template says something else of a function than the release, or has code that is not of the release.
    """
    handing = hand_over(case, asked)
    if handing.via not in (Via.SAM, Via.CLOUDFORMATION):
        what = f"Stage {stage.name} names a stack, and this is for {handing.via}."
        raise ConfigError(what, remedy=f"Take `stack` out of the stage. {_by_tool(handing)}", path=str(handing.source))
    sent = _sent(handing)
    given = {name: value for name, value in handing.project.parameters.items() if name in sent.parameters}
    if kept := _kept(sent, given, stack):
        # Read with the values that the stack has, where nobody gives another: what the template then says is what will run.
        handing = hand_over(case, replace(asked, overrides={**kept, **asked.overrides}))
        sent = _sent(handing)
    logical_ids = _of_release(case.release, handing, sent)
    parameters, told = _parameters(sent, given | kept, asked.overrides, stack)
    if blind := next((name for name in sent.hanging if name in parameters and parameters[name] is None), None):
        what = (
            f"What functions are hangs on parameter {blind} (condition {sent.hanging[blind]}), and nobody is shown its value in the stack."
        )
        raise IntegrityError(what, remedy="Give it, as at the build: --parameter-overrides.", path=str(handing.source))
    family = f"shipsafe-{_release(case.release)}-{_short(sent.text, given, stage.stack_role)}"
    name = f"{family}-{_short(state)}" + (f"-look-{secrets.token_hex(4)}" if look else "")
    wanted = Wanted(
        stack=str(stage.stack),
        name=name,
        token=secrets.token_hex(16),
        template=sent.text,
        parameters=parameters,
        hidden=frozenset(name for name, one in sent.parameters.items() if one.hidden),
        capabilities=sent.capabilities,
        role=stage.stack_role,
        new=stack is None or stack.empty,
        description=f"shipsafe deploy --stage {stage.name}",
    )
    return StackRequest(handing=handing, sent=sent, wanted=wanted, family=family, told=told, logical_ids=logical_ids)


def _sent(handing: Handing) -> Sent:
    [*_, text] = handing.rewritten.files.values()  # the outermost template is the last; a nested one here is refused by its property
    sent = read_sent(text.decode(), name=str(handing.written))
    if len(text) > LARGEST:
        what = f"The rewritten template has {len(text):,} bytes, and CloudFormation takes {LARGEST:,} without a bucket."
        raise ConfigError(what, remedy=_by_tool(handing), path=str(handing.source))
    return sent


def _of_release(release: Release, handing: Handing, sent: Sent) -> dict[str, str]:
    """The logical ids of what was signed, by subject; everything else that CloudFormation would give code is refused.

    The release was built from a template of which everything was asked. This one may be another one, or say more with other values.

    Raises:
        IntegrityError: a function or layer takes a zip that is not of the release, or nobody can say which there will be.
    """
    remedy = f"Build the release from this template, and sign it. {_by_tool(handing)}"
    for one in handing.project.unresolved:
        what = f"{shown(one.field)}: {one.reason.rstrip('.')}. So nobody can say which code CloudFormation would put live."
        raise IntegrityError(what, remedy=remedy, path=str(handing.source), line=one.location.line if one.location else None)
    subjects = {one.subject for one in release.artifacts}
    found = {one.subject: one.trail[-1][1] for one in handing.project.subjects if one.subject in subjects}
    for left in sent.coded:
        if left.is_zip and left.logical_id not in found.values():
            what = f"{left.logical_id} takes code that is not of the release: nobody asked about it, and nobody signed it."
            raise IntegrityError(what, remedy=remedy, path=str(handing.source))
    return found


def _by_tool(handing: Handing) -> str:
    return f"`shipsafe deploy --via {handing.via}` writes what its tool deploys, and prints the command."


def _kept(sent: Sent, given: Mapping[str, str | None], stack: Stack | None) -> dict[str, str]:
    """Values that the stack has of parameters that nobody gives."""
    had = stack.parameters if stack else {}
    return {name: had[name] for name in sent.parameters if name in had and name not in given and had[name] != _HIDDEN}


def _parameters(
    sent: Sent, audited: Mapping[str, str | None], overrides: Mapping[str, str], stack: Stack | None
) -> tuple[dict[str, str | None], tuple[str, ...]]:  # fmt: skip
    """The value of each parameter that does not have its default, and a line on each."""
    had = stack.parameters if stack else {}
    values: dict[str, str | None] = {}
    told: list[str] = []
    for name, declared in sent.parameters.items():
        value = overrides.get(name) if declared.hidden else audited.get(name)
        if value is not None:
            values[name] = value
            told.append(f"parameter {name}: {'as given (hidden)' if declared.hidden else _said(value, had.get(name))}")
        elif name in had:
            values[name] = None
            told.append(f"parameter {name}: as the stack has it (hidden)")
        elif declared.default is not None:
            told.append(f"parameter {name}: the template's default")
        else:
            raise _lacking(name, declared, sent.name)
    return values, tuple(told)


def _said(value: str, had: str | None) -> str:
    return f"{shown(value, _SHOWN)}{'' if had is None or had == value else f', where the stack has {shown(had, _SHOWN)}'}"


def _lacking(name: str, declared: Declared, path: str) -> ConfigError:
    where = "with --parameter-overrides, once: the stack keeps it" if declared.hidden else "in [parameters] of the policy"
    return ConfigError(f"Parameter {name} has no value: nobody gives one, the stack has none, and it has no default.",
                       remedy=f"Give it one {where}.", path=path)  # fmt: skip


def _release(release: Release) -> str:
    """What was built; signing again and records of deployments change the manifest, and not this."""
    return _short(sorted((one.name, one.sha256) for one in release.artifacts))


def _short(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_DIGITS]
