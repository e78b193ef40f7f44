"""A signed function or layer, as whatever deploys it has to know it."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from shipsafe.errors import ConfigError
from shipsafe.model.signing import SignedArtifact, SignTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployable:
    """One signed object, and the function or layer that it is the code of.

    Attributes:
        subject: `function:ID` or `layer:ID`, as the release manifest has it. `name`: the artifact's.
        bucket, key, version: the signed object. The version is never empty (`S3Object` sees to that).
        code_sha256: base64, of the signed object, as Lambda reports it.
        job, profile_version: ARNs.
        target: the name of the target that it was signed for.
        code_signing_config: the ARN that the policy gives to functions, or None.
    """

    subject: str
    name: str
    bucket: str
    key: str
    version: str
    code_sha256: str
    region: str
    account: str
    job: str
    profile_version: str
    target: str
    code_signing_config: str | None = None

    @classmethod
    def of(cls, signed: SignedArtifact, subject: str, target: SignTarget) -> Self:
        """From what came of signing; `subject` stands beside the artifact in the manifest."""
        return cls(
            subject=subject,
            name=signed.artifact,
            bucket=signed.object.bucket,
            key=signed.object.key,
            version=signed.object.version,
            code_sha256=signed.code_sha256,
            region=signed.region,
            account=signed.account,
            job=signed.job,
            profile_version=signed.profile_version,
            target=signed.target,
            code_signing_config=target.code_signing_config,
        )

    @classmethod
    def awaited(cls, name: str, subject: str, target: SignTarget, *, region: str, account: str) -> Self:
        """What a signature will be, as far as it is known before anything is signed.

        With it, a rehearsal finds what cannot be rewritten. Its object does not exist: what names it is not to be written.
        """
        return cls(subject=subject, name=name, bucket=target.bucket, key="awaited", version="awaited", code_sha256="", region=region,
                   account=account, job="", profile_version="", target=target.name,
                   code_signing_config=target.code_signing_config)  # fmt: skip

    @property
    def code_hex(self) -> str:
        """Hex SHA-256 of the signed object.

        Raises:
            ConfigError: `code_sha256` is not base64.
        """
        try:
            return base64.b64decode(self.code_sha256, validate=True).hex()
        except binascii.Error as error:
            raise ConfigError(f"{self.code_sha256[:80]!r} is no digest in base64.", remedy=f"Sign {self.name} again.") from error


def of_one_place(deployables: Sequence[Deployable], region: str | None, where: str) -> dict[str, Deployable]:
    """Subject -> what was signed for one region; where that is None, all must have been signed for one target.

    Raises:
        ConfigError: there are none, or several targets could be meant; `where` says for what, in the message.
    """
    if not deployables:
        raise ConfigError(f"Nothing was signed that {where} could take.", remedy="Sign first.")
    fitting = [one for one in deployables if region in (None, one.region)]
    if not fitting:
        there = listed({one.region for one in deployables})
        raise ConfigError(f"What was signed lies in {there}, and {where} goes to {region}: Lambda takes code from its own region alone.",
                          remedy=f"Sign for a target in {region}, too.")  # fmt: skip
    targets = {one.target for one in fitting}
    if len(targets) > 1:
        raise ConfigError(f"This was signed for {listed(targets)}, and {where} can take what was signed for one target.",
                          remedy="Name one of them with --target.")  # fmt: skip
    return {one.subject: one for one in fitting}


def listed(names: Iterable[str]) -> str:
    """Names on one line, in order."""
    return ", ".join(sorted(names))
