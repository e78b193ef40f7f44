"""The layers of a function: each pinned to a version, readable, signed by a profile that the policy trusts, and one that is known.

A layer of the project's own is known by its digest: a signing record names the code. Another's is known by its ARN with the version, which
AWS never uses twice. Their order counts: what is attached later overwrites files of what came before.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest

from shipsafe.adapters.aws.functions import LayerVersion, Running, RunningLayer
from shipsafe.adapters.aws.looks import Looks
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.model.chain import Link
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.project import LayerRef
from shipsafe.verify import live_links
from shipsafe.verify.links import broken, held, unanswered
from shipsafe.verify.looks import not_looked
from shipsafe.verify.several import worst
from shipsafe.verify.signer_records import layer_revoked
from shipsafe.verify.trusted import REMEDY, Trusted

_REPLACE = "Find out who changed its layers; deploy the function again as it was built."
_UNSIGNED = "Sign it with a profile of your own, publish it again and attach that version."

Own = Callable[[LayerVersion], str | None]  # the subject (`layer:NAME`) whose signing record names this code, or None


def layers_link(
    looks: Looks, trusted: Trusted, running: Running, told: tuple[LayerRef, ...] | None, own: Own, now: datetime
) -> Link:  # fmt: skip
    """The link `layers` of a version of a function.

    Args:
        looks: at its account and Region.
        trusted: whose signatures the policy trusts.
        running: the version.
        told: the layers that it is to have, in their order, or None where nobody says.
        own: which layer of the project a code is.
        now: UTC, for the expiry of signatures.
    """
    names = tuple(layer.arn for layer in running.layers)
    found = [link for layer in running.layers if (link := _itself(looks, trusted, layer)) is not None]
    if told is not None:
        pinned = {here(ref.arn, looks.aws) for ref in told if ref.arn is not None} & {*names}
        found += [link for arn in sorted(pinned) if (link := _still_good(looks, trusted, arn, now)) is not None]
        pairs = zip_longest(told, running.layers)
        found += [link for ref, layer in pairs if (link := _compared(looks, ref, layer, own)) is not None]
    elif names:
        sentence = "Nobody says which layers the function is to have, so that they cannot be compared."
        found.append(unanswered(live_links.LAYERS, sentence, remedy="Bring along the provenance of its zip."))
    if not names:
        return worst(found, held(live_links.LAYERS, "It has no layer."))
    many = "The layer it has is" if len(names) == 1 else f"All {len(names)} layers are"
    return worst(found, held(live_links.LAYERS, f"{many} pinned, signed and known."))


def _itself(looks: Looks, trusted: Trusted, attached: RunningLayer) -> Link | None:
    """What is wrong with a layer whoever it belongs to; None where nothing is."""
    arn = attached.arn
    if layer_arn(arn, text=arn, location=None).version is None:
        sentence = f"Layer {arn} is not pinned to a version: it may be another tomorrow."
        return broken(live_links.LAYERS, sentence, expected="an ARN that ends in a version", found=arn, remedy=_REPLACE)
    try:
        layer = looks.layer(arn)
    except ShipsafeError as error:
        return not_looked(live_links.LAYERS, error)
    if layer is None:
        sentence = f"Layer {arn} was deleted: the function runs on with it, and nobody can look at it any more."
        return broken(live_links.LAYERS, sentence, expected=arn, found="none", remedy=_REPLACE)
    if not (attached.profile_version and layer.profile_version and layer.job):
        sentence = f"Layer {arn} has no signature that holds."
        return broken(live_links.LAYERS, sentence, expected="a trusted profile version", found="none", remedy=_UNSIGNED)
    if (attached.profile_version, attached.job) != (layer.profile_version, layer.job):
        sentence = f"Layer {arn} has another signature than the one that was attached."
        return broken(live_links.LAYERS, sentence, expected=attached.job, found=layer.job, remedy=_REPLACE)
    if why := trusted.why_not(layer.profile_version):
        sentence = f"Layer {arn} is signed by a profile that the policy does not trust: {why}."
        return broken(live_links.LAYERS, sentence, expected="a trusted profile version", found=layer.profile_version, remedy=REMEDY)
    return None


def _still_good(looks: Looks, trusted: Trusted, arn: str, now: datetime) -> Link | None:
    """What is wrong by now with the signature of a layer that is known by its ARN; a layer of the project has a chain that says so."""
    try:
        layer = looks.layer(arn)
        if layer is None or not layer.job or trusted.why_not(layer.profile_version):
            return None  # said once, of the layer itself
        wrong = layer_revoked(looks, trusted, layer.profile_version, layer.job, now)
    except ConfigError as error:  # Lambda names no job
        wrong = broken(live_links.LAYERS, error.what, found=arn, remedy=_REPLACE)
    except ShipsafeError:
        return None  # likewise
    return None if wrong is None else replace(wrong, id=live_links.LAYERS, sentence=f"Layer {arn}: {wrong.sentence}")


def _compared(looks: Looks, ref: LayerRef | None, attached: RunningLayer | None, own: Own) -> Link | None:
    """What is wrong with the layer at one place of the list; None where it is the one that is to be there."""
    expected = "none" if ref is None else (ref.arn or (f"layer:{ref.local}" if ref.local else ref.text))
    if ref is None or attached is None:
        sentence = "The function has a layer that it was not built with." if ref is None else "A layer of the function was taken off."
        return broken(live_links.LAYERS, sentence, expected=expected, found=attached.arn if attached else "none", remedy=_REPLACE)
    if ref.arn is not None:
        expected = here(ref.arn, looks.aws)
        if attached.arn == expected:
            return None
        sentence = "The function has another layer than the one that it was built with."
        return broken(live_links.LAYERS, sentence, expected=expected, found=attached.arn, remedy=_REPLACE)
    try:
        layer = looks.layer(attached.arn)
    except ShipsafeError:
        return None  # said once, of the layer itself
    known = own(layer) if layer is not None else None
    if layer is None or (known is not None and known == f"layer:{ref.local}"):
        return None
    if ref.local is not None:
        sentence = f"Layer {attached.arn} does not hold what was signed as layer {ref.local}: it was published by somebody else, or anew."
        return broken(live_links.LAYERS, sentence, expected=expected, found=known or f"CodeSha256 {layer.code_sha256}", remedy=_REPLACE)
    if known is not None:
        return None
    sentence = f"Nobody said which layer {ref.text} is to be, and no signing record names the code of {attached.arn}."
    return unanswered(live_links.LAYERS, sentence, remedy="Give the template's parameter a value, then build and sign again.")


def here(arn: str, aws: Aws) -> str:
    """An ARN with the pseudo parameters of CloudFormation filled in."""
    for name, value in (("AccountId", aws.account), ("Region", aws.region), ("Partition", aws.partition)):
        arn = arn.replace(f"${{AWS::{name}}}", value)
    return arn
