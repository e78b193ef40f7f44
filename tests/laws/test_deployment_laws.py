"""Laws of the local Lambda: what a signature does not vouch for never gets in, and what is published never changes."""

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shipsafe.local.call import ApiError
from shipsafe.local.pki import LocalRoot
from shipsafe.signing.layout import ENTRY
from tests.local.functions.world import FILES, Local, a_root, entries, zipped

_EDITS = st.lists(
    st.tuples(st.sampled_from(["set", "insert", "delete", "cut"]), st.integers(0, 10_000), st.binary(min_size=1, max_size=4)), max_size=4
)
_NAMES = st.sampled_from(["handler.py", "lib/data.txt", "a.py", "META_INF/", ENTRY, "meta_inf/x"])


@pytest.fixture(scope="module")
def root() -> Iterator[LocalRoot]:
    with TemporaryDirectory() as folder:
        yield a_root(Path(folder) / "root")


def _edited(body: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    out = bytearray(body)
    for kind, place, text in edits:
        at = place % (len(out) + 1)
        if kind == "set":
            out[at : at + len(text)] = text
        elif kind == "insert":
            out[at:at] = text
        elif kind == "delete":
            del out[at : at + len(text)]
        else:
            del out[max(at, 1) :]
    return bytes(out)


def _accepted(local: Local, code: bytes) -> bool:
    """Whether it is deployed; a refusal is one of Lambda's own."""
    refused = _refusal(local, code)
    assert refused in ("", "CodeVerificationFailedException", "InvalidParameterValueException")
    assert (local.configured()["LastUpdateStatus"] == "InProgress") == (refused == "")
    local.settle()
    return not refused


def _refusal(local: Local, code: bytes, **more: Any) -> str:
    """The exception's name, "" for none."""
    try:
        local("UpdateFunctionCode", FunctionName="orders", ZipFile=code, **more)
    except ApiError as error:
        return error.code
    return ""


def _bound(root: LocalRoot, policy: str) -> tuple[Local, bytes]:
    local = Local(root)
    signed = local.sign(zipped())
    local.create(code=signed, CodeSigningConfigArn=local.config(policy))
    return local, signed


@settings(max_examples=300, deadline=None)
@given(edits=_EDITS, policy=st.sampled_from(["Enforce", "Warn"]))
def test_whatever_is_done_to_the_bytes_only_the_signed_contents_get_in(
    root: LocalRoot, edits: list[tuple[str, int, bytes]], policy: str
) -> None:
    local, signed = _bound(root, policy)
    _check(local, signed, _edited(signed, edits), policy)


@pytest.mark.parametrize("first", [b"\x00", b"m"])
@pytest.mark.parametrize("policy", ["Enforce", "Warn"])
def test_a_signature_that_the_directory_calls_otherwise_is_none(root: LocalRoot, policy: str, first: bytes) -> None:
    """The header in front of it names it as before: a zip that Lambda takes under Warn, and that Python cannot read to its end."""
    local, signed = _bound(root, policy)
    _check(local, signed, _edited(signed, [("set", signed.rindex(ENTRY.encode()), first)]), policy)


def _check(local: Local, signed: bytes, code: bytes, policy: str) -> None:
    """Of what is accepted under Enforce, and of what has a signature, nothing is other than what was signed."""
    if _accepted(local, code):
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            names = archive.namelist()
        if policy == "Enforce" or ENTRY in names:
            assert entries(code) == entries(signed)


@settings(max_examples=150, deadline=None)
@given(files=st.lists(st.tuples(_NAMES, st.sampled_from([*FILES.values(), b"", b"evil"])), max_size=6), keep=st.booleans())
def test_whatever_is_put_beside_a_signature_only_the_signed_contents_get_in(
    root: LocalRoot, files: list[tuple[str, bytes]], *, keep: bool
) -> None:
    local, signed = _bound(root, "Enforce")
    signature = dict(entries(signed))[ENTRY]
    names: set[str] = set()
    unique = [(name, body) for name, body in files if not (name in names or names.add(name))]  # type: ignore[func-returns-value] # add gives None
    code = zipped([*unique, *([(ENTRY, signature)] if keep and ENTRY not in names else [])], zipfile.ZIP_STORED)
    if _accepted(local, code):
        assert entries(code) == entries(signed)


class Deployments(RuleBasedStateMachine):
    """Any order of changes: versions stay, revisions guard, aliases lead to what is there."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.local = Local(a_root(Path(self.folder.name) / "root"))
        self.published: dict[str, dict[str, Any]] = {}

    def teardown(self) -> None:
        self.folder.cleanup()

    @initialize()
    def create(self) -> None:
        self.local.create()

    @rule(number=st.integers(0, 3), publish=st.booleans(), wait=st.booleans())
    def update(self, number: int, *, publish: bool, wait: bool) -> None:
        code = zipped({"handler.py": str(number).encode()})
        busy = self.local.configured()["LastUpdateStatus"] == "InProgress"
        refused = _refusal(self.local, code, Publish=publish)
        assert refused == ("ResourceConflictException" if busy else "")
        if publish and not refused:
            newest = self.local("ListVersionsByFunction", FunctionName="orders")["Versions"][-1]
            self._remember(newest)
        if wait:
            self.local.settle()

    @rule(stale=st.booleans())
    def publish(self, *, stale: bool) -> None:
        self.local.settle()
        latest = self.local.configured()
        if stale:
            with pytest.raises(ApiError, match="Revision Id"):
                self.local("PublishVersion", FunctionName="orders", RevisionId="stale")
            return
        answer = self.local("PublishVersion", FunctionName="orders", RevisionId=latest["RevisionId"], CodeSha256=latest["CodeSha256"])
        assert answer["CodeSha256"] == latest["CodeSha256"]
        self._remember(answer)

    @rule(timeout=st.integers(1, 3))
    def configure(self, timeout: int) -> None:
        self.local.settle()
        self.local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=timeout)

    @rule(seconds=st.integers(0, 3))
    def wait(self, seconds: int) -> None:
        self.local.clock.moved += timedelta(seconds=seconds)

    @rule()
    def restart(self) -> None:
        kept = self.local.core.snapshot()
        self.local.core = self.local.new()
        self.local.core.restore(kept)

    def _remember(self, answer: dict[str, Any]) -> None:
        self.published.setdefault(answer["Version"], answer)

    @invariant()
    def versions_never_change(self) -> None:
        for number, published in self.published.items():
            now = self.local.configured(Qualifier=number)
            assert all(now[name] == published[name] for name in ("CodeSha256", "Timeout", "RevisionId", "LastModified", "ConfigSha256"))

    @invariant()
    def the_function_stays_active(self) -> None:
        if self.local("ListFunctions")["Functions"]:
            now = self.local.configured()
            assert now["State"] == "Active"
            assert now["LastUpdateStatus"] in ("InProgress", "Successful")


Deployments.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_deployments_in_any_order = Deployments.TestCase
