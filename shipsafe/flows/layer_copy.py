"""Somebody's layer version, brought here byte for byte: looked at, downloaded, and held against the digest that Lambda names.

The copy keeps the digest of the original, so that whoever has the ARN can see that the zip which was asked, signed and published is that
very one. Of one that a stranger has signed, that signature is taken off: AWS Signer signs no zip twice.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shipsafe.adapters.aws.layers import LayerContent, read_layer
from shipsafe.adapters.aws.session import Aws
from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.adapters.http import download
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.model.layer_arn import layer_arn
from shipsafe.model.project import LayerRef
from shipsafe.model.signing import SignPolicy
from shipsafe.signing.layout import LARGEST_ZIP
from shipsafe.signing.unsign import is_signed, without_signature
from shipsafe.verify.trusted import Trusted

_CHANGED = "Download nothing of it by hand: find out what answers in AWS's place, then run this again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The layer version that is copied: its ARN, the name and number in it, and whose it is."""

    arn: str
    name: str
    number: int
    account: str
    region: str
    partition: str

    @classmethod
    def parse(cls, text: str) -> "Original":
        """Read the ARN of a layer version.

        Raises:
            ConfigError: it is another ARN, or one without a version.
        """
        ref: LayerRef = layer_arn(text, text=text, location=None)
        shown = text[:200]
        if ref.arn is None or "${" in text:
            raise ConfigError(
                f"{shown!r} is not the ARN of a layer version.", remedy="It reads arn:aws:lambda:REGION:ACCOUNT:layer:NAME:7."
            )
        if ref.account is None or ref.region is None:
            what = f"{shown} names no version, account or region: which code it is, nobody can say."
            raise ConfigError(what, remedy="Name the layer version by its full ARN.")
        if ref.version is None:
            raise ConfigError(
                f"{shown} names no version, and each is other code.", remedy="Write the version at its end: `:7`, for example."
            )
        return cls(arn=text, name=text.split(":")[6], number=ref.version, account=ref.account, region=ref.region,
                   partition=text.split(":")[1])  # fmt: skip


def look_at(aws: Aws, original: Original, policy: SignPolicy) -> LayerContent:
    """What Lambda says of it.

    Raises:
        ConfigError: it is of another partition, or signed by somebody whom the policy trusts.
        IncompleteError: there is none (any more), or it may not be looked at.
    """
    if original.partition != aws.partition:
        what = f"{original.arn} is in partition {original.partition}, and these credentials are of {aws.partition}."
        raise ConfigError(what, remedy="Use credentials of that partition.")
    layer = read_layer(aws.elsewhere(original.region), original.arn)
    if layer is None:
        what = f"There is no {original.arn}, or it is not there any more: functions that have it go on running."
        raise IncompleteError(what, remedy="Ask its publisher for a version that is there.")
    trusted = Trusted(policy=policy, account=aws.account, region=original.region)
    if layer.profile_version and not trusted.why_not(layer.profile_version):
        raise ConfigError(
            f"{original.arn} is signed by {layer.profile_version}, which the policy trusts: there is no need for a copy.",
            remedy="`shipsafe enforce` lets that publisher in.",
        )
    if not 0 < layer.size <= LARGEST_ZIP:
        what = f"{original.arn} is said to have {layer.size} bytes, and AWS Signer takes up to {LARGEST_ZIP}."
        raise IncompleteError(what, remedy="Ask its publisher for a smaller one.")
    return layer


def bring(layer: LayerContent, file: Path, *, local: bool, say: Callable[[str], None]) -> None:
    """Have its zip at that path: downloaded, unless the very bytes lie there.

    Args:
        layer: as Lambda describes it, a moment ago: its URL is good for ten minutes.
        file: where the zip goes; its folder is made.
        local: AWS is the endpoint on this machine, and may have the zip here.
        say: told what is done.

    Raises:
        IntegrityError: other bytes came than Lambda names, or they are to come from this machine.
        IncompleteError: it cannot be had, or the disk refuses.
    """
    with disk_errors(file):
        if file.is_file() and not file.is_symlink() and _code_sha256(file) == layer.code_sha256:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
    parts = urlsplit(layer.url)
    if not local and parts.scheme != "https":
        raise IntegrityError(f"The zip of {layer.arn} is offered at a place that is not AWS's.", remedy=_CHANGED)
    say(f"downloading {layer.arn}: {layer.size / MEBIBYTE:.1f} MiB")
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")  # another run may be bringing the same one
    with disk_errors(part):
        try:
            with part.open("xb") as sink:
                download(layer.url, sink, limit=layer.size)
            if (found := _code_sha256(part)) != layer.code_sha256:
                what = f"What came as {layer.arn} is not what Lambda names: CodeSha256 {found} instead of {layer.code_sha256}."
                raise IntegrityError(what, remedy=_CHANGED)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def to_sign(layer: LayerContent, file: Path, folder: Path) -> tuple[Path, str]:
    """The zip that Signer takes, and its CodeSha256: the one that came, or one without the signature of whoever the policy does not trust.

    Args:
        layer: as Lambda describes it.
        file: its zip.
        folder: where one without the signature goes.

    Raises:
        IntegrityError: Lambda and the zip do not agree on whether it is signed; or it is no zip that all readers read alike.
        IncompleteError: the signature cannot be taken off, or the disk refuses.
    """
    if is_signed(file) != bool(layer.profile_version):
        what = f"The zip of {layer.arn} holds {'a signature that Lambda does not count' if not layer.profile_version else 'no signature'}."
        raise IntegrityError(what, remedy="It was changed after it was signed, or its signature was revoked: use another version.")
    if not layer.profile_version:
        return file, layer.code_sha256
    plain = folder / file.name
    without_signature(file, plain)
    with disk_errors(plain):
        return plain, _code_sha256(plain)


def _code_sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return base64.b64encode(hashlib.file_digest(opened, "sha256").digest()).decode()
