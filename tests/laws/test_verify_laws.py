"""Whatever somebody writes into a release, verifying it ends in a chain and never in an error of Python; and a changed zip never holds."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipsafe.errors import ExitCode, ShipsafeError
from shipsafe.evidence.envelope import read_envelope, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.local.pki import LocalRoot
from shipsafe.model.chain import Hold
from shipsafe.verify import verify_release, verify_zip
from tests.verify.desk import BUILDER, SIGNER, Desk, make_desk, put

_JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 10**30, "", "x", "\u0000", "\x1b[31m", "a" * 4000, [], [[]], {}, {"a": 1}, [None], ["x"], 1.5]
)
_ONE_AT_A_TIME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, local_root: LocalRoot) -> Desk:
    """A release with its signed zip, in which everything is put back after each change."""
    home = tmp_path_factory.mktemp("laws")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPSAFE_CACHE_DIR", str(home / "cache"))
        patch.setenv("SHIPSAFE_CONFIG_DIR", str(home / "config"))
        desk = make_desk(home, local_root)
        desk.sign()
    return desk


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield way
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*way, key))


def _put(value: Any, way: tuple[Any, ...], junk: Any) -> Any:
    if not way:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = _put(copy[way[0]], way[1:], junk)
    return copy


def _check(desk: Desk) -> list[ExitCode]:
    codes = []
    request = desk.request(release=desk.dist, jobs=1)
    for path in (None, desk.project / "signed.zip"):
        try:
            found = verify_release(desk.dist, request) if path is None else verify_zip(path, request)
        except ShipsafeError as error:
            codes.append(error.exit_code)
        else:
            assert found.chains[0].links
            codes.append(found.exit_code)
    return codes


@given(st.data())
@_ONE_AT_A_TIME
def test_junk_in_a_statement_that_its_own_speaker_signed_ends_in_a_chain(signed: Desk, data: st.DataObject) -> None:
    lines, manifest = signed.lines, (signed.dist / "shipsafe.json").read_bytes()
    number = data.draw(st.integers(0, len(lines) - 1))
    said = statement_of(read_envelope(lines[number], shown=""), shown="")
    way = data.draw(st.sampled_from(list(_places(said.predicate))[1:]))
    changed = replace(said, predicate=_put(said.predicate, way, data.draw(_JUNK)))
    speaker = SIGNER if said.kind == "urn:shipsafe:signing:v1" else BUILDER
    try:
        signed.write_lines([written(changed, [FileSigner(speaker.private)]) if one == number else line for one, line in enumerate(lines)])
        assert all(code in (0, 1, 4, 5) for code in _check(signed))
    finally:
        signed.write_lines(lines)
        put(signed.dist / "shipsafe.json", manifest)


@given(st.data())
@_ONE_AT_A_TIME
def test_junk_in_a_manifest_ends_in_a_chain_or_in_an_error_of_ours(signed: Desk, data: st.DataObject) -> None:
    path = signed.dist / "shipsafe.json"
    before = path.read_bytes()
    document = json.loads(before)
    way = data.draw(st.sampled_from(list(_places(document))))
    try:
        put(path, json.dumps(_put(document, way, data.draw(_JUNK))).encode())
        assert all(code in (0, 1, 3, 4, 5) for code in _check(signed))
    finally:
        put(path, before)


@given(st.data())
@_ONE_AT_A_TIME
def test_a_zip_of_which_one_byte_is_another_never_holds(signed: Desk, data: st.DataObject) -> None:
    for path in (signed.dist / "Pay.zip", signed.project / "signed.zip"):
        before = path.read_bytes()
        at = data.draw(st.integers(0, len(before) - 1))
        changed = bytearray(before)
        changed[at] ^= data.draw(st.integers(1, 255))
        try:
            put(path, bytes(changed))
            request = signed.request(release=signed.dist, jobs=1)
            found = verify_release(signed.dist, request) if path.name == "Pay.zip" else verify_zip(path, request)
            assert found.exit_code is ExitCode.INTEGRITY
            assert next(one for one in found.chains[0].links if one.id == "zip").hold is Hold.BROKEN
        finally:
            put(path, before)


@given(st.data())
@_ONE_AT_A_TIME
def test_a_bundle_of_which_one_byte_is_another_never_holds(signed: Desk, data: st.DataObject) -> None:
    path, manifest = signed.dist / "Pay.intoto.jsonl", (signed.dist / "shipsafe.json").read_bytes()
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    changed = bytearray(before)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        put(path, bytes(changed))
        assert _check(signed)[0] is ExitCode.INTEGRITY
        digest = hashlib.sha256(changed).hexdigest()
        signed.edit_manifest(lambda pay: pay["evidence"].update(sha256=digest))  # and a manifest that fits it
        assert _check(signed)[0] in (ExitCode.INTEGRITY, ExitCode.PASS)  # a byte between two members of JSON may be another one
    finally:
        put(path, before)
        put(signed.dist / "shipsafe.json", manifest)


def test_the_release_of_these_laws_holds(signed: Desk) -> None:
    assert _check(signed) == [ExitCode.PASS, ExitCode.PASS]
    assert Path(signed.project / "signed.zip").is_file()
