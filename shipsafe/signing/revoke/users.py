"""Who runs code with a signature: every function version of a region whose own code or one of whose layers was signed with it.

Three ways lead to one: Lambda names the job and profile of the code; it names those of a layer; or the bytes are those of code that was
found in one of these ways, in a function for which Lambda names no signature.
What could not be looked at is a sentence in `unlooked`, never an empty answer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shipsafe.adapters.aws.functions import Running, find_function, find_layer, list_aliases, list_functions
from shipsafe.adapters.aws.pace import Pace
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.aws.signer import describe_job
from shipsafe.errors import ShipsafeError
from shipsafe.model.signing import SigningJob

ITS_CODE, ITS_BYTES = "its code", "its code, by its bytes"
_MOST_NAMED = 5  # refusals of one region that are written out


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A function version that runs code with the signature.

    Attributes:
        function: ARN without a version. name: of the function.
        version: `$LATEST` or a number.
        through: `its code`, which Lambda says or its digest; or the ARN of a layer version.
        job: ARN of the signing job, "" where the bytes alone say so.
        code_sha256: base64, of the function's own code or of the layer.
        aliases: that lead to the version, each with its share of the calls where that is not all.
    """

    function: str
    name: str
    version: str
    through: str
    job: str
    code_sha256: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """What was found in one region of an account. `spared`: signed by the profile, and before the time from which it is revoked."""

    aws: Aws
    versions: int
    functions: int
    uses: tuple[Use, ...] = ()
    spared: tuple[Use, ...] = ()
    unlooked: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The signature that is meant: ARN of a job, or of a profile version. `code`: base64 digests that are known to carry it."""

    arn: str
    code: frozenset[str] = frozenset()

    def made(self, job: str, profile_version: str) -> bool:
        """Whether the two ARNs that Lambda names are this one's."""
        return self.arn in (job, profile_version)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One region as it was listed, and what may have escaped the look at it."""

    aws: Aws
    versions: tuple[Running, ...]
    layers: Mapping[str, tuple[str, str, str]]
    unlooked: tuple[str, ...]


def users(
    places: Iterable[Aws], signature: Signature, *, pace: Callable[[], Pace], since: Callable[[str], bool], say: Callable[[str], None]
) -> tuple[Region, ...]:
    """Look through the regions, one after the other.

    Args:
        places: the account in each region.
        signature: which one is meant.
        pace: makes the pace of a region's calls.
        since: whether a job (ARN) signed in the time that is revoked.
        say: told how far it is.
    """
    seen = [_listed(aws, pace(), say) for aws in places]
    code = signature.code.union(*(_code_of(one, signature, since) for one in seen))
    return tuple(_region(one, replace(signature, code=code), pace(), since) for one in seen)


def _listed(aws: Aws, pace: Pace, say: Callable[[str], None]) -> _Seen:
    unlooked: list[str] = []
    versions: list[Running] = []
    try:
        for one in list_functions(aws):  # what was listed before a refusal counts
            versions.append(one)  # noqa: PERF402 - see above
    except ShipsafeError as error:
        unlooked.append(str(error))
    say(f"{aws.region}: {len(versions)} function versions listed")
    versions = list(_looked(aws, versions, unlooked))
    layers: dict[str, tuple[str, str, str]] = {}
    for layer in {layer.arn: layer for one in versions for layer in one.layers}.values():
        layers[layer.arn] = (layer.job, layer.profile_version, "")
        if not (layer.job and layer.profile_version):
            pace.turn()
            try:
                found = find_layer(aws, layer.arn)
            except ShipsafeError as error:
                unlooked.append(str(error))
                continue
            if found is None:
                unlooked.append(f"Layer {layer.arn} was deleted, and goes on running: nobody can see who signed it.")
            else:
                layers[layer.arn] = (found.job, found.profile_version, found.code_sha256)
    return _Seen(aws, tuple(versions), layers, tuple(_named(unlooked)))


def _looked(aws: Aws, versions: Iterable[Running], unlooked: list[str]) -> Iterator[Running]:
    """Each version as it was listed; where the list names no signature, as it is asked for, once for the same code of a function.

    GetFunction may be asked a hundred times a second, so that no pace is kept.
    """
    asked: dict[tuple[str, str], Running | None] = {}
    for one in versions:
        if (one.job and one.profile_version) or one.package != "Zip":
            yield one
            continue
        key = (one.name, one.code_sha256)
        if key not in asked:
            asked[key] = None
            try:
                asked[key] = find_function(aws, one.name, one.version)
            except ShipsafeError as error:
                unlooked.append(str(error))
        told = asked[key]
        same = told is not None and told.code_sha256 == one.code_sha256
        yield replace(one, job=told.job, profile_version=told.profile_version) if told is not None and same else one


def _code_of(seen: _Seen, signature: Signature, since: Callable[[str], bool]) -> frozenset[str]:
    """The bytes that carry the signature: of what was signed before the time that is revoked, they are not looked for."""
    own = [(one.job, one.profile_version, one.code_sha256) for one in seen.versions]
    return frozenset(code for job, profile, code in (*own, *seen.layers.values()) if code and signature.made(job, profile) and since(job))


def _region(seen: _Seen, signature: Signature, pace: Pace, since: Callable[[str], bool]) -> Region:
    found = [use for one in seen.versions for use in _uses(one, seen.layers, signature)]
    unlooked = list(seen.unlooked)
    aliases: dict[str, dict[str, list[str]]] = {}
    for function in dict.fromkeys(use.function for use in found):
        pace.turn()
        try:
            aliases[function] = _aliases(seen.aws, function)
        except ShipsafeError as error:
            unlooked.append(str(error))
    found = [replace(use, aliases=tuple(aliases.get(use.function, {}).get(use.version, ()))) for use in found]
    return Region(
        aws=seen.aws,
        versions=len(seen.versions),
        functions=len({one.name for one in seen.versions}),
        uses=tuple(use for use in found if not use.job or since(use.job)),
        spared=tuple(use for use in found if use.job and not since(use.job)),
        unlooked=tuple(unlooked),
    )


def _uses(one: Running, layers: Mapping[str, tuple[str, str, str]], signature: Signature) -> Iterator[Use]:
    made = signature.made(one.job, one.profile_version)
    if made or (not one.job and one.code_sha256 in signature.code):
        through = ITS_CODE if made else ITS_BYTES
        yield Use(function=one.function, name=one.name, version=one.version, through=through, job=one.job, code_sha256=one.code_sha256)
    for layer in one.layers:
        job, profile, code = layers[layer.arn]
        if signature.made(job, profile) or (not job and code in signature.code):
            yield Use(function=one.function, name=one.name, version=one.version, through=layer.arn, job=job, code_sha256=code)


def _aliases(aws: Aws, function: str) -> dict[str, list[str]]:
    """By version, the aliases that lead to it."""
    found: dict[str, list[str]] = {}
    for alias in list_aliases(aws, function):
        for version, weight in alias.weights.items():
            found.setdefault(version, []).append(f"{alias.name} ({weight:.0%})")
        others = sum(alias.weights.values())
        found.setdefault(alias.version, []).append(f"{alias.name} ({1 - others:.0%})" if others else alias.name)
    return found


def _named(unlooked: list[str]) -> Iterator[str]:
    """The first refusals in full, the rest by their number."""
    yield from unlooked[:_MOST_NAMED]
    if (left := len(unlooked) - _MOST_NAMED) > 0:
        yield f"And {left} more could not be looked at."


def signed_since(aws: Aws, effective: datetime | None) -> Callable[[str], bool]:
    """Whether a job (ARN) signed at or after a time. One that nobody can look at counts as one that did; without a time all did."""
    known: dict[str, bool] = {}

    def since(job: str) -> bool:
        if effective is None:
            return True
        if job not in known:
            try:
                told = describe_job(aws, SigningJob.parse(job).id)
            except ShipsafeError:
                told = None
            known[job] = told is None or told.completed is None or told.completed >= effective
        return known[job]

    return since
