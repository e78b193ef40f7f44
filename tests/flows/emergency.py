"""A project whose lint gate blocks, and people who answer for it: built under an override, by the flow itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipsafe.adapters.http import fetch
from shipsafe.adapters.timeline import Timeline
from shipsafe.evidence.envelope import read_bundle, statement_of
from shipsafe.flows.build import build
from shipsafe.flows.request import Request
from shipsafe.model.attestation import Envelope, Predicate, Statement
from shipsafe.model.override import BreakGlass
from shipsafe.model.policy import Policy
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision
from shipsafe.packing.release import Release, read_release
from shipsafe.policy import load
from shipsafe.reports.live import silent_progress
from tests.evidence.speakers import key
from tests.tampering.envelopes import Key

NOW = datetime(2026, 11, 21, 3, 0, 5, tzinfo=UTC)
ASKED = BreakGlass(reason="The shop is down", by="jo@acme.example", second="sam@acme.example")
BUILDER, ON_CALL, SECOND, SIGNER = (Key(name, key(name)) for name in ("ci", "oncall", "second", "releases"))
TRUSTED = BUILDER.table("builder") + ON_CALL.table("overrider") + SIGNER.table("signer")
POLICY = """\
accounts = ["123456789012"]

[advisories]
source = { path = "advisories", date = 2026-11-01 }
max-age = "off"

[[functions]]
name = "Pay"
handler = "app.handler"
runtime = "python3.13"
code = "pay"

[[functions]]
name = "Stock"
handler = "app.handler"
runtime = "python3.13"
code = "stock"
"""
SHELL = "import subprocess\n\n\ndef handler(event, context):\n    return subprocess.call(event['x'], shell=True)\n"
FINE = "def handler(event, context):\n    return 'fine'\n"


@dataclass(frozen=True)
class Shop:
    """The project's folder."""

    root: Path

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    @property
    def release(self) -> Release:
        return read_release(self.dist)

    def policy(self) -> Policy:
        return load(self.root, offline=True, cache=self.root / "none", fetch=fetch, today=NOW.date())

    def allow(self, text: str) -> None:
        """Another policy, in the place of the one that there is."""
        (self.root / "shipsafe.toml").write_text(text)

    def build(self, *keys: Key, asked: BreakGlass | None = ASKED, now: Callable[[], datetime] = lambda: NOW) -> RunRecord:
        request = Request(
            path=self.root, today=now().date(), out=self.dist, offline=True, break_glass=asked,
            keys=tuple(one.write(self.root) for one in keys),
        )  # fmt: skip
        return build(request, silent_progress(), Timeline(), now=now)

    def envelopes(self, name: str = "Pay") -> tuple[Envelope, ...]:
        return read_bundle((self.dist / f"{name}.intoto.jsonl").read_bytes(), shown=name)

    def statements(self, kind: Predicate, name: str = "Pay") -> list[Statement]:
        return [one for one in map(read, self.envelopes(name)) if one.kind == kind]


def read(envelope: Envelope) -> Statement:
    return statement_of(envelope, shown="test")


def make_shop(root: Path, more: str = "", *, code: Iterable[tuple[str, str]] = (("pay", SHELL), ("stock", FINE))) -> Shop:
    for name, text in code:
        (root / name).mkdir(parents=True)
        (root / name / "app.py").write_text(text)
    (root / "advisories").mkdir()
    (root / "advisories" / "PYSEC-2026-1.json").write_text('{"id": "PYSEC-2026-1", "modified": "2026-01-01T00:00:00Z", "affected": []}')
    shop = Shop(root)
    shop.allow(POLICY + more)
    return shop


def overridden(home: Path, more: str = TRUSTED, *, builder: Key = BUILDER, now: Callable[[], datetime] = lambda: NOW) -> Shop:
    """The project below a folder, built under an override with caches of its own: once for the tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPSAFE_CACHE_DIR", str(home / "cache"))
        patch.setenv("SHIPSAFE_CONFIG_DIR", str(home / "config"))
        shop = make_shop(home / "project", more)
        record = shop.build(builder, ON_CALL, now=now)
    assert record.verdict.decision is Decision.OVERRIDDEN, record.hints
    return shop
