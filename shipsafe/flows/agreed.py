"""Whether a release says of its functions what the rest of the world says of them.

No zip shows what it runs on, and what it runs on decides what is asked: of a function that is said to run Node, nobody asks for Python.
So the release has to say the same as whatever else describes the function: the policy, where it names functions, and the templates that
are to deploy what was signed.
"""

from collections.abc import Iterable, Iterator, Mapping

from shipsafe.adapters.shown import shown
from shipsafe.errors import IntegrityError
from shipsafe.model.claims import NOBODY, Claim
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, LayerRef, Subject
from shipsafe.packing.manifest import Told, told_of
from shipsafe.packing.release import Release, ReleasedArtifact

_LONGEST = 120  # characters of a value in a message


def told_in(artifacts: Iterable[ReleasedArtifact]) -> dict[str, Told]:
    """What a release says, by subject."""
    return {one.subject: one.told for one in artifacts}


def agrees_with_policy(release: Release, policy: Policy) -> None:
    """Hold a release against `[[functions]]` of the policy. Functions that it does not name are held against nothing.

    Raises:
        IntegrityError: they differ.
    """
    named = {one.name: one for one in policy.functions}
    for artifact in release.artifacts:
        config = named.get(artifact.name)
        if config is None:
            continue
        where = str(config.location or policy.path or "the policy")
        if artifact.subject != f"function:{artifact.name}":
            raise _differs(artifact.subject, "kind", "a layer", "a function", where)
        said = {"runtime": config.runtime, "handler": config.handler, "architecture": config.architecture}
        _compare(artifact.subject, artifact.told, said, set(config.layers), where)


def agrees_with_template(told: Mapping[str, Told], subjects: Iterable[Subject]) -> None:
    """Hold what was asked against what is going to be deployed; what the template leaves open is held against nothing.

    Args:
        told: what the release says, by subject.
        subjects: of the template.

    Raises:
        IntegrityError: they differ.
    """
    for subject in subjects:
        said = told.get(subject.subject)
        if said is None:
            continue
        described, where = told_of(subject), str(subject.location)
        unknown = {one.field for one in subject.unresolved}
        wanted = {"architecture": ", ".join(described.architectures)} if "architectures" not in unknown else {}
        if isinstance(subject, Function):
            wanted |= {"runtime": subject.runtime or "", "handler": subject.handler or ""}
        layers = {_of(ref) for ref in described.layers if ref.local or ref.arn}
        _compare(subject.subject, said, wanted, layers, where)


def _compare(subject: str, told: Told, said: Mapping[str, str], layers: set[str], where: str) -> None:
    claimed = {
        "runtime": ", ".join(told.runtimes),
        "handler": told.handler or "",
        "architecture": ", ".join(told.architectures),
    }
    for field, value in said.items():
        if value and claimed[field] and value != claimed[field]:
            raise _differs(subject, field, claimed[field], value, where)
    if more := sorted(layers - {_of(ref) for ref in told.layers}):
        raise _differs(subject, "layers", "no such layer", more[0], where)


def _of(ref: LayerRef) -> str:
    return f"layer:{ref.local}" if ref.local else ref.arn or ref.text


def _differs(subject: str, field: str, claimed: str, said: str, where: str) -> IntegrityError:
    return IntegrityError(
        f"The release says of {subject}, as its {field}: {shown(claimed, _LONGEST)}; {where} says: {shown(said, _LONGEST)}."
        " What was asked is not what would run.",
        remedy="Find out who changed one of them, then build again.",
    )


def unlooked_at(python: Mapping[str, tuple[str, ...]], told: Mapping[str, Told], claims: Iterable[Claim]) -> Iterator[str]:
    """What to say of Python that no gate was asked about, because the release says that it is none.

    Args:
        python: files of Python by subject.
        told: what the release says, by subject.
        claims: whose attestation vouches for that.
    """
    vouched = {claim.subject: claim.vouched_by for claim in claims if claim.name == "runtime"}
    for subject, paths in python.items():
        runtimes = ", ".join(told[subject].runtimes)
        claimed = f"says that it runs on {shown(runtimes, _LONGEST)}" if runtimes else "names no runtime for it"
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield (
            f"Not looked at: Python in {subject} ({shown(paths[0], _LONGEST)}{more}). The release {claimed}, and"
            f" {vouched.get(subject, NOBODY)} vouches for that."
        )
