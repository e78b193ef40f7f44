"""What was signed, and small templates to write it into."""

import difflib
from collections.abc import Mapping

from shipsafe.signing.rewrite.deployable import Deployable
from shipsafe.signing.rewrite.edits import Edits
from shipsafe.signing.rewrite.template import sign_resources

REGION = "eu-west-1"
CONFIG = f"arn:aws:lambda:{REGION}:111122223333:code-signing-config:csc-0123456789abcdef0"
DIGEST = "RlduTXCDKfKwMTStpdbXODaJLEzVnPMVIHOwyAyMQBQ="
HEX = "46576e4d708329f2b03134ada5d6d73836892c4cd59cf3152073b0c80c8c4014"


def deployable(
    subject: str = "function:F",
    *,
    region: str = REGION,
    target: str = "prod",
    config: str | None = None,
    key: str | None = None,
    version: str = "v1",
    bucket: str = "signed",
) -> Deployable:
    """A signed object; its key says whose it is."""
    name = subject.partition(":")[2]
    return Deployable(
        subject=subject,
        name=name,
        bucket=bucket,
        key=key or f"shipsafe/{name}.zip",
        version=version,
        code_sha256=DIGEST,
        region=region,
        account="111122223333",
        job=f"arn:aws:signer:{region}:111122223333:/signing-jobs/00000000-0000-0000-0000-000000000000",
        profile_version=f"arn:aws:signer:{region}:111122223333:/signing-profiles/orders/0123456789",
        target=target,
        code_signing_config=config,
    )


def turned(text: str, *ids: str, config: str | None = None, json_only: bool = False) -> str:
    """The template with those resources (`F` where none is named) turned to what was signed."""
    return turned_with_remarks(text, *ids, config=config, json_only=json_only)[0]


def turned_with_remarks(text: str, *ids: str, config: str | None = None, json_only: bool = False) -> tuple[str, list[str]]:
    """The same, and what is said of it."""
    signed: Mapping[str, Deployable] = {one: deployable(f"function:{one}", config=config) for one in ids or ("F",)}
    edits = Edits(text, name="template.yaml", json_only=json_only)
    remarks = sign_resources(edits, "template.yaml", signed)
    return edits.result(), remarks


def changes(before: str, after: str) -> str:
    """The lines that went and came, without their surroundings."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
