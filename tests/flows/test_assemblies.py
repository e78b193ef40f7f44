"""A copy of a cloud assembly is written inside the copy."""

from pathlib import Path

import pytest

from shipsafe.errors import ConfigError
from shipsafe.flows.assemblies import Copy
from tests.readers.writing import write


def test_a_link_in_an_assembly_does_not_lead_what_is_written_elsewhere(tmp_path: Path) -> None:
    source, out = tmp_path / "cdk.out", tmp_path / "out"
    write(source, {"manifest.json": "{}", "real/t.json": "old"})
    (source / "link").symlink_to(source / "real")  # what is read through it lies inside, and what is written would not
    with pytest.raises(ConfigError, match="lies behind a link"):
        Copy(source=source, out=out, changed={"link/t.json": b"new"}).write()
    assert (source / "real" / "t.json").read_text() == "old"
    assert {one.name for one in tmp_path.iterdir()} == {"cdk.out"}
