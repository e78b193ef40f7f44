"""The private modules of pip-audit that are used: what we rely on, so that a new version that changes it is seen here first."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version
from pip_audit._audit import Auditor
from pip_audit._dependency_source import DependencySource
from pip_audit._service import ConnectionError as ServiceConnectionError
from pip_audit._service import (
    Dependency,
    OsvService,
    PyPIService,
    ResolvedDependency,
    ServiceError,
    SkippedDependency,
    VulnerabilityResult,
    VulnerabilityService,
)

from shipsafe.advisories.audit import audit
from shipsafe.advisories.store import Store, build_store
from shipsafe.errors import IncompleteError
from shipsafe.model.advisory import Pin
from tests.advisories.osv_server import osv_server
from tests.advisories.writing import export, record

DEMO = ResolvedDependency("demo", Version("1.0"))


class Given(VulnerabilityService):  # type: ignore[misc]  # pip-audit has no types
    """A service that gives what it was given, for every dependency."""

    def __init__(self, *results: VulnerabilityResult, skipped: str = "") -> None:
        self.results = results
        self.skipped = skipped

    def query(self, spec: Dependency) -> tuple[Dependency, list[VulnerabilityResult]]:
        """See pip-audit."""
        return (SkippedDependency(name=spec.name, skip_reason=self.skipped), []) if self.skipped else (spec, list(self.results))


class One(DependencySource):  # type: ignore[misc]  # pip-audit has no types
    """One dependency."""

    def collect(self) -> Iterator[Dependency]:
        """See pip-audit."""
        yield DEMO

    def fix(self, fix_version: object) -> None:
        """Nothing is fixed here."""
        raise NotImplementedError


def result(*ids: str, fixed: str = "2.0") -> VulnerabilityResult:
    """A result with these ids."""
    return VulnerabilityResult.create(ids=list(ids), description="d", fix_versions=[Version(fixed)], published=None)


def test_a_result_shows_pysec_before_cve_before_the_rest_and_keeps_all_ids() -> None:
    one = result("GHSA-a", "CVE-1", "PYSEC-1")
    assert (one.id, one.aliases, one.fix_versions, one.description) == ("PYSEC-1", {"CVE-1", "GHSA-a"}, [Version("2.0")], "d")
    assert result("GHSA-a", "CVE-1").id == "CVE-1"


def test_the_engine_joins_results_that_share_an_alias_and_shows_pysec() -> None:
    [(dependency, found)] = Auditor(Given(result("GHSA-a", "CVE-1"), result("PYSEC-1", "CVE-1"))).audit(One())
    assert dependency is DEMO
    assert [(one.id, one.aliases) for one in found] == [("PYSEC-1", {"CVE-1", "GHSA-a"})]


def test_the_engine_keeps_two_pysec_records_of_one_cve_apart_and_we_join_them() -> None:
    given = Given(result("PYSEC-1", "CVE-1"), result("PYSEC-2", "CVE-1", fixed="3.0"))
    [(_, found)] = Auditor(given).audit(One())
    assert len(found) == 2
    [answer] = audit([Pin(name="demo", version="1.0")], given, lambda _: [])
    [advisory] = answer.advisories
    assert (advisory.id, advisory.aliases, advisory.fixed_versions) == ("PYSEC-1", ("CVE-1", "PYSEC-2"), ("2.0", "3.0"))


def test_a_skipped_dependency_is_unaudited_with_the_reason_of_the_service() -> None:
    assert SkippedDependency(name="demo", skip_reason="x").is_skipped()
    assert not DEMO.is_skipped()
    [answer] = audit([Pin(name="demo", version="1.0")], Given(skipped="Dependency not found on PyPI"), lambda _: [])
    assert (answer.unaudited, answer.advisories) == ("Dependency not found on PyPI", ())


def test_the_engine_asks_the_service_once_a_pin_in_order_and_gives_normalised_names() -> None:
    pins = [Pin(name=name, version="1.0") for name in ("b", "a", "b")]
    assert [answer.pin for answer in audit(pins, Given(), lambda _: [])] == pins
    assert ResolvedDependency("Jw.Util", Version("1")).canonical_name == "jw-util"


def test_errors_of_services_are_of_the_kinds_that_are_tried_again() -> None:
    assert issubclass(ServiceConnectionError, ServiceError)


@pytest.mark.parametrize("error", [KeyError("package"), RuntimeError("odd"), RecursionError("deep")])
def test_any_exception_of_a_service_is_incomplete(error: Exception) -> None:
    class Broken(VulnerabilityService):  # type: ignore[misc]  # pip-audit has no types
        """A service that fails."""

        def query(self, spec: Dependency) -> tuple[Dependency, list[VulnerabilityResult]]:
            """See pip-audit."""
            assert spec.name == "demo"
            raise error

    with pytest.raises(IncompleteError, match=type(error).__name__):
        audit([Pin(name="demo", version="1.0")], Broken(), lambda _: [])


def test_the_services_take_a_cache_folder_a_timeout_and_an_address(tmp_path: Path) -> None:
    withdrawn = record("demo", {"introduced": "0"}, id="PYSEC-2", withdrawn="2026-01-01T00:00:00Z")
    with osv_server(lambda *_: [record("demo", {"introduced": "0"}, {"fixed": "2.0"}), withdrawn]) as url:
        service = OsvService(tmp_path, 600, url)
        with service.session:
            dependency, found = service.query(DEMO)
    assert (dependency, [(one.id, one.fix_versions) for one in found]) == (DEMO, [("PYSEC-2026-1", [Version("2.0")])])
    assert PyPIService(tmp_path, 5).timeout == 5


def test_a_score_is_looked_up_by_every_id_of_a_finding(tmp_path: Path) -> None:
    build_store(export(tmp_path / "all.zip", record("demo", id="CVE-1", database_specific={"severity": "HIGH"})), tmp_path / "s.sqlite")
    [answer] = audit([Pin(name="demo", version="1.0")], Given(result("PYSEC-1", "CVE-1")), Store(tmp_path / "s.sqlite").by_any_id)
    assert [str(one.severity) for one in answer.advisories] == ["high"]
