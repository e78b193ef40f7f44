"""A signed layer as a version that functions can attach: the one that is there, or a new one; never two of the same bytes.

    layer = published(aws, signed, name="tools", runtimes=("python3.13",), sleep=time.sleep)

PublishLayerVersion knows no token and no revision: a call that is made again after its answer was lost makes a second version. So every
version says in its description which signed zip it is, and those that say so are looked at first, and again after every lost answer.
"""

from collections.abc import Callable, Sequence

from shipsafe.adapters.aws.layers import LayerContent, NewLayer, list_layer_versions, publish_layer, read_layer
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.signing import SignedArtifact

_MARK = "shipsafe sha256:"
_PAUSES = (1.0, 2.0, 4.0)  # seconds before another look; a version may be listed a moment after it was published
_TOO_MANY, _FAILED = 429, 500  # HTTP


def found_layer(aws: Aws, signed: SignedArtifact, name: str) -> LayerContent | None:
    """The version of a layer of ours that is this signed zip, the oldest if there are several; None where there is none.

    There are several where two runs have published it at once: all who look name the same one, and no function goes from one to the other.

    Raises:
        IncompleteError: Lambda refused or gave no answer.
    """
    mark = f"{_MARK}{signed.sha256}"
    for one in sorted(list_layer_versions(aws, name), key=lambda one: one.number):
        if one.description.startswith(mark):
            layer = read_layer(aws, one.arn)
            if layer is not None and layer.code_sha256 == signed.code_sha256:  # anybody who may publish may describe
                return layer
    return None


def published(
    aws: Aws, signed: SignedArtifact, *, name: str, sleep: Callable[[float], None], runtimes: Sequence[str] = (),
    architectures: Sequence[str] = (), licence: str = "", about: str = "",
) -> LayerContent:  # fmt: skip
    """The version that is this signed zip, published if it is not there yet.

    Args:
        aws: the account and Region where the zip was signed.
        signed: as it was read back.
        name: of the layer.
        sleep: waits so many seconds.
        runtimes: that the layer is compatible with, at most 15; empty for none said.
        architectures: likewise, at most 2.
        licence: its licence, "" for none said.
        about: what else its description says.

    Raises:
        IntegrityError: Lambda has other bytes than were signed, or does not see the signature on them.
        IncompleteError: Lambda refused, or gave no answer three times.
    """
    new = NewLayer(
        name=name,
        object=signed.object,
        description="; ".join(part for part in (f"{_MARK}{signed.sha256}", about) if part),
        runtimes=tuple(runtimes),
        architectures=tuple(architectures),
        licence=licence,
    )
    for pause in (*_PAUSES, None):
        layer = found_layer(aws, signed, name)
        if layer is not None:
            return _ours(layer, signed)
        try:
            made = _ours(publish_layer(aws, new), signed)
            return found_layer(aws, signed, name) or made
        except IncompleteError as error:
            if pause is None or not _may_help(error):
                raise
            sleep(pause)
    raise AssertionError  # the last round returned or raised


def _may_help(error: IncompleteError) -> bool:
    """Whether another try may: AWS failed, was too busy, or its answer was lost."""
    return not isinstance(error, AwsRefusal) or error.status in (0, _TOO_MANY) or error.status >= _FAILED


def _ours(layer: LayerContent, signed: SignedArtifact) -> LayerContent:
    """Hold a version against what was signed."""
    if layer.code_sha256 != signed.code_sha256:
        what = f"{layer.arn} holds other bytes than were signed: CodeSha256 {layer.code_sha256} instead of {signed.code_sha256}."
        raise IntegrityError(what, remedy="Attach it to nothing, and find out what answers in Lambda's place.")
    if (layer.profile_version, layer.job) != (signed.profile_version, signed.job):
        what = f"Lambda names another signature of {layer.arn}, or none: {layer.job or 'none'} instead of {signed.job}."
        raise IntegrityError(what, remedy="Attach it to nothing: ask whether the signature was revoked (`shipsafe verify`).")
    return layer
