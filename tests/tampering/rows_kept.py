"""Kinds of tampering with kept evidence, when there is no release at hand: a folder, as the store of a bucket is laid out."""

import shutil
from hashlib import sha256
from pathlib import Path

from shipsafe.evidence.envelope import read_envelope, statement_of
from shipsafe.evidence.store import open_store
from tests.tampering import envelopes
from tests.tampering.live import deploy
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words

KEPT = Group("Kept evidence, without a release")
ASKED = ("verify", "--function", "Pay:live", "--evidence", "kept")


def _kept(trial: Trial) -> Path:
    """Everything that was stated of Pay and Stock, kept; Pay is deployed, and no release is there any more. Gives the folder."""
    deploy(trial)
    store = open_store("kept", home=trial.root)
    for line in (*trial.bundle(), *trial.bundle("Stock")):
        envelope = read_envelope(line, shown="a bundle")
        store.keep(envelope, statement_of(envelope, shown="a bundle"))
    shutil.rmtree(trial.dist)
    return trial.root / "kept" / "sha256"


def _signed(trial: Trial, name: str = "Pay") -> str:
    return sha256(trial.world.signed[name]).hexdigest()


@KEPT("nothing is changed", 0)
def _(trial: Trial) -> Words:
    """What runs is found by its CodeSha256 alone."""
    _kept(trial)
    return ASKED


@KEPT("deleted evidence", 5)
def _(trial: Trial) -> Words:
    """Everything about the signed zip is deleted."""
    shutil.rmtree(_kept(trial) / _signed(trial))
    return ASKED


@KEPT("a deleted provenance", 5)
def _(trial: Trial) -> Words:
    """The provenance is deleted wherever it lies."""
    for path in _kept(trial).glob("*/provenance-*"):
        path.unlink()
    return ASKED


@KEPT("an overwritten envelope", 5)
def _(trial: Trial) -> Words:
    """Another provenance lies under the name of the genuine one."""
    for path in _kept(trial).glob("*/provenance-*"):
        path.chmod(0o600)
        path.write_bytes(envelopes.payload_edited(path.read_bytes(), lambda document: document["predicate"].update(more={})))
    return ASKED


@KEPT("the evidence of another zip", 5)
def _(trial: Trial) -> Words:
    """Stock's envelopes lie under Pay's digest, genuine every one."""
    kept = _kept(trial)
    shutil.rmtree(kept / _signed(trial))
    shutil.copytree(kept / _signed(trial, "Stock"), kept / _signed(trial))
    return ASKED
