from pathlib import Path

import pytest

from shipsafe.local.pki import LocalRoot
from tests.local.functions.world import Local, a_root


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> LocalRoot:
    return a_root(Path(tmp_path_factory.mktemp("root")) / "kept")


@pytest.fixture
def local(root: LocalRoot) -> Local:
    return Local(root)
