"""Small zips for tests of signing."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from shipsafe.signing.ticket import Unsigned

WHEN = (1980, 1, 1, 0, 0, 0)


def zip_bytes(files: Mapping[str, bytes], *, mode: int | None = 0o644, level: int = 6, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files in that order; `mode` None for one that says nothing of rights."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method, compresslevel=level) as archive:
        for name, body in files.items():
            info = zipfile.ZipInfo(name, WHEN)
            info.compress_type = method
            archive.writestr(info, body)
            info.external_attr = 0 if mode is None else (0o100000 | mode) << 16
    return data.getvalue()


def unsigned(folder: Path, name: str, data: bytes) -> Unsigned:
    """A zip on the disk, as it was judged."""
    path = folder / f"{name}.zip"
    path.write_bytes(data)
    return Unsigned(name=name, path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
