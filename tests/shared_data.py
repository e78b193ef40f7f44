"""Real data that lies beside the repository: used where it is there, and its absence is the one named cause of a skip."""

from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2] / "shared" / "data"
ABSENT = "shared data absent"


def present() -> bool:
    """Whether the shared data lies beside the repository."""
    return _ROOT.is_dir()


def shared_data(name: str) -> Path:
    """The path of a shared data file or folder; skips the test when the folder is not there.

    A file that is missing from a folder that is there is an error: then the data has changed, and the test must say so.
    """
    if not present():
        pytest.skip(ABSENT)
    path = _ROOT / name
    assert path.exists(), f"{name} is missing from the shared data"
    return path
