"""One version of a function: what runs, what keeps other code out, its layers and its settings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shipsafe.adapters.aws.functions import LayerVersion, Running
from shipsafe.errors import ShipsafeError
from shipsafe.model.chain import Chain, Link
from shipsafe.model.layer_arn import layer_arn
from shipsafe.packing.manifest import Told
from shipsafe.verify import live_links
from shipsafe.verify.deployed import deployed_notes
from shipsafe.verify.enforcement import enforcement_links, wanted_configuration
from shipsafe.verify.layers import layers_link
from shipsafe.verify.links import held, of_error, unanswered
from shipsafe.verify.looks import not_looked
from shipsafe.verify.settings import settings_link
from shipsafe.verify.signed_code import Signed, Site, is_recorded, signed_code
from shipsafe.verify.signer_records import Code
from shipsafe.verify.told import told_of

_IMAGE = "Image"
_CHANGING = "InProgress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a function, verified; `running` is None where there is none or it could not be looked at.

    `layers` are the chains of its own project's layers; `artifact` is what its code was signed as (`function:NAME`), or "".
    """

    chain: Chain
    running: Running | None = None
    artifact: str = ""
    layers: tuple[Chain, ...] = ()


def verify_version(site: Site, name: str, qualifier: str, subject: str) -> Version:
    """Walk the chain of one version: `$LATEST` or a number."""
    try:
        running = site.looks.function(name, qualifier)
    except ShipsafeError as error:
        return _alone(subject, not_looked(live_links.CODE, error))
    if running is None:
        sentence = f"There is no function {name}:{qualifier} in {site.place}, so that nothing could be looked at."
        return _alone(subject, unanswered(live_links.CODE, sentence, remedy="Check the name, the Region and the credentials."))
    if running.package == _IMAGE:
        sentence = f"{_called(running)} runs a container image: Lambda cannot code-sign it, and no chain covers what it runs."
        return _alone(subject, unanswered(live_links.CODE, sentence, remedy="Verify images with the tools of their registry."), running)
    signed = signed_code(site, _code(running), artifact=site.names.get(name))
    told = _told(signed)
    layers = _Layers(site)
    link = layers_link(site.looks, site.trusted, running, told.layers if isinstance(told, Told) else None, layers.own, site.now)
    state = _state(running)
    more = (
        replace(state, notes=(*state.notes, *deployed_notes(signed.proof, running))),
        *enforcement_links(
            site.looks,
            site.trusted,
            name,
            wanted=wanted_configuration(site.trusted, signed.record.target if signed.record else ""),
            signed_by=signed.record.profile_version if signed.record else "",
            known=known_at(site),
            policy=site.shelf.request.policy.enforce,
        ),
        link,
        settings_link(running, told) if isinstance(told, Told) else told,
    )
    return Version(chain=signed.chain(subject, running.arn, more), running=running, artifact=signed.subject, layers=layers.chains)


def _alone(subject: str, link: Link, running: Running | None = None) -> Version:
    return Version(chain=Chain(subject=subject, links=(link,)), running=running)


def _code(running: Running) -> Code:
    return Code(what=_called(running), code_sha256=running.code_sha256, profile_version=running.profile_version, job=running.job,
                function=running.name)  # fmt: skip


def _called(running: Running) -> str:
    return f"{running.name}:{running.version}"


def _told(signed: Signed) -> Told | Link:
    """What it is to run on, or why nobody knows."""
    if signed.proof is None or signed.proof.provenance is None:
        sentence = "No provenance says what the function is to run on, so that its settings cannot be compared."
        return unanswered(live_links.SETTINGS, sentence, remedy="Bring along the bundle that the build wrote.")
    try:
        return told_of(signed.proof.provenance.statement)
    except ShipsafeError as error:
        return of_error(live_links.SETTINGS, error)


def _state(running: Running) -> Link:
    """Whether what was looked at is settled, or may be another in a moment."""
    if running.update == _CHANGING or running.state == "Pending":
        sentence = f"{_called(running)} is being updated: what Lambda tells of it may not be what runs."
        return unanswered(live_links.STATE, sentence, remedy="Wait until the update has ended, then run this again.")
    if "Failed" in (running.update, running.state):
        sentence = f"The last change of {_called(running)} failed: what Lambda tells of it may not be what runs."
        return unanswered(live_links.STATE, sentence, remedy="Deploy it again.")
    notes = [f"The code stays in {running.kept_in}, and is gone when that object is."] if running.kept_in else []
    if not running.version.isdigit():
        notes.append("This is $LATEST, which changes with every update; a published version does not.")
    return held(live_links.STATE, f"{_called(running)} is {running.state or 'there'}, and no update is under way.", notes=notes)


def known_at(site: Site) -> Callable[[str], bool]:
    """Whether a function of the account and Region is known: asked for, in the release or the policy, or running what was signed."""
    policy, looks = site.shelf.request.policy, site.looks
    released = {one.name for one in site.shelf.release.artifacts} if site.shelf.release else set()
    released |= {str(rule.changes["name"]) for rule in policy.deploy.rules if "name" in rule.changes}

    def known(name: str) -> bool:
        if name in site.asked or name in site.names or name in released:
            return True
        running = looks.function(name, "$LATEST")
        if running is not None and running.package != _IMAGE and is_recorded(site, _code(running)):
            return True
        return policy.enforce.ring_for(name, looks.aws.account, lambda: looks.tags(name)) is not None

    return known


class _Layers:
    """The layers of the project itself that a function has, and their chains."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._found: dict[str, Signed] = {}

    @property
    def chains(self) -> tuple[Chain, ...]:
        """Of each layer that a signing record names."""
        return tuple(signed.chain(f"layer:{arn}", arn) for arn, signed in self._found.items())

    def own(self, layer: LayerVersion) -> str | None:
        """The subject of the layer that this code was signed as; None where no signing record that counts names it."""
        if not layer.job:
            return None
        name = layer_arn(layer.arn, text=layer.arn, location=None)
        code = Code(what=f"Layer {layer.arn.rpartition(':layer:')[2]}", code_sha256=layer.code_sha256,
                    profile_version=layer.profile_version, job=layer.job, verb="holds", link=live_links.LAYER_SIGNATURE)  # fmt: skip
        signed = signed_code(self._site, code)
        if signed.record is None or name.version is None:
            return None
        self._found[layer.arn] = signed
        return signed.subject or f"layer:{signed.record.artifact}"
