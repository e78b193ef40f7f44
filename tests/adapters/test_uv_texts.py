"""What is shown of addresses: never who signs in there, and never another host than the one that is asked."""

import pytest

from shipsafe.adapters.uv import short, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@host/simple", "https://host/simple"),
        ("https://me:p@ss@host/simple", "https://host/simple"),
        ("https://token@host and git+ssh://me:x@other/p.git", "https://host and git+ssh://other/p.git"),
        ("https://host/p@1.0", "https://host/p@1.0"),
        ("https://evil.example?@pypi.org/simple", "https://evil.example?@pypi.org/simple"),
        ("https://evil.example#@pypi.org/simple", "https://evil.example#@pypi.org/simple"),
        ("https://evil.example\\@pypi.org/simple", "https://evil.example\\@pypi.org/simple"),
    ],
)
def test_credentials_are_left_out_and_hosts_stay(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_a_text_is_cut_after_its_credentials_are_taken_out() -> None:
    assert short(f"{'p' * 60} @ https://me:{'x' * 100}@host/p") == f"{'p' * 60} @ https://host/p"
    assert len(short("x" * 1000)) == 80
