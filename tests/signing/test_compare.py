"""A signed zip is the unsigned one and its signature, and nothing else."""

import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipsafe.errors import IntegrityError
from shipsafe.local.sign_zip import sign_zip
from shipsafe.signing.compare import compare
from shipsafe.signing.layout import ENTRY, FOLDER
from tests.signing.zips import zip_bytes

FILES = {"app.py": b"def handler(event, context): ...\n" * 400, "lib/data.bin": bytes(range(256)) * 4096, "empty.txt": b""}


def _sign(archive: bytes) -> bytes:
    return sign_zip(archive, lambda _digest: b"a signature")


def _compare(unsigned: bytes, signed: bytes) -> tuple[str, ...]:
    return compare(io.BytesIO(unsigned), io.BytesIO(signed))


def _with_signature(files: dict[str, bytes], **words: int) -> bytes:
    return zip_bytes({**files, ENTRY: b"a signature"}, mode=words.get("mode", 0o644), level=words.get("level", 6))


def test_what_signer_appends_is_no_difference() -> None:
    unsigned = zip_bytes(FILES)
    assert _compare(unsigned, _sign(unsigned)) == ()


def test_another_compression_is_no_difference() -> None:
    unsigned = zip_bytes(FILES, level=9)
    assert _compare(unsigned, _with_signature(FILES, level=1)) == ()
    assert _compare(zip_bytes(FILES, method=zipfile.ZIP_STORED), _with_signature(FILES)) == ()


@pytest.mark.parametrize("name", ["app.py", "lib/data.bin"])
def test_one_changed_byte_is_found(name: str) -> None:
    changed = {**FILES, name: FILES[name][:-1] + b"!"}
    with pytest.raises(IntegrityError, match="has other bytes"):
        _compare(zip_bytes(FILES), _with_signature(changed))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda files: {"app.pyd": files.pop("app.py"), **files}, "'app.pyd' where the unsigned one has 'app.py'"),
        (lambda files: dict(reversed(files.items())), "'empty.txt' where the unsigned one has 'app.py'"),
        (lambda files: {**files, "evil.py": b""}, "'evil.py' where the unsigned one has nothing more"),
        (lambda files: {name: body for name, body in files.items() if name != "empty.txt"}, "has nothing where .* 'empty.txt'"),
        (lambda files: {**files, "META_INF/evil.py": b""}, "'META_INF/evil.py'"),
    ],
)
def test_a_renamed_moved_added_or_lost_entry_is_found(change: Callable[[dict[str, bytes]], dict[str, bytes]], told: str) -> None:
    with pytest.raises(IntegrityError, match=told):
        _compare(zip_bytes(FILES), _with_signature(change(dict(FILES))))


def test_a_boundary_that_was_moved_is_found_although_the_digest_of_signer_is_the_same() -> None:
    """`app.py` with `def` and `app.pyd` with `ef` give one digest: names and bodies are joined without a mark."""
    with pytest.raises(IntegrityError, match="where the unsigned one has"):
        _compare(zip_bytes({"app.py": b"def"}), _with_signature({"app.pyd": b"ef"}))


def test_a_file_that_was_made_a_link_or_a_program_is_found() -> None:
    for mode in (0o120777, 0o755, 0o000):
        with pytest.raises(IntegrityError, match="has other rights"):
            _compare(zip_bytes(FILES), _with_signature(FILES, mode=mode))


def test_a_signed_zip_that_knows_no_rights_is_told_of() -> None:
    signed = zip_bytes({**FILES, ENTRY: b"a signature"}, mode=None)
    assert _compare(zip_bytes(FILES), signed) == ("The signed zip says nothing of the rights of its files; the unsigned one does.",)


def test_bytes_behind_the_folder_of_the_signature_are_found() -> None:
    with pytest.raises(IntegrityError, match="folder 'META_INF/' has content"):
        _compare(zip_bytes(FILES), zip_bytes({**FILES, FOLDER: b"hidden", ENTRY: b"a signature"}))


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}\.py", fullmatch=True), st.binary(max_size=2000), min_size=1, max_size=5), st.data())
def test_law_signing_changes_nothing_and_any_change_of_a_body_is_found(files: dict[str, bytes], data: st.DataObject) -> None:
    unsigned = zip_bytes(files)
    assert _compare(unsigned, _sign(unsigned)) == ()

    name = data.draw(st.sampled_from(sorted(files)))
    other = data.draw(st.binary(max_size=2000).filter(lambda body: body != files[name]))
    with pytest.raises(IntegrityError):
        _compare(unsigned, _with_signature({**files, name: other}))
