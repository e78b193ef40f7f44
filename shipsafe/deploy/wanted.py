"""What is to go live at one place: each function of a release, called as policy or template say, and the object that was signed for there.

wanted(release, policy.deploy, target="prod")      # layers first, then the functions that use them
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from shipsafe.errors import ConfigError, IncompleteError, NothingError
from shipsafe.model.deployment import DeployPolicy, FunctionDeploy
from shipsafe.model.preference import ALIAS_NAME, filled
from shipsafe.model.signing import SignedArtifact
from shipsafe.packing.publish import MANIFEST
from shipsafe.packing.release import Release, ReleasedArtifact
from shipsafe.packing.signatures import signatures_of

_FUNCTION, _LAYER = "function:", "layer:"
_LAYER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)  # Lambda PublishLayerVersion takes 140; the version and "layer:" are beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One function, or one layer of the project, as it is to be at one place.

    Attributes:
        artifact: as the release names it. signed: what was signed of it for here.
        how: what policy and template say of its going live; `how.name` is None where nobody says what it is called.
        local: names of the project's own layers that it uses.
    """

    artifact: ReleasedArtifact
    signed: SignedArtifact
    how: FunctionDeploy
    local: tuple[str, ...] = ()

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer."""
        return self.artifact.subject.startswith(_LAYER)

    @property
    def name(self) -> str:
        """What it is called in the account; the artifact's own name where nobody says (`named`)."""
        return self.how.name or self.artifact.name

    @property
    def named(self) -> bool:
        """Whether somebody said what it is called; else there has to be a function of that very name."""
        return self.how.name is not None

    @property
    def alias(self) -> str:
        """The alias that its callers use, "" where they call `$LATEST`."""
        return self.how.alias or ""

    @property
    def description(self) -> str:
        """Of a version that we publish: which release it is (256 characters are allowed)."""
        return f"shipsafe {self.artifact.sha256}"


def wanted(release: Release, policy: DeployPolicy, target: str, *, only: Collection[str] = ()) -> tuple[Wanted, ...]:
    """Everything that is to be at a target, layers before the functions that use them.

    Args:
        release: with signatures.
        policy: says how functions go live.
        target: whose signatures are meant.
        only: names of functions, and the layers that they use; empty for all.

    Raises:
        ConfigError: the release has no function of a name in `only`, two are to be one function, or a name cannot be one.
        NothingError: the release has no function.
        IncompleteError: something was not signed for the target, or a layer of the project that is used is not in the release.
        IntegrityError: the manifest says of a signature what `sign` never writes.
    """
    functions = [one for one in release.artifacts if one.subject.startswith(_FUNCTION)]
    if not functions:
        raise NothingError("The release holds no function.", remedy="Name the folder of another.", path=str(release.out))
    if missing := [name for name in only if name not in {one.name for one in functions}]:
        there = ", ".join(one.name for one in functions)
        raise ConfigError(f"The release has no function {missing[0][:80]!r}.", remedy=f"There are: {there}.", path=str(release.out))
    chosen = [one for one in functions if not only or one.name in only]
    used = {ref.local for one in chosen for ref in one.told.layers if ref.local}
    layers = [one for one in release.artifacts if one.subject.startswith(_LAYER) and one.subject.removeprefix(_LAYER) in used]
    if missing := sorted(used - {one.subject.removeprefix(_LAYER) for one in layers}):
        what = f"The release does not hold layer {missing[0][:200]!r}, which a function of it uses."
        raise IncompleteError(what, remedy="Build and sign the layer with it.", path=str(release.out / MANIFEST))
    signatures = signatures_of(release)
    made = tuple(_one(release, one, signatures[one.name].get(target), policy, target) for one in (*layers, *chosen))
    _check_names(made)
    return made


def called(release: Release, policy: DeployPolicy) -> dict[str, str]:
    """What every function of a release is called in the account, signed for it or not, and its subject."""
    functions = [one for one in release.artifacts if one.subject.startswith(_FUNCTION)]
    return {_how(one, policy).name or one.name: one.subject for one in functions}


def _how(artifact: ReleasedArtifact, policy: DeployPolicy) -> FunctionDeploy:
    told = artifact.told
    return filled(policy.of(artifact.name), function_name=told.function_name, alias=told.alias, preference=told.preference)


def _one(release: Release, artifact: ReleasedArtifact, signed: SignedArtifact | None, policy: DeployPolicy, target: str) -> Wanted:
    if signed is None:
        remedy = f"Run `shipsafe sign {release.out} --target {target}`."
        raise IncompleteError(f"{artifact.subject} was not signed for target {target}.", remedy=remedy, path=str(release.out / MANIFEST))
    local = tuple(ref.local for ref in artifact.told.layers if ref.local)
    return Wanted(artifact=artifact, signed=signed, how=_how(artifact, policy), local=local)


def _check_names(found: tuple[Wanted, ...]) -> None:
    """What goes to Lambda as a name, and to the screen."""
    called: dict[tuple[bool, str], Wanted] = {}
    for one in found:
        if not _LAYER_NAME.fullmatch(one.name):
            what = f"{one.artifact.subject} cannot be called {one.name[:80]!r} in Lambda."
            raise ConfigError(what, remedy=f'Give it a name: [[deploy.function]] function = "{one.artifact.name}", name = "...".')
        if one.alias and not ALIAS_NAME.fullmatch(one.alias):
            what = f"{one.artifact.subject} cannot have an alias {one.alias[:80]!r}."
            raise ConfigError(what, remedy="An alias has letters, digits, hyphens and underscores, and is no number.")
        other = called.setdefault((one.is_layer, one.name), one)
        if other is not one:
            what = f"{other.artifact.subject} and {one.artifact.subject} are both to be {one.name!r}: one cannot run as the other."
            raise ConfigError(what, remedy="Give each a `name` of its own in a [[deploy.function]].")
