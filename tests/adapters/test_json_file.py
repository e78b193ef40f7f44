"""JSON files that somebody else wrote: bounded, and never an exception of Python's."""

from pathlib import Path

import pytest

from shipsafe.adapters.json_file import read_json
from shipsafe.errors import ConfigError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_every_encoding_that_json_may_have_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "x.json").write_text('{"a": "é", "b": "\\ud83d\\ude00"}', encoding=encoding)
    assert read_json(tmp_path / "x.json", limit=1000, shown="x.json") == {"a": "é", "b": "\N{GRINNING FACE}"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "x.json:1:2: Not JSON"),
        (b"\xff\xfe\xff", "not text"),
        (b'"\xe9"', "not text"),
        (b'{"a": "\\ud800"}', "not text"),
        (b'{"\\udfff": 1}', "not text"),
        (b"[" * 200_000, "Nested too deep"),
        (b"1" * 5000, "Not JSON"),
        (b" " * 10_001, "Larger than"),
    ],
)
def test_everything_else_is_refused_with_the_place(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_json(tmp_path / "x.json", limit=300_000 if data[:1] == b"[" else 10_000, shown="x.json")
