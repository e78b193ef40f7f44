"""Verifications of every ending, with names as hostile as a bundle or AWS can make them."""

from shipsafe.model.attestation import Resource
from shipsafe.model.chain import Attested, Chain, Hold, Link, Verification
from shipsafe.model.location import Location
from tests.reports.sample import HOSTILE

UNSIGNED, SIGNED = "1f" * 32, "2e" * 32
ZIP = Link(id="zip", hold=Hold.HELD, sentence="Orders.zip is the file that the manifest names.")
SBOM = Link(
    id="sbom",
    hold=Hold.BROKEN,
    sentence="The SBOM is not the one of this zip.",
    expected=f"sha256:{UNSIGNED}",
    found=f"sha256:{SIGNED}",
    remedy="Find out who changed it, and build again.",
    location=Location(path="dist/Orders.cdx.json", line=4, column=7),
)
CANCELLED = Link(
    id="profile",
    hold=Hold.HELD,
    sentence="Profile orders_2026 signed it.",
    notes=("The profile was cancelled on 2026-11-01; what it signed before counts.",),
)
DENIED = Link(
    id="code-signing",
    hold=Hold.UNANSWERED,
    sentence="AWS refused GetFunctionCodeSigningConfig: AccessDenied.",
    remedy="Allow lambda:GetFunctionCodeSigningConfig.",
)
ADVISORY = Link(id="verdict", hold=Hold.DISALLOWED, sentence="PYSEC-2026-1 became known since.", remedy="Upgrade it to 2.0.")
SKIPPED = Link(id="aws-signature", hold=Hold.NOT_ASKED, sentence="The zip is not signed.")
EVIL = Link(
    id=f"sbom {HOSTILE}",
    hold=Hold.BROKEN,
    sentence=f"It names {HOSTILE}.",
    expected=HOSTILE,
    found=HOSTILE * 40,
    remedy=HOSTILE,
    notes=(HOSTILE,),
    location=Location(path=f"/etc/{HOSTILE}"),
)
ATTESTED = (
    Attested(
        kind="https://slsa.dev/provenance/v1",
        sha256="aa" * 32,
        by=("ci",),
        builder="https://github.com/acme/pay/.github/workflows/ship.yml@refs/heads/main",
    ),
    Attested(kind="urn:shipsafe:gates:v1", sha256="bb" * 32, by=("signer",)),
)
DIGESTS = (Resource(name="Orders.zip", digests={"sha256": UNSIGNED}), Resource(name="s3://b/k?versionId=v", digests={"sha256": SIGNED}))


def chain(*links: Link, subject: str = "Orders.zip") -> Chain:
    return Chain(subject=subject, links=links, digests=DIGESTS, attestations=ATTESTED)


def verification(*chains: Chain, notes: tuple[str, ...] = ()) -> Verification:
    return Verification(chains=chains, policy="shipsafe.toml", policy_digest="sha256:" + "3d" * 32, notes=notes)


SAMPLES = {
    "held": verification(
        chain(ZIP, CANCELLED, SKIPPED), chain(ZIP, subject="function:Billing"), notes=("The clock is a day behind AWS's.",)
    ),
    "broken": verification(chain(ZIP, DENIED), chain(ZIP, SBOM, ADVISORY, subject="function:Billing")),
    "unanswered": verification(chain(ZIP, DENIED, ADVISORY)),
    "disallowed": verification(chain(ZIP, ADVISORY)),
    "nothing": verification(),
    "no-links": verification(chain(ZIP), chain(SKIPPED, subject="function:Empty")),
    "hostile": verification(chain(ZIP, EVIL, subject=f"function:{HOSTILE}"), notes=(HOSTILE,)),
}
