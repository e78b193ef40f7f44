"""How well a function is kept from running code that nobody signed: its configuration, whom that allows, what runs, its layers.

    standing = enforcement_of(looks, wanted, "orders", now=now, mode=Enforcing.ENFORCE, known=known)
    standing.enforces                       # whether Lambda refuses what our publishers have not signed
    [wrong.sentence for wrong in standing.wrongs]

It reads only. What could not be looked at is one of the wrongs, and never taken for something that is in order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from shipsafe.adapters.aws.code_signing import ENFORCE, Configuration
from shipsafe.adapters.aws.functions import LATEST, FunctionName, Running
from shipsafe.adapters.aws.looks import Looks
from shipsafe.enforce.layers import LayerTrust, preflight
from shipsafe.enforce.wanted import REVOKED, Wanted
from shipsafe.errors import ConfigError, ExitCode, ShipsafeError
from shipsafe.model.enforcement import Enforcing
from shipsafe.model.signing import ProfileVersion

_SHOWN = 5  # names of strangers
_OUT = "Take it out of the code-signing configuration; `shipsafe enforce` does."


class What(StrEnum):
    """What may be wrong with a function."""

    NO_CONFIGURATION = "no-configuration"
    WARN = "warn"
    OTHER = "other-configuration"
    MISSING = "publisher-missing"
    FOREIGN = "foreign-publisher"
    REVOKED = "revoked-publisher"
    VERSIONLESS = "publisher-without-version"
    SHARED = "shared"
    UNSIGNED = "unsigned-code"
    LAYER = "layer"
    IMAGE = "image"
    ABSENT = "no-function"
    UNLOOKED = "unlooked"


_UNKNOWN = (What.ABSENT, What.UNLOOKED)
_OF_CONFIGURATION = frozenset(
    (What.NO_CONFIGURATION, What.WARN, What.OTHER, What.MISSING, What.FOREIGN, What.REVOKED, What.VERSIONLESS, What.SHARED, What.IMAGE)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Something that is wrong, as a whole sentence, and what to do. `what` is its name."""

    what: What
    sentence: str
    remedy: str = ""

    @property
    def code(self) -> ExitCode:
        """5, or 4 where nobody could look."""
        return ExitCode.INCOMPLETE if self.what in _UNKNOWN else ExitCode.INTEGRITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a function stands.

    Attributes:
        name: of the function.
        running: its `$LATEST`; None where there is none or it could not be looked at.
        configuration: that is attached, or None.
        wrongs: everything that is wrong, the gravest of the configuration first.
        layers: those of `$LATEST`, each with whether Enforce would let it in.
    """

    name: str
    running: Running | None = None
    configuration: Configuration | None = None
    wrongs: tuple[Wrong, ...] = ()
    layers: tuple[LayerTrust, ...] = ()

    @property
    def enforces(self) -> bool:
        """Whether Lambda refuses what is not signed by somebody whom the attached configuration allows."""
        return self.configuration is not None and self.configuration.policy == ENFORCE

    @property
    def image(self) -> bool:
        """Whether it runs a container image, which Lambda cannot code-sign."""
        return self.running is not None and self.running.package == "Image"

    @property
    def known(self) -> bool:
        """Whether all of it could be looked at."""
        return not any(one.what in _UNKNOWN for one in self.wrongs)

    @property
    def of_configuration(self) -> tuple[Wrong, ...]:
        """What is wrong with its configuration, or could not be looked at: what a deployment of signed code does not put right."""
        return tuple(one for one in self.wrongs if one.what in _OF_CONFIGURATION or one.what in _UNKNOWN)


def enforcement_of(
    looks: Looks,
    wanted: Wanted,
    name: str,
    *,
    now: datetime,
    mode: Enforcing,
    known: Callable[[str], bool],
) -> Standing:
    """Look at one function.

    Args:
        looks: at its account and Region.
        wanted: what the policy wants there.
        name: of the function, without version or alias.
        now: UTC.
        mode: what is wanted of it: under Warn neither a configuration that warns nor an image is wrong.
        known: whether a function of this account and Region, by its name, is one of ours.
    """
    try:
        running = looks.function(name, LATEST)
    except ShipsafeError as error:
        return Standing(name=name, wrongs=(_unlooked(error),))
    if running is None:
        sentence = f"There is no function {name} in account {looks.aws.account}, {looks.aws.region}."
        return Standing(
            name=name,
            wrongs=(
                Wrong(what=What.ABSENT, sentence=sentence, remedy="Check the name and the credentials, or name its place with --target."),
            ),
        )
    if running.package == "Image":
        return Standing(name=name, running=running, wrongs=tuple(_image(name, mode)))
    layers = preflight(looks, (layer.arn for layer in running.layers), wanted.publishers, now)
    of_layers = tuple(_layer(layer) for layer in layers if not layer.allowed)
    try:
        arn = looks.attached(name)
        configuration = looks.configuration(arn) if arn else None
    except ShipsafeError as error:
        return Standing(name=name, running=running, wrongs=(_unlooked(error), *of_layers), layers=layers)
    if configuration is None:
        sentence = f"Function {name} has no code-signing configuration: Lambda takes any code for it."
        none = Wrong(what=What.NO_CONFIGURATION, sentence=sentence, remedy="`shipsafe enforce` attaches one.")
        return Standing(name=name, running=running, wrongs=(none, *of_layers), layers=layers)
    wrongs = (
        *_configuration(looks, wanted, configuration, mode=mode, known=known),
        *_code(looks, wanted, running),
        *of_layers,
    )
    return Standing(name=name, running=running, configuration=configuration, wrongs=wrongs, layers=layers)


def _configuration(looks: Looks, wanted: Wanted, one: Configuration, *, mode: Enforcing, known: Callable[[str], bool]) -> Iterator[Wrong]:
    """What is wrong with a configuration, whoever it is attached to. The other words are those of `enforcement_of`."""
    called = one.arn.rpartition(":")[2]
    if one.policy != ENFORCE and mode is Enforcing.ENFORCE:
        sentence = f"{called} only warns ({one.policy or 'nothing'}): Lambda takes code that nobody signed."
        yield Wrong(what=What.WARN, sentence=sentence, remedy="`shipsafe enforce` says what holds Enforce back.")
    if wanted.named is not None and one.arn != wanted.named and mode is Enforcing.ENFORCE:
        sentence = f"{called} is attached, and the policy names {wanted.named.rpartition(':')[2]}."
        yield Wrong(what=What.OTHER, sentence=sentence, remedy="`shipsafe enforce` attaches that; find out who attached this one.")
    if missing := sorted({*wanted.publishers} - {*one.publishers}):
        sentence = f"{called} does not allow {', '.join(missing)}: Lambda would not take what it signs."
        yield Wrong(what=What.MISSING, sentence=sentence, remedy="`shipsafe enforce` allows it.")
    for arn in one.publishers:
        if arn not in wanted.publishers:
            yield _publisher(looks, arn, called)
    yield from _strangers(looks, one, called, known)


def strangers_under(looks: Looks, arn: str, known: Callable[[str], bool]) -> Iterator[str]:
    """Names of functions under a configuration that are none of ours.

    Raises:
        ShipsafeError: Lambda refused or gave no answer.
    """
    names = sorted(FunctionName.parse(function).name for function in looks.sharers(arn))
    return (name for name in names if not known(name))


def _publisher(looks: Looks, arn: str, called: str) -> Wrong:
    """A publisher that is not wanted, and why."""
    try:
        version = ProfileVersion.parse(arn)
    except ConfigError:
        sentence = f"{called} allows {arn}, which names no version of a signing profile."
        return Wrong(what=What.VERSIONLESS, sentence=sentence, remedy=_OUT)
    if (version.account, version.region) != (looks.aws.account, looks.aws.region):
        sentence = f"{called} allows {arn}, of account {version.account}, {version.region}: the policy does not trust it."
        return Wrong(what=What.FOREIGN, sentence=sentence, remedy=_OUT)
    try:
        profile = looks.profile(version.name, None)
    except ShipsafeError as error:
        sentence = f"{called} allows {arn}, which the policy does not trust, and whose state could not be looked at: {error.what}"
        return Wrong(what=What.FOREIGN, sentence=sentence, remedy=_OUT)
    if profile is not None and profile.arn == arn and profile.status == REVOKED:
        return Wrong(what=What.REVOKED, sentence=f"{called} allows {arn}, which was revoked.", remedy=_OUT)
    there = "the policy does not trust it" if profile is not None and profile.arn == arn else "there is no such profile version"
    return Wrong(what=What.FOREIGN, sentence=f"{called} allows {arn}: {there}.", remedy=_OUT)


def _strangers(looks: Looks, one: Configuration, called: str, known: Callable[[str], bool]) -> Iterator[Wrong]:
    try:
        strangers = list(islice(strangers_under(looks, one.arn, known), _SHOWN + 1))
    except ShipsafeError as error:
        yield _unlooked(error)
        return
    if strangers:
        shown = f"{', '.join(strangers[:_SHOWN])}{' and others' if len(strangers) > _SHOWN else ''}"
        sentence = f"{called} is shared with functions that the policy does not know: {shown}. A change for them lets something in here."
        remedy = "Give them a configuration of their own, or name them in an [[enforce.ring]]."
        yield Wrong(what=What.SHARED, sentence=sentence, remedy=remedy)


def _code(looks: Looks, wanted: Wanted, latest: Running) -> Iterator[Wrong]:
    """Code that runs although the configuration would not take it: it was there before, or Lambda only warned."""
    versions: dict[str, list[str]] = {LATEST: []}
    try:
        for alias in looks.aliases(latest.name):
            for version in (alias.version, *alias.weights):
                versions.setdefault(version, []).append(alias.name)
        found = {version: latest if version == LATEST else looks.function(latest.name, version) for version in versions}
    except ShipsafeError as error:
        yield _unlooked(error)
        found = {LATEST: latest}
    for version, running in found.items():
        through = f" (alias {', '.join(versions[version])})" if versions[version] else ""
        if running is None:
            sentence = f"Version {version} of function {latest.name}{through} could not be found."
            yield Wrong(what=What.UNLOOKED, sentence=sentence, remedy="Run this again.")
        elif running.profile_version not in wanted.publishers:
            by = f"was signed by {running.profile_version}" if running.profile_version else "nobody signed"
            sentence = f"{latest.name}:{version}{through} runs code that {by}, although a configuration is attached."
            yield Wrong(what=What.UNSIGNED, sentence=sentence, remedy="Deploy a signed release of it with `shipsafe deploy`.")


def _layer(layer: LayerTrust) -> Wrong:
    what = What.UNLOOKED if layer.code is ExitCode.INCOMPLETE else What.LAYER
    return Wrong(what=what, sentence=layer.sentence, remedy=layer.remedy)


def _image(name: str, mode: Enforcing) -> Iterator[Wrong]:
    if mode is Enforcing.ENFORCE:
        sentence = f"Function {name} runs a container image: Lambda cannot code-sign it, and takes any image for it."
        remedy = 'Package it as a zip, or put it into an [[enforce.ring]] with mode = "warn" and verify images in their registry.'
        yield Wrong(what=What.IMAGE, sentence=sentence, remedy=remedy)


def _unlooked(error: ShipsafeError) -> Wrong:
    return Wrong(what=What.UNLOOKED, sentence=error.what, remedy=error.remedy)
