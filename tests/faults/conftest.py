"""One endpoint and one pair of releases for all tests here: each begins from the state that is kept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shipsafe.local.pki import LocalRoot
from tests.faults.place import Site, make_site
from tests.faults.project import make_account, make_releases
from tests.local_endpoint import set_environment


@pytest.fixture(scope="package")
def prepared(tmp_path_factory: pytest.TempPathFactory, local_root: LocalRoot) -> Iterator[Site]:
    from shipsafe.local.endpoint import start  # noqa: PLC0415 - for those tests that use it

    folder = tmp_path_factory.mktemp("faults")
    (folder / "project").mkdir()
    with pytest.MonkeyPatch.context() as patch, start(delay=timedelta(), root=local_root) as endpoint:
        set_environment(patch, endpoint, folder)
        patch.setenv("SHIPSAFE_CACHE_DIR", str(folder / "cache"))
        make_account()
        yield make_site(endpoint, make_releases(folder / "project"), folder)


@pytest.fixture
def site(prepared: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Release 1 runs, release 2 waits."""
    set_environment(monkeypatch, prepared.endpoint, prepared.folder)
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(prepared.folder / "cache"))
    prepared.tries = 1
    prepared.begin()
    return prepared
