"""VEX documents -> statements: what is meant, and what is said of a document that cannot be used."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipsafe.errors import ConfigError
from shipsafe.model.finding import Finding
from shipsafe.model.policy import Policy
from shipsafe.model.severity import Severity
from shipsafe.model.vex import Product, Statement, Status
from shipsafe.policy import load
from shipsafe.policy.vex import read_documents, read_statements

TIME = "2026-11-01T00:00:00Z"
FINDING = Finding(
    rule="dependencies/vulnerable",
    subject="function:Billing",
    message="m",
    remedy="r",
    severity=Severity.HIGH,
    key="requests",
    advisory="PYSEC-1",
    aliases=("CVE-1", "GHSA-1"),
    package="requests",
    version="2.30.0",
)


def statement(**changes: Any) -> dict[str, Any]:
    base = {
        "vulnerability": {"name": "CVE-1"},
        "products": [{"@id": "pkg:pypi/requests@2.30.0"}],
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def openvex(*statements: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    base = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "sec@example.com",
        "timestamp": TIME,
        "version": 1,
        "statements": list(statements) or [statement()],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def cyclonedx(analysis: Mapping[str, Any] | None, *, affects: Any = None, **changes: Any) -> dict[str, Any]:
    vulnerability: dict[str, Any] = {"id": "CVE-1", "analysis": analysis, "affects": affects}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"timestamp": TIME, "authors": [{"name": "sec"}]},
        "vulnerabilities": [{key: value for key, value in vulnerability.items() if value is not None}],
        **changes,
    }


def read(document: object) -> tuple[Statement, ...]:
    return read_statements(json.dumps(document).encode(), name="vex.json")[1]


def said(document: object) -> str:
    with pytest.raises(ConfigError) as caught:
        read(document)
    return str(caught.value)


def test_an_openvex_statement_is_read_with_its_place() -> None:
    vulnerability = {"name": "CVE-1", "aliases": ["GHSA-1"]}
    (one,) = read(openvex(statement(vulnerability=vulnerability, impact_statement="The parser is not shipped.")))
    assert one == Statement(
        source="vex.json",
        pointer="/statements/0",
        vulnerability="CVE-1",
        aliases=("GHSA-1",),
        status=Status.NOT_AFFECTED,
        products=(Product(text="pkg:pypi/requests@2.30.0", package="requests", version="2.30.0"),),
        author="sec@example.com",
        time=datetime(2026, 11, 1, tzinfo=UTC),
        justification="vulnerable_code_not_present",
        detail="The parser is not shipped.",
    )
    assert one.clears


def test_a_statement_has_the_time_of_its_document_unless_it_states_one() -> None:
    one, other = read(openvex(statement(), statement(timestamp="2026-11-02T01:00:00+01:00")))
    assert (one.time, other.time) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("product", "covered"),
    [
        ("pkg:pypi/requests@2.30.0", True),
        ("pkg:pypi/Requests", True),
        ("pkg:pypi/requests@2.31.0", False),
        ("pkg:pypi/urllib3", False),
        ("pkg:npm/requests@2.30.0", False),
        ("pkg:generic/Billing", True),
        ("pkg:generic/Orders", False),
        ("function:Billing", True),
        ("layer:Billing", False),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#function:Billing", True),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Ageneric%2FBilling", True),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Apypi%2Frequests%402.30.0", False),
        ("pkg:oci/billing@sha256%3Aaa", False),
        ("cpe:2.3:a:python:requests:2.30.0", False),
    ],
)
def test_what_a_product_covers(product: str, covered: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    (one,) = read(openvex(statement(products=[{"@id": product}])))
    assert one.covers(FINDING) is covered


@pytest.mark.parametrize(
    ("outer", "inner", "covered"),
    [
        ("pkg:generic/Billing", "pkg:pypi/requests", True),
        ("pkg:generic/Billing", "pkg:pypi/urllib3", False),
        ("pkg:generic/Orders", "pkg:pypi/requests", False),
        ("pkg:oci/billing", "pkg:pypi/requests", False),
        ("pkg:generic/Billing", "pkg:deb/debian/openssl", False),
    ],
)
def test_a_subcomponent_is_meant_in_its_product_only(outer: str, inner: str, covered: bool) -> None:  # noqa: FBT001 - likewise
    (one,) = read(openvex(statement(products=[{"@id": outer, "subcomponents": [{"@id": inner}]}])))
    assert one.covers(FINDING) is covered


def test_ids_are_compared_without_case_and_through_aliases_on_both_sides() -> None:
    for vulnerability in ({"name": "cve-1"}, {"name": "X-1", "aliases": ["ghsa-1"]}, {"name": "PYSEC-1"}):
        assert read(openvex(statement(vulnerability=vulnerability)))[0].covers(FINDING)
    assert not read(openvex(statement(vulnerability={"name": "CVE-2"})))[0].covers(FINDING)


def test_a_content_digest_binds_a_product_to_what_was_looked_at() -> None:
    (one,) = read(openvex(statement(products=[{"@id": "pkg:generic/Billing@sha256:aa"}])))
    assert one.bound({"function:Billing": "sha256:aa"}).covers(FINDING)
    assert not one.bound({"function:Billing": "sha256:bb"}).covers(FINDING)
    assert not one.bound({}).covers(FINDING)


@pytest.mark.parametrize(
    ("analysis", "status", "clears"),
    [
        ({"state": "not_affected", "justification": "code_not_reachable"}, Status.NOT_AFFECTED, True),
        ({"state": "not_affected", "detail": "We do not ship it."}, Status.NOT_AFFECTED, True),
        ({"state": "not_affected"}, Status.NOT_AFFECTED, False),
        ({"state": "false_positive", "detail": "It is another package."}, Status.NOT_AFFECTED, True),
        ({"state": "resolved"}, Status.FIXED, True),
        ({"state": "resolved_with_pedigree"}, Status.FIXED, True),
        ({"state": "exploitable", "justification": "code_not_reachable"}, Status.AFFECTED, False),
        ({"state": "in_triage"}, Status.UNDER_INVESTIGATION, False),
    ],
)
def test_the_states_of_cyclonedx(analysis: dict[str, Any], status: Status, clears: bool) -> None:  # noqa: FBT001 - likewise
    (one,) = read(cyclonedx(analysis, affects=[{"ref": "pkg:pypi/requests@2.30.0"}]))
    assert (one.status, one.clears, one.covers(FINDING), one.author) == (status, clears, True, "sec")


def test_a_component_inside_a_function_is_meant_there_only() -> None:
    inner = {"type": "library", "bom-ref": "r", "name": "requests", "purl": "pkg:pypi/requests", "version": "2.30.0"}
    for name, covered in (("function:Billing", True), ("function:Orders", False)):
        outer = {"type": "application", "bom-ref": name, "name": "x", "components": [inner]}
        (one,) = read(cyclonedx({"state": "resolved"}, affects=[{"ref": "r"}], components=[outer]))
        assert one.covers(FINDING) is covered


@pytest.mark.parametrize(
    ("serial", "covered"), [("3e671687-395b-41f5-a30f-a58921a69b79", True), ("00000000-0000-0000-0000-000000000000", False)]
)
def test_a_bom_link_to_a_distribution_is_known_within_its_own_document(serial: str, covered: bool) -> None:  # noqa: FBT001 - likewise
    part = {"type": "library", "bom-ref": "pkg:pypi/requests@2.30.0", "name": "requests", "purl": "pkg:pypi/requests@2.30.0"}
    own = {"serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1, "components": [part]}
    (one,) = read(cyclonedx({"state": "resolved"}, affects=[{"ref": f"urn:cdx:{serial}/1#pkg%3Apypi/requests%402.30.0"}], **own))
    assert one.covers(FINDING) is covered


def test_in_the_sbom_of_a_function_everything_is_meant_there() -> None:
    metadata = {"timestamp": TIME, "component": {"type": "application", "bom-ref": "function:Orders", "name": "Orders"}}
    part = {"type": "library", "bom-ref": "r", "name": "requests", "purl": "pkg:pypi/requests@2.30.0"}
    (one,) = read(cyclonedx({"state": "resolved"}, affects=[{"ref": "r"}], components=[part], metadata=metadata))
    assert not one.covers(FINDING)


def test_versions_that_stay_affected_are_a_statement_of_their_own() -> None:
    versions = [{"version": "2.30.0"}, {"version": "2.31.0", "status": "unaffected"}, {"range": "vers:pypi/<2", "status": "unaffected"}]
    affects = [{"ref": "pkg:pypi/requests", "versions": versions}]
    affected, cleared = read(cyclonedx({"state": "not_affected", "justification": "code_not_present"}, affects=affects))
    assert (affected.status, affected.covers(FINDING)) == (Status.AFFECTED, True)
    assert (cleared.status, cleared.covers(FINDING)) == (Status.NOT_AFFECTED, False)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "vex.json: Neither OpenVEX (`@context`) nor CycloneDX (`bomFormat`). Name a VEX document in JSON."),
        (openvex(**{"@context": "https://openvex.dev/ns/v0.0.1"}),
         ("vex.json: /@context: `https://openvex.dev/ns/v0.0.1` is not OpenVEX 0.2.0. "
          "Convert it with vexctl, or name a document of that version.")),
        (openvex(statements=[]),
         "vex.json: It makes no statement. Name a document with statements, or with `vulnerabilities` that have an `analysis`."),
        (openvex(author=None), "vex.json: There is no `author`. Add `author`."),
        (openvex(version=0), "vex.json: /version: Not a version number from 1. Write 1."),
        (openvex(timestamp="yesterday"),
         ("vex.json: /timestamp: `yesterday` is not a date and time with an offset. "
          "Write 2026-11-01T12:00:00Z, for example.")),
        (openvex(statement(), statement(status="not-affected")),
         ("vex.json: /statements/1/status: `not-affected` is not one of not_affected, affected, fixed, under_investigation. "
          "Correct it.")),
        (openvex(statement(justification=None)),
         ("vex.json: /statements/0: `not_affected` needs a `justification`. Choose one of component_not_present, "
          "vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, "
          "inline_mitigations_already_exist; or say why in an `impact_statement`.")),
        (openvex(statement(status="affected", justification=None)),
         "vex.json: /statements/0: `affected` needs an `action_statement`. Say what to do about it."),
        (openvex(statement(justifcation="x")), "vex.json: /statements/0: Unknown key `justifcation`. Did you mean `justification`?"),
        (openvex(statement(products=[{}])),
         "vex.json: /statements/0/products/0: Neither `@id` nor `identifiers`. Name the product, best by its purl."),
        (openvex(statement(products=[{"@id": "pkg:pypi"}])),
         ("vex.json: /statements/0/products/0/@id: `pkg:pypi` is not a package URL: purl is missing the required type component: "
          "'pkg:pypi'.. Write pkg:pypi/NAME@VERSION.")),
        (cyclonedx({"state": "fixed"}),
         ("vex.json: /vulnerabilities/0/analysis/state: `fixed` is not one of not_affected, false_positive, resolved, "
          "resolved_with_pedigree, exploitable, in_triage. Correct it.")),
        (cyclonedx({"state": "resolved"}, affects=[{"ref": "nothing"}]),
         ("vex.json: /vulnerabilities/0/affects/0/ref: No component has the bom-ref `nothing`. "
          "Add the component, or refer to it by purl or BOM-Link.")),
        (cyclonedx({"state": "resolved"}, specVersion="1.3"),
         "vex.json: /specVersion: `1.3` is not one of 1.4, 1.5, 1.6, 1.7. Correct it."),
    ],
)  # fmt: skip
def test_what_is_said_of_a_document_that_cannot_be_used(document: object, message: str) -> None:
    assert said(document) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "vex.json:1:2: Not JSON: Expecting property name enclosed in double quotes. Correct the line."),
        (b"\xff\xfe", "vex.json: Not UTF-8. Save the file as UTF-8."),
        (b"[" * 100_000, "vex.json: Nested too deep. No VEX document needs that."),
        (b'{"@context": 1, "@context": 2}', "vex.json: Key `@context` stands twice in one object. Keep one of them."),
        (b'{"version": ' + b"9" * 5000 + b"}", "vex.json: It holds a number that is too long. No VEX document needs that."),
    ],
)  # fmt: skip
def test_what_is_said_of_bytes_that_are_no_document(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_statements(data, name="vex.json")
    assert str(caught.value) == message


def test_more_products_than_anybody_ships_are_refused_before_they_are_all_read() -> None:
    products = [{"@id": f"pkg:pypi/p{number}"} for number in range(50)]
    assert "It names more than 50000 products." in said(openvex(*[statement(products=products)] * 1001))


def test_components_in_components_for_ever_are_refused() -> None:
    component: dict[str, Any] = {"name": "x"}
    for _ in range(40):
        component = {"name": "x", "components": [component]}
    assert "Components stand more than 32 deep in each other." in said(cyclonedx({"state": "resolved"}, components=[component]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "pkg:", "pkg:pypi/%", "urn:cdx:", TIME, "not_affected"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_document_with_anything_anywhere_is_read_or_refused_with_our_error(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([
        openvex(statement(impact_statement="x", products=[{"@id": "pkg:generic/B", "subcomponents": [{"@id": "pkg:pypi/r"}]}])),
        cyclonedx({"state": "not_affected", "detail": "x"}, affects=[{"ref": "r", "versions": [{"version": "1"}]}],
                  components=[{"bom-ref": "function:B", "name": "B", "components": [{"bom-ref": "r", "name": "r", "purl": "pkg:pypi/r"}]}]),
    ]))  # fmt: skip
    document = json.loads(json.dumps(whole))
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(JSON)
    try:
        found = read(document)
    except ConfigError:
        return
    for one in found:
        assert one.covers(FINDING) in (True, False)


def _policy(folder: Path, text: str) -> Policy:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "shipsafe.toml").write_text(text)
    return load(folder, offline=True, cache=folder / "cache", fetch=lambda _: b"", today=date(2026, 11, 21))


def test_documents_of_the_policy_and_of_the_command_line_are_read_once_each(tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text(json.dumps(openvex()))
    policy = _policy(tmp_path, 'vex = ["one.json"]\n')
    documents, statements = read_documents(policy, [tmp_path / "two.json", tmp_path / "one.json"], root=tmp_path)
    assert [(one.path, one.format, one.statements) for one in documents] == [
        ("one.json", "OpenVEX 0.2.0", 1),
        ("two.json", "OpenVEX 0.2.0", 1),
    ]
    assert [one.place for one in statements] == ["one.json#/statements/0", "two.json#/statements/0"]


def test_a_document_that_is_not_there_is_an_error_and_not_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^gone\.json: "):
        read_documents(_policy(tmp_path, 'vex = ["gone.json"]\n'), [], root=tmp_path)


def test_a_document_outside_the_repository_cannot_be_named_by_the_policy(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    with pytest.raises(ConfigError, match=r"shipsafe\.toml:1: The VEX document \.\./vex\.json lies outside the repository"):
        _policy(tmp_path / "repository", 'vex = ["../vex.json"]\n')


@pytest.mark.parametrize("fixed", ["vex", "waivers"])
def test_what_the_organisation_has_fixed_no_document_of_a_pull_request_can_weaken(tmp_path: Path, fixed: str) -> None:
    (tmp_path / "vex.json").write_text(json.dumps(openvex()))
    (tmp_path / "org.toml").write_text(f'fixed = ["{fixed}"]\n')
    digest = hashlib.sha256((tmp_path / "org.toml").read_bytes()).hexdigest()
    extends = f'extends = {{ path = "org.toml", sha256 = "{digest}" }}\n'
    with pytest.raises(ConfigError, match=rf"shipsafe\.toml:2: `{fixed}` is fixed"):
        _policy(tmp_path, f'{extends}vex = ["vex.json"]\n')
    with pytest.raises(ConfigError, match=rf"The policy fixes `{fixed}` \(org\.toml:1\), so --vex can add nothing"):
        read_documents(_policy(tmp_path, extends), [tmp_path / "vex.json"], root=tmp_path)


def test_a_base_cannot_name_documents(tmp_path: Path) -> None:
    (tmp_path / "org.toml").write_text('vex = ["vex.json"]\n')
    digest = hashlib.sha256((tmp_path / "org.toml").read_bytes()).hexdigest()
    with pytest.raises(ConfigError, match=r"org\.toml:1: A base cannot name VEX documents"):
        _policy(tmp_path, f'extends = {{ path = "org.toml", sha256 = "{digest}" }}\n')
