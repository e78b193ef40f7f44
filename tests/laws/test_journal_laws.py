"""Whatever lies in the journal's place, a run can read it and go on writing."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shipsafe.signing.journal import NAME, Journal

TICKET = "9d" * 32
JOB = "6bc1c1d3-0000-4000-8000-000000000001"
_FACT = b'{"fact":"started","ticket":"' + TICKET.encode() + b'","attempt":1,"job":"' + JOB.encode() + b'"}\n'


@given(st.lists(st.one_of(st.binary(max_size=300), st.just(_FACT), st.integers(0, len(_FACT)).map(lambda cut: _FACT[:cut])), max_size=6))
def test_what_is_written_behind_any_bytes_is_read_again(parts: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / NAME).write_bytes(b"".join(parts))

        journal = Journal.open(folder)
        before = journal.attempt(TICKET)
        journal.note_failed(TICKET, 2, JOB)

        again = Journal.open(folder).attempt(TICKET)
        assert before is None or before.number == 1
        assert again is not None
        assert (again.number, again.failed) == (2, True)
