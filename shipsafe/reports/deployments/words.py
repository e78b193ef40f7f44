"""What all ways of writing share: how a deployment is called, and the sentence that counts them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shipsafe.model.deployment import Deployment, Ending, Step
from shipsafe.reports.deployments import Told

_ENDED = {
    Ending.DEPLOYED: "deployed",
    Ending.UNCHANGED: "ran it already",
    Ending.ROLLED_BACK: "rolled back",
    Ending.REFUSED: "refused",
    Ending.UNFINISHED: "not finished",
    Ending.HANDED_OVER: "handed over",
}
_LONGEST = 120  # characters of a parameter
_LONG_IDS = re.compile(r"\b(?:([0-9a-f]{12})[0-9a-f]{28,}|([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")  # digests, and UUIDs


def called(one: Deployment) -> str:
    """A function with its alias."""
    return f"{one.function}:{one.alias}" if one.alias else one.function


def ended(one: Deployment) -> str:
    """How it ended, in a word or two."""
    return _ENDED[one.ending]


def why(one: Deployment) -> str:
    """Why it did not end well, "" where it did."""
    return one.reason if one.reason and one.ending is not Ending.DEPLOYED else str(one.error or "")


def signer(one: Deployment) -> str:
    """The profile and its version, without the rest of the ARN."""
    return one.profile_version.partition(":/signing-profiles/")[2] or one.profile_version


def last_line(told: Told) -> str:
    """How many ended how, and the exit code."""
    counted = Counter(ended(one) for one in told.deployments)
    said = ", ".join(f"{number} {word}" for word, number in counted.items()) or "nothing was deployed"
    return f"{said}. exit {int(told.exit_code)}"


def step_lines(steps: Sequence[Step]) -> Iterator[str]:
    """The steps of a plan, as a person reads them: the call, what it is given, and why."""
    for step in steps:
        yield f"  {step.api.partition(':')[2]}  {_parameters(step.parameters)}"
        yield f"      {step.why}"


def _parameters(parameters: Mapping[str, Any]) -> str:
    told = {name: _short(value) for name, value in parameters.items() if name not in ("FunctionName", "Resource")}
    return " ".join(f"{name}={value}" for name, value in told.items() if value)


def _short(value: Any) -> str:
    """For the eye: ids by their beginnings.

    >>> _short({"AdditionalVersionWeights": {"8": 0.1}}), _short("signed/" + 64 * "a" + ".zip")
    ('8:0.1', 'signed/aaaaaaaaaaaa....zip')
    """
    if isinstance(value, Mapping):
        inner = value.get("AdditionalVersionWeights", value)
        text = ",".join(f"{name}:{each}" for name, each in inner.items()) if isinstance(inner, Mapping) else str(inner)
    else:
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    text = _LONG_IDS.sub(lambda found: f"{found[1] or found[2]}...", text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
