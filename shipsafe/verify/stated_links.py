"""The links of a zip that is not here: what its evidence alone says, and how today's policy judges that."""

from collections.abc import Iterator
from dataclasses import replace

from shipsafe.errors import ShipsafeError
from shipsafe.model.chain import Hold, Link
from shipsafe.packing.release import Release
from shipsafe.verify import links
from shipsafe.verify.proof import Proof
from shipsafe.verify.provenance import About, provenance_link
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.stated_sbom import stated_distributions
from shipsafe.verify.verdict import Said, verdict_link


def stated_links(proof: Proof, subject: str, request: VerifyRequest, release: Release | None, shown: str) -> Iterator[Link]:
    """In the order of files: `bundle`, `sbom`, `provenance`, `gates`, `verdict`, and of a signed zip `signing-record`.

    Args:
        proof: what is proven about the zip.
        subject: `function:NAME` or `layer:NAME`.
        request: what it is held against.
        release: a manifest that may name it, or None.
        shown: where the evidence lies, for people.
    """
    sbom = proof.link(links.SBOM)
    distributions = None
    if proof.sbom is not None and sbom is not None and sbom.hold is Hold.HELD:
        try:
            distributions = stated_distributions(proof.sbom.statement, shown=shown)
            number = f"{len(distributions)} {'distribution' if len(distributions) == 1 else 'distributions'}"
            sbom = replace(sbom, sentence=f"{sbom.sentence} It lists {number}.")
        except ShipsafeError as error:
            sbom = links.of_error(links.SBOM, error)
    entries = release.document["artifacts"] if release else ()
    fitting = [one for one in entries if one["digests"]["sha256"] == proof.unsigned_sha256]  # several, where functions are one zip
    entry = next((one for one in fitting if one["subject"] == subject), next(iter(fitting), None))
    about = About(release=release if entry else None, entry=entry, contents=None, shown=shown)
    gates = proof.judged
    verdict = (
        links.not_asked(links.VERDICT, "Not judged: nobody states what the gates said.")
        if gates is None
        else verdict_link(
            Said(gates=gates, subject=subject, content_digest="", distributions=distributions, shown=shown, proof=proof), request
        )
    )
    made = (
        proof.link(links.BUNDLE),
        sbom,
        provenance_link(proof, about),
        proof.link(links.GATES),
        verdict,
        proof.link(links.SIGNING_RECORD),
    )
    return (one for one in made if one is not None)
