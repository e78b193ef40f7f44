"""A link that came with an output folder is not followed, whatever it stands in the place of."""

from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.packing.output import Output


def test_what_is_being_made_is_not_made_where_a_link_leads(tmp_path: Path) -> None:
    """As a rule what was packed before is gone by then; a folder without rights cannot be emptied."""
    theirs, output = tmp_path / "theirs", Output(tmp_path / "dist")
    theirs.mkdir()
    (output.store / "work").mkdir(parents=True)
    (output.store / "work" / "function-Pay").symlink_to(theirs)
    with pytest.raises(IncompleteError, match="is not followed"):
        output.workplace("function:Pay")
