"""Who ships it: the answer for people, as JSON and as CSV.

1 of 14 kept SBOMs lists jinja2 as CVE-2024-56326, GHSA-q2x7-8rv6-6q7h affects it (OSV snapshot of 2026-11-20).
Orders  function:Orders
  ships     jinja2 3.1.4
  source    git+https://github.com/acme/orders at 1f0c2c5e
  unsigned  sha256:9f86...
  signed    prod, account 111122223333, eu-central-1: s3://artifacts/signed/....zip?versionId=...
            CodeSha256 n4bQ...
  deployed  orders-prod:7 (live) in account 111122223333, eu-central-1, 2026-11-20T10:00:00Z
  SBOM      vouched for by ci
"""

import csv
import io
from collections.abc import Iterator

from shipsafe.errors import ExitCode
from shipsafe.model.shipping import Affected, Shipping, WhoShips
from shipsafe.model.signing import SignedArtifact
from shipsafe.reports.csv_report import cell
from shipsafe.reports.strict_json import dump

SCHEMA_VERSION = "1.0"
COLUMNS = (
    *("package", "version", "certain", "index", "artifact", "subject", "source", "commit", "builder", "unsigned_sha256"),
    *("target", "account", "region", "signed_sha256", "code_sha256", "object", "deployed", "vouched_by"),
)


def text_lines(found: WhoShips) -> Iterator[str]:
    """For people, line by line; nothing in them is escaped yet."""
    yield _summary(found)
    for one in found.releases:
        yield f"{one.release.name or one.subject or one.sha256}  {one.subject}".rstrip()
        yield from _release(one)
    yield from missing_lines(found)


def missing_lines(found: WhoShips) -> Iterator[str]:
    """What is missing from the answer, which a table has no place for."""
    for place, error in found.unread:
        yield f"not looked into: {error.path or place}: {error.what} {error.remedy}".rstrip()
    if found.unlisted:
        yield f"{len(found.unlisted)} zips have evidence here and no SBOM, so that nobody can say what they ship:"
        yield from (f"  sha256:{sha256}" for sha256 in found.unlisted)
    if found.exit_code is not ExitCode.PASS:
        yield f"This is not the whole answer. exit {int(found.exit_code)}"


def _summary(found: WhoShips) -> str:
    what = f"{', '.join(found.packages)} as {', '.join(found.ids)} affects it ({found.advisories})" if found.ids else found.asked
    looked = f"{found.sboms} kept SBOM{'s' if found.sboms != 1 else ''} in {found.store}"
    if not found.releases:
        whole = found.exit_code is ExitCode.PASS
        return f"{'None' if whole else 'None that could be looked into'} of {looked} lists {what}."
    return f"{len(found.releases)} of {looked} list{'s' if len(found.releases) == 1 else ''} {what}."


def _release(one: Shipping) -> Iterator[str]:
    yield from (f"  ships     {_named(affected)}" for affected in one.affected)
    for built in one.release.built:
        changed = ", not committed as it was" if built.dirty else ""
        yield f"  source    {built.source or 'not known'} at {built.commit or 'no commit'}{changed}, by {built.builder or 'nobody knows'}"
    yield f"  unsigned  sha256:{one.sha256}"
    for signed in one.release.signed:
        yield f"  signed    {signed.target}, account {signed.account}, {signed.region}: {signed.object}"
        yield f"            CodeSha256 {signed.code_sha256}"
    if not one.release.signed:
        yield "  signed    never, as far as is kept here"
    yield from (f"  deployed  {line}" for line in _deployed(one))
    yield "  SBOM      " + (f"vouched for by {', '.join(one.by)}" if one.by else "nobody vouches for it")
    for statement in one.release.statements:
        if statement.problem:
            yield f"  note      {statement.kind} {statement.shown} does not count: {statement.problem}"


def _deployed(one: Shipping) -> Iterator[str]:
    for told in one.release.deployed:
        alias = f" ({told.alias})" if told.alias else ""
        yield f"{told.function}:{told.version}{alias} in account {told.account}, {told.region}, {told.at}"


def _named(affected: Affected) -> str:
    origin = f", from {affected.index}" if affected.index else ""
    doubt = "" if affected.certain else " (a version that cannot be compared: look yourself)"
    return f"{affected.name} {affected.version or 'of no version'}{origin}{doubt}"


def as_json(found: WhoShips) -> str:
    """For programs; docs/guides/who-ships.md says what each key means."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "exit_code": int(found.exit_code),
            "asked": found.asked,
            "advisory": {"ids": found.ids, "packages": found.packages, "source": found.advisories} if found.ids else None,
            "store": found.store,
            "sboms": found.sboms,
            "releases": [_document(one) for one in found.releases],
            "unread": [{"sbom": place, "problem": error.what, "exit_code": int(error.exit_code)} for place, error in found.unread],
            "unlisted": found.unlisted,
        }
    )


def _document(one: Shipping) -> dict[str, object]:
    return {
        "artifact": one.release.name or None,
        "subject": one.subject,
        "sha256": one.sha256,
        "components": [
            {"name": each.name, "version": each.version, "index": each.index or None, "certain": each.certain} for each in one.affected
        ],
        "vouched_by": one.by,
        "built": [
            {"source": each.source, "commit": each.commit, "dirty": each.dirty, "builder": each.builder} for each in one.release.built
        ],
        "signed": [_signed(each) for each in one.release.signed],
        "deployed": [
            {name: getattr(each, name) for name in ("function", "version", "alias", "account", "region", "at")}
            for each in one.release.deployed
        ],
    }


def _signed(one: SignedArtifact) -> dict[str, str]:
    plain = {name: getattr(one, name) for name in ("target", "account", "region", "sha256", "code_sha256", "job", "profile_version")}
    return {**plain, "object": str(one.object)}


def as_csv(found: WhoShips) -> str:
    """For spreadsheets: a row for each distribution and signed zip, the header first. What was not looked into is not in it."""
    out = io.StringIO()
    rows = csv.DictWriter(out, COLUMNS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\n")
    rows.writeheader()
    for one in found.releases:
        for affected in one.affected:
            for signed in one.release.signed or (None,):
                rows.writerow({name: cell(text) for name, text in _row(one, affected, signed).items()})
    return out.getvalue()


def _row(one: Shipping, affected: Affected, signed: SignedArtifact | None) -> dict[str, str]:
    built = one.release.built[0] if one.release.built else None
    row = {
        "package": affected.name,
        "version": affected.version,
        "certain": "yes" if affected.certain else "no",
        "index": affected.index,
        "artifact": one.release.name,
        "subject": one.subject,
        "source": built.source if built else "",
        "commit": built.commit if built else "",
        "builder": built.builder if built else "",
        "unsigned_sha256": one.sha256,
        "deployed": " ".join(f"{told.function}:{told.alias or told.version}" for told in one.release.deployed),
        "vouched_by": " ".join(one.by),
    }
    if signed:
        row |= {"target": signed.target, "account": signed.account, "region": signed.region, "signed_sha256": signed.sha256}
        row |= {"code_sha256": signed.code_sha256, "object": str(signed.object)}
    return row
