"""A verification as JSON for other programs. The shape is published in `configs/verification.schema.json`, and admits no unknown keys."""

from importlib.resources import files

from shipsafe.model.chain import Attested, Chain, Link, Verification
from shipsafe.reports.chains import words
from shipsafe.reports.strict_json import dump

SCHEMA_VERSION = "1.0"


def write(verification: Verification) -> str:
    """The verification in the shape of the published schema, ending in a line break. Texts stand as they came, escaped to ASCII."""
    first = verification.first_broken
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "exit_code": int(verification.exit_code),
            "verdict": verification.verdict,
            "summary": words.first_sentence(verification),
            "first_broken": {"subject": first[0].subject, "link": first[1].id} if first else None,
            "policy": verification.policy,
            "policy_digest": verification.policy_digest,
            "chains": [_chain(chain) for chain in verification.chains],
            "notes": verification.notes,
        }
    )


def schema_text() -> str:
    """The published JSON schema of a verification."""
    return files("shipsafe.reports").joinpath("data/verification.schema.json").read_text(encoding="utf-8")


def _chain(chain: Chain) -> dict[str, object]:
    return {
        "subject": chain.subject,
        "exit_code": int(chain.exit_code),
        "digests": [{"name": one.name, "digest": one.digests} for one in chain.digests],
        "attestations": [_attested(one) for one in chain.attestations],
        "links": [_link(link) for link in chain.links],
    }


def _attested(one: Attested) -> dict[str, object]:
    return {"kind": one.kind, "sha256": one.sha256, "vouched_by": one.by, "builder": one.builder or None}


def _link(link: Link) -> dict[str, object]:
    place = link.location
    return {
        "id": link.id,
        "hold": link.hold,
        "sentence": link.sentence,
        "expected": link.expected or None,
        "found": link.found or None,
        "remedy": link.remedy or None,
        "notes": link.notes,
        "location": {"path": place.path, "line": place.line, "column": place.column} if place else None,
    }
