from datetime import UTC, datetime, timedelta, timezone

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import read_envelope, statement_of, written
from shipsafe.evidence.summary import level, summaries
from shipsafe.evidence.trust import role_of
from shipsafe.model.attestation import Predicate, Resource, Role
from shipsafe.model.chain import Attested, Chain, Hold, Link, Verification

AT = datetime(2026, 11, 21, 15, 4, 5, 678, tzinfo=UTC)
WORKFLOW = "https://github.com/acme/pay/.github/workflows/ship.yml@refs/heads/main"
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:Orders:7"
HELD, BROKEN = (Link(id="zip", hold=hold, sentence="It is.") for hold in (Hold.HELD, Hold.BROKEN))
DIGESTS = (Resource(name="Orders.zip", digests={"sha256": "1f" * 32}), Resource(name=ARN, digests={"sha256": "2e" * 32}))


def attested(builder: str = WORKFLOW, by: tuple[str, ...] = ("ci",)) -> Attested:
    return Attested(kind=Predicate.PROVENANCE, sha256="aa" * 32, by=by, builder=builder)


def verification(*links: Link, digests: tuple[Resource, ...] = DIGESTS, subject: str = "Orders.zip") -> Verification:
    chain = Chain(subject=subject, links=links, digests=digests, attestations=(attested(),))
    return Verification(chains=(chain,), policy="shipsafe.toml", policy_digest="sha256:" + "3d" * 32)


def test_a_chain_that_holds_is_summed_up_as_slsa_has_it() -> None:
    (statement,) = summaries(verification(HELD), release="1.2.3", at=AT)
    assert (statement.kind, statement.subjects, role_of(statement)) == ("https://slsa.dev/verification_summary/v1", DIGESTS, Role.VERIFIER)
    assert statement.predicate == {
        "verifier": {"id": "urn:shipsafe:verifier", "version": {"shipsafe": "1.2.3"}},
        "timeVerified": "2026-11-21T15:04:05Z",
        "resourceUri": ARN,
        "policy": {"uri": "file:shipsafe.toml", "digest": {"sha256": "3d" * 32}},
        "inputAttestations": [
            {
                "mediaType": "application/vnd.dsse.envelope.v1+json",
                "digest": {"sha256": "aa" * 32},
                "annotations": {"predicateType": "https://slsa.dev/provenance/v1"},
            }
        ],
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_2"],
        "slsaVersion": "1.1",
    }


def test_it_goes_through_an_envelope_and_back() -> None:
    (statement,) = summaries(verification(HELD), release="1.2.3", at=AT)
    line = written(statement, ())
    assert statement_of(read_envelope(line, shown="summary"), shown="summary") == statement


@pytest.mark.parametrize("hold", [Hold.BROKEN, Hold.UNANSWERED, Hold.DISALLOWED, Hold.NOT_ASKED])
def test_nothing_but_a_whole_chain_passes(hold: Hold) -> None:
    links = (Link(id="zip", hold=hold, sentence="."),) if hold is Hold.NOT_ASKED else (HELD, Link(id="sbom", hold=hold, sentence="."))
    (statement,) = summaries(verification(*links), release="1", at=AT)
    assert (statement.predicate["verificationResult"], statement.predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])


def test_one_broken_chain_leaves_the_others_as_they_are() -> None:
    both = Verification(
        chains=(*verification(BROKEN).chains, *verification(HELD, subject="B.zip").chains), policy=None, policy_digest="sha256:" + "3d" * 32
    )
    results = [one.predicate["verificationResult"] for one in summaries(both, release="1", at=AT)]
    assert results == ["FAILED", "PASSED"]


def test_what_has_no_bytes_has_no_summary() -> None:
    """Whoever asks for one and finds none must not take that for a pass."""
    with pytest.raises(IntegrityError, match="nothing whose digest is known"):
        summaries(verification(HELD, digests=()), release="1", at=AT)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), "SLSA_BUILD_LEVEL_0"),
        ((Attested(kind=Predicate.GATES, sha256="aa", by=("ci",), builder=WORKFLOW),), "SLSA_BUILD_LEVEL_0"),
        ((attested(by=()),), "SLSA_BUILD_LEVEL_1"),
        ((attested("urn:shipsafe:builder:local"),), "SLSA_BUILD_LEVEL_1"),
        ((attested(""),), "SLSA_BUILD_LEVEL_1"),
        ((attested("https://github.com.evil.example/a/b/.github/workflows/x.yml@refs/heads/main"),), "SLSA_BUILD_LEVEL_1"),
        ((attested("http://github.com/a/b/.github/workflows/x.yml@refs/heads/main"),), "SLSA_BUILD_LEVEL_1"),
        ((attested("https://[github.com"),), "SLSA_BUILD_LEVEL_1"),
        ((attested(by=()), attested()), "SLSA_BUILD_LEVEL_2"),
    ],
)
def test_no_level_is_claimed_that_is_not_shown(found: tuple[Attested, ...], expected: str) -> None:
    assert level(found) == expected


@pytest.mark.parametrize(
    ("subject", "uri"),
    [
        ("dist/my orders.zip", "file:dist/my%20orders.zip"),
        ("function:Orders", "urn:shipsafe:function:Orders"),
        ("arn:aws:lambda:eu-west-1:111122223333:function:Orders:7", "arn:aws:lambda:eu-west-1:111122223333:function:Orders:7"),
    ],
)
def test_what_was_asked_about_is_a_uri(subject: str, uri: str) -> None:
    (statement,) = summaries(verification(HELD, digests=DIGESTS[:1], subject=subject), release="1", at=AT)
    assert statement.predicate["resourceUri"] == uri


def test_times_are_utc() -> None:
    (statement,) = summaries(verification(HELD), release="1", at=AT.astimezone(timezone(timedelta(hours=5))))
    assert statement.predicate["timeVerified"] == "2026-11-21T15:04:05Z"
