"""Laws of RECORD: a file is a dependency's exactly when a RECORD has its hash, whatever else the RECORDs say."""

import base64
import hashlib
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.packing.records import read_records
from tests.packing.trees import entry

NAMES = st.sampled_from(["a.py", "b.py", "pkg/__init__.py", "pkg/c.so", "bin/run", "python/d.py"])
CONTENTS = st.sampled_from([b"", b"x = 1\n", b"y = 2\n"])
HASHES = st.one_of(
    CONTENTS.map(lambda data: f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}"),
    st.sampled_from(["", "md5=abc", "sha256=", "sha256=%%%", "sha512=AAAA"]),
)
ROWS = st.lists(
    st.tuples(st.one_of(NAMES, st.sampled_from(["../../bin/run", "../a.py", "/etc/passwd", "", "gone.py"])), HASHES), max_size=8
)


@given(files=st.dictionaries(NAMES, CONTENTS, max_size=5), rows=ROWS, more=ROWS)
def test_a_file_is_a_dependencys_exactly_when_a_record_has_its_hash(
    files: dict[str, bytes], rows: list[tuple[str, str]], more: list[tuple[str, str]]
) -> None:
    records = {
        f"{name}-1.dist-info/RECORD": "".join(f"{path},{digest},1\n" for path, digest in listed).encode()
        for name, listed in (("one", rows), ("two", more))
    }
    with tempfile.TemporaryDirectory() as folder:
        entries = {path: entry(Path(folder), path, data) for path, data in {**files, **records}.items()}
        owned = read_records(entries)
    right = {
        path for path, data in files.items()
        if any(_means(row, path) and digest == _sha256(data) for row, digest in (*rows, *more))
    }  # fmt: skip
    assert owned.unchanged.keys() - records.keys() == right
    assert owned.changed.keys().isdisjoint(right)
    assert (owned.unchanged.keys() | owned.changed.keys()) <= entries.keys()


def _means(row: str, path: str) -> bool:
    return row == path or (row == "../../bin/run" and path == "bin/run")


def _sha256(data: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}"
