"""`shipsafe inspect FILE.zip`: what a signed zip says about itself."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.cli import options
from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError
from shipsafe.flows.inspect import Inspected
from shipsafe.flows.inspect import inspect as look_at
from shipsafe.policy import load
from shipsafe.reports.strict_json import dump
from shipsafe.signing.chain import Certificate
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.roots import local_root
from shipsafe.signing.signature import Signature

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_VOUCHED = {
    "aws": "pinned as AWS Signer's",
    "policy": "set by the policy",
    "local": "of the local endpoint, not AWS",
    None: "nobody vouches for it",
}


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip.")],
    *,
    output: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json.")] = "text",
    policy: options.PolicyFile = None,
    local: options.Local = False,
) -> int:
    """Print what a signed zip says about itself, and check it: contents, signature, certificates, root and expiry. Offline.

    Exit 0 only if all of it holds, 5 if anything does not: also for a zip without a signature. Who may sign is not asked here.
    """
    if output not in ("text", "json"):
        raise ConfigError(f"There is no format {output!r}.", remedy="Choose text or json.")
    now = datetime.now(UTC)
    loaded = load(Path.cwd(), explicit=policy, offline=True, cache=cache_dir(), fetch=fetch, today=now.date())
    honoured = local_root(os.environ, local=local)
    found = look_at(file, policy_roots=loaded.sign.roots, local_root=honoured, now=now)
    if output == "json":
        sys.stdout.write(dump(_document(found)))
    else:
        Screen(local=found.trust == "local").say("\n".join(_lines(found, now)))
    return found.exit_code


def _lines(found: Inspected, now: datetime) -> Iterator[str]:
    number = len(found.zipped.entries) if found.zipped else 0
    entries = f", {number} {'entry' if number == 1 else 'entries'}" if found.zipped else ""
    yield f"{found.file}: {found.size} bytes{entries}"
    yield _line("SHA-256", found.sha256)
    yield _line("CodeSha256", found.code_sha256)
    if found.zipped and found.zipped.signature:
        yield from _signature_lines(found, found.zipped.signature, now)
    for note in found.notes:
        yield _line("note", note)
    yield "The signature holds." if not found.problems else ""
    yield from found.problems


def _signature_lines(found: Inspected, signature: Signature, now: datetime) -> Iterator[str]:
    days = (signature.expires - now).days
    yield _line("platform", PLATFORM)
    yield _line("job", signature.job.arn)
    yield _line("profile version", signature.profile_version.arn)
    yield _line("signed at", _moment(signature.signed_at))
    yield _line("expires", f"{_moment(signature.expires)} ({f'in {days} days' if signature.expires > now else 'expired'})")
    digest = signature.message_digest.hex()
    yield _line("contents", f"{'as signed' if found.zipped and found.zipped.intact else 'NOT as signed'}, SHA-384 {digest}")
    for number, certificate in enumerate(signature.certificates):
        yield _line("certificates" if number == 0 else "", certificate.subject)
        yield _line("", f"  SHA-256 {certificate.sha256}")
        yield _line("", f"  valid {_moment(certificate.not_before)} to {_moment(certificate.not_after)}")
    yield _line("root", f"{_VOUCHED[found.trust]}: {signature.root}")


def _line(name: str, value: str) -> str:
    return f"  {name:<15}  {value}"


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _document(found: Inspected) -> dict[str, Any]:
    """The JSON form; docs/guides/signatures.md says what each key means."""
    zipped = found.zipped
    return {
        "schema_version": 1,
        "file": found.file,
        "size": found.size,
        "sha256": found.sha256,
        "code_sha256": found.code_sha256,
        "entries": len(zipped.entries) if zipped else None,
        "content_digest": zipped.digest.hex() if zipped else None,
        "intact": bool(zipped and zipped.intact),
        "signature": _signature(zipped.signature, found.trust) if zipped and zipped.signature else None,
        "local": found.trust == "local",
        "problems": list(found.problems),
        "notes": list(found.notes),
        "exit_code": int(found.exit_code),
    }


def _signature(signature: Signature, vouched: str | None) -> dict[str, Any]:
    return {
        "platform": PLATFORM,
        "job": signature.job.arn,
        "profile_version": signature.profile_version.arn,
        "signed_at": signature.signed_at.isoformat(),
        "expires": signature.expires.isoformat(),
        "message_digest": signature.message_digest.hex(),
        "root": {"sha256": signature.root, "trust": vouched},
        "certificates": [_certificate(one) for one in signature.certificates],
    }


def _certificate(one: Certificate) -> dict[str, str]:
    return {
        "subject": one.subject,
        "issuer": one.issuer,
        "sha256": one.sha256,
        "not_before": one.not_before.isoformat(),
        "not_after": one.not_after.isoformat(),
    }
