import subprocess
import sys

import pytest

from shipsafe.errors import ConfigError
from shipsafe.model.verdict import Decision
from shipsafe.reports import all_reports, load, names
from tests.reports.sample import record


def test_the_list_of_all_reports_is_held_here_so_that_a_lost_file_is_loud() -> None:
    assert names() == ("csv", "cyclonedx-vex", "github", "json", "junit", "markdown", "openvex", "sarif", "text")


def test_every_report_is_found_by_its_own_id_and_writes_something() -> None:
    for name, report in all_reports().items():
        assert load(name) is report
        assert report.id == name
        assert report.summary.endswith(".")
        assert report.write(record(Decision.FAIL)).endswith("\n")


def test_an_unknown_report_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="Did you mean `sarif`"):
        load("sarf")


def test_reports_are_found_without_anything_heavy() -> None:
    program = "import sys, shipsafe.reports as r, shipsafe.reports.live; r.names(); print(sorted(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(answer.stdout.replace("'", "").strip("[]\n").split(", "))
    assert "shipsafe.reports.sarif" in loaded
    assert not loaded & {"rich", "yaml", "requests", "jsonschema_rs", "pip_audit", "bandit", "cyclonedx"}
