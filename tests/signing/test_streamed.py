"""A large zip streams through: nothing of it is held in memory."""

import random
import subprocess
import sys
import zipfile
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE
from tests.signing.place import Site

SIZE = 48  # MiB
LIMIT = 12 * MEBIBYTE


def test_a_large_zip_is_signed_in_little_memory(site: Site, repository: Path) -> None:
    """Measured in a process of its own: the endpoint of this one holds all objects in memory."""
    chance = random.Random(1)  # noqa: S311 - bytes that cannot be compressed
    path = site.folder / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(SIZE // 16):
            archive.writestr(f"data/{number}.bin", chance.randbytes(16 * MEBIBYTE))
    assert path.stat().st_size > 3 * LIMIT

    command = [sys.executable, "-m", "tests.signing.streamed", str(site.folder), str(path)]
    told = subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True, timeout=1200)

    assert told.returncode == 0, told.stderr
    assert int(told.stdout) < LIMIT
