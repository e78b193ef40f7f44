"""What holds for every test: no settings of the machine leak in, and a skip without a named cause fails the run."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from tests.answers import OPEN
from tests.local_endpoint import local_aws, local_root  # noqa: F401 - fixtures for all
from tests.shared_data import ABSENT, present

_LEAKS = ("SHIPSAFE_", "UV_", "PIP_", "GITHUB_", "SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "AWS_", "SAM_", "CI",
          "PYTHONDONTWRITEBYTECODE")  # fmt: skip
_KEPT = ("UV_CACHE_DIR", "UV_PYTHON", "UV_HTTP_TIMEOUT")

# A shell without job control starts what runs beside it with SIGINT ignored, `nohup` with SIGHUP ignored, and children take that over.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

# The garbage collector is asked less often, and looks at no module and no collected test again: it took a quarter of the time.
gc.set_threshold(50_000, 10, 10)

# How long a machine with other work takes for an example says nothing about a law. One commit tries the same examples wherever and
# however often it runs, so that a red run is about the commit; `just explore` tries others.
_slow = [HealthCheck.too_slow]
settings.register_profile("same", deadline=None, suppress_health_check=_slow, derandomize=True)
settings.register_profile("explore", deadline=None, suppress_health_check=_slow, derandomize=False, print_blob=True)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def _no_settings() -> Iterator[None]:
    """What is made once for several tests knows none of the machine's settings either, but for how it reaches its package registry."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_LEAKS) and not name.startswith(("UV_", "PIP_")):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each test has its own folders for cache and configuration, and none of the machine's settings."""
    for name in list(os.environ):
        if name.startswith(_LEAKS) and name not in _KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(autouse=True)
def _not_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that an error ends starts no more programs. That is the end of the process as a rule, and here other tests follow."""
    monkeypatch.setattr("shipsafe.adapters.process._ended", False)


@pytest.fixture(autouse=True)
def _caches_are_let_go() -> Iterator[None]:
    """What a test opened without a run around it."""
    yield
    OPEN.close()


def pytest_collection_finish() -> None:
    """What is there now stays to the end."""
    gc.collect()
    gc.freeze()
    if settings.default is not None and settings.default.derandomize:
        # Hypothesis also tries what stands in all modules of ours that are loaded by then: others in each order of tests.
        nothing = Constants()
        providers._get_local_constants = lambda: nothing


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None]:
    """Turn a skip into a failure unless its cause is the one that is allowed, and true."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's Result, which a plain Generator cannot name
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if ABSENT not in reason or present():
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped without an allowed cause: {reason}"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of this repository."""
    return Path(__file__).resolve().parents[1]
