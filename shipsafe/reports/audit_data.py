"""An audit for other programs: JSON of a published shape (`data/audit.schema.json`), and CSV with a row for each release.

Columns of the CSV hold one value each; several (builders, targets, waivers) are separated by ` | `, in the order of the JSON.
"""

import csv
import io
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from shipsafe.model.audit import Audit, AuditedRelease, Standing
from shipsafe.model.signing import SignedArtifact
from shipsafe.reports import audit as words
from shipsafe.reports.csv_report import cell
from shipsafe.reports.strict_json import dump

SCHEMA_VERSION = "1.0"
_TREE = {True: "dirty", False: "clean", None: "unknown"}


def schema() -> str:
    """The JSON schema of `as_json`."""
    return files("shipsafe.reports").joinpath("data/audit.schema.json").read_text(encoding="utf-8")


def as_json(audit: Audit) -> str:
    """All of it."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "store": audit.store,
            "local": audit.local,
            "policy": {"path": audit.policy, "digest": audit.policy_digest},
            "since": audit.since.isoformat() if audit.since else None,
            "until": audit.until.isoformat() if audit.until else None,
            "left_out": audit.left_out,
            "notes": audit.notes,
            "releases": [_release(one) for one in audit.releases],
            "exit_code": int(audit.exit_code),
        }
    )


def _release(release: AuditedRelease) -> dict[str, Any]:
    return {
        "sha256": release.sha256,
        "name": release.name,
        "standing": release.standing,
        "built": [asdict(one) for one in release.built],
        "decided": [asdict(one) for one in release.decided],
        "signed": [_signed(one) for one in release.signed],
        "overridden": [{**one.told, "over": one.over, "vouched_by": one.vouched_by} for one in release.overridden],
        "deployed": [asdict(one) for one in release.deployed],
        "statements": [asdict(one) for one in release.statements],
    }


def _signed(one: SignedArtifact) -> dict[str, Any]:
    names = ("artifact", "target", "account", "region", "profile_version", "job", "sha256", "code_sha256", "size", "root", "trust")
    return {
        **{name: getattr(one, name) for name in names},
        "signed_at": one.signed_at.isoformat(),
        "expires": one.expires.isoformat(),
        "object": asdict(one.object),
        "source": asdict(one.source),
    }


def as_csv(audit: Audit) -> str:
    """A row for each release, the header first (RFC 4180, with the line breaks of Unix)."""
    out = io.StringIO()
    rows = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for release in audit.releases:
        rows.writerow([cell(" | ".join(texts)) for texts in _cells(release).values()])
    return out.getvalue()


def _cells(release: AuditedRelease) -> dict[str, list[str]]:
    stated = release.statements
    return {
        "release": [release.name],
        "sha256": [release.sha256],
        "commit": [one.commit for one in release.built],
        "tree": [_TREE[one.dirty] for one in release.built],
        "source": [one.source for one in release.built],
        "builder": [one.builder for one in release.built],
        "verdict": [f"{one.decision} ({one.asked_by})" for one in release.decided],
        "policy_digest": [one.policy_digest for one in release.decided],
        "overridden": [words.overridden(one) for one in release.overridden],
        "waivers": [words.waived(one) for one in words.waivers(release)],
        "signed_at": [one.signed_at.isoformat() for one in release.signed],
        "target": [one.target for one in release.signed],
        "account": [one.account for one in release.signed],
        "region": [one.region for one in release.signed],
        "profile_version": [one.profile_version for one in release.signed],
        "job": [one.job for one in release.signed],
        "signed_object": [str(one.object) for one in release.signed],
        "code_sha256": [one.code_sha256 for one in release.signed],
        "expires": [one.expires.isoformat() for one in release.signed],
        "deployed": [words.deployed(one) for one in release.deployed],
        "evidence": [str(release.standing)],
        **{standing.value: [str(sum(one.standing is standing for one in stated))] for standing in Standing},
        "vouched_by": sorted({name for one in stated for name in one.by}),
        "problems": [words.checked(one) for one in stated if one.problem],
    }


_COLUMNS = tuple(_cells(AuditedRelease(sha256="")))
