"""Kinds of tampering with an override: who lets through what the gates do not, and nothing beside it."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from shipsafe.evidence.envelope import payload, read_envelope, statement_of
from tests.evidence.speakers import key
from tests.tampering import envelopes
from tests.tampering.envelopes import GATES, OVERRIDE, Document, Key
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words
from tests.tampering.world import advisory, shipsafe

OVERRIDES = Group("Break-glass: a release that somebody answers for")
VERIFY = ("verify", "dist")
_SHELL = "import subprocess\n\n\ndef handler(event, context):\n    return subprocess.call(event['x'], shell=True)\n"
_DAY = timedelta(days=1)
NAMES = ("Pay", "Stock")
ON_CALL = Key("oncall", key("oncall"))


def _overridden(trial: Trial) -> None:
    """The project with a finding that blocks, built under an override; once for all rows of a world."""
    made = trial.world.project.parent / "overridden"
    if not made.exists():
        shutil.rmtree(trial.dist)
        (trial.root / "pay" / "app.py").write_text(_SHELL)
        trial.policy(lambda text: text + ON_CALL.table("overrider"))
        _build(trial)
        shutil.copytree(trial.root, made)
    shutil.rmtree(trial.root)
    shutil.copytree(made, trial.root)


def _build(trial: Trial) -> None:
    (trial.root.parent / ".gitconfig").write_text("[user]\n\temail = jo@acme.example\n")
    trial.monkeypatch.setenv("HOME", str(trial.root.parent))
    keys = [word for one in (trial.world.builder, ON_CALL) for word in ("--key", one.write(trial.root.parent))]
    done = shipsafe("build", *keys, "--break-glass", "The shop is down", "--second", "sam@acme.example", cwd=trial.root)
    assert done.code == 0, done.out + done.err


def _change(trial: Trial, change: Callable[[bytes], bytes]) -> None:
    """Another envelope in the place of the override, in every bundle."""
    for name in NAMES:
        trial.rewrite_bundle(envelopes.replaced(trial.bundle(name), OVERRIDE, change), name)


def _restate(trial: Trial, edit: Callable[[Document], object], *keys: Key) -> None:
    """Another override, signed by these keys, and named by the gates' statement of the builder as the one that it had."""
    _change(trial, lambda line: envelopes.edited(line, _said(edit), keys))
    (line,) = (line for line in trial.bundle() if envelopes.is_of(line, OVERRIDE))
    digest = sha256(payload(statement_of(read_envelope(line, shown="it"), shown="it"))).hexdigest()
    trial.rewrite_manifest(lambda document: document["override"].update(statement=digest))
    renamed = _said(lambda said: said.update(override=digest))
    for name in NAMES:
        lines = envelopes.replaced(trial.bundle(name), GATES, lambda line: envelopes.edited(line, renamed, [trial.world.builder]))
        trial.rewrite_bundle(lines, name)


def _said(edit: Callable[[Document], object]) -> Callable[[Document], None]:
    """Changes what a statement says."""

    def changed(document: Document) -> None:
        edit(document["predicate"])

    return changed


def _lasting(time: timedelta) -> Callable[[Document], None]:
    """An override that begins when it did, and ends after that time."""

    def edit(said: Document) -> None:
        said["until"] = (datetime.fromisoformat(said["at"]) + time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return edit


@OVERRIDES("nothing is changed", 1)
def _(trial: Trial) -> Words:
    """The release, as it was built: nobody can take it for one that passed."""
    _overridden(trial)
    return VERIFY


@OVERRIDES("three days later", 1)
def _(trial: Trial) -> Words:
    """The override has ended: what was let through in its time stays what it is, and no later step goes on with it."""
    _overridden(trial)
    trial.clock(3 * _DAY)
    return VERIFY


@OVERRIDES("an override that was taken out", 5)
def _(trial: Trial) -> Words:
    """The bundles have no override any more, and the gates' statements are as they were."""
    _overridden(trial)
    for name in NAMES:
        trial.rewrite_bundle(envelopes.without(trial.bundle(name), OVERRIDE), name)
    return VERIFY


@OVERRIDES("a pass in the manifest", 1)
def _(trial: Trial) -> Words:
    """The manifest says that the gates let it pass, and names no override: what counts stands in the bundles."""
    _overridden(trial)

    def edit(document: Document) -> None:
        document["verdict"]["decision"] = "PASS"
        document.pop("override", None)

    trial.rewrite_manifest(edit)
    return VERIFY


@OVERRIDES("another reason", 5)
def _(trial: Trial) -> Words:
    """The override gives another reason, under the signature that it had."""
    _overridden(trial)
    _change(trial, lambda line: envelopes.payload_edited(line, _said(lambda said: said.update(reason="A drill"))))
    return VERIFY


@OVERRIDES("the builder overrides", 5)
def _(trial: Trial) -> Words:
    """The override is signed by the key that may only speak as builder."""
    _overridden(trial)
    _restate(trial, lambda _: None, trial.world.builder)
    return VERIFY


@OVERRIDES("a stranger overrides", 5)
def _(trial: Trial) -> Words:
    """The override is signed by a key that the policy does not list."""
    _overridden(trial)
    _restate(trial, lambda _: None, Key.new("stranger"))
    return VERIFY


@OVERRIDES("the override of another release", 5)
def _(trial: Trial) -> Words:
    """A genuine override of the same finding in other code lies in the bundles."""
    _overridden(trial)
    shutil.copytree(trial.dist, trial.root.parent / "kept")
    (trial.root / "pay" / "app.py").write_text(_SHELL + "\n\nMORE = 1\n")
    _build(trial)
    (theirs,) = (line for line in trial.bundle() if envelopes.is_of(line, OVERRIDE))
    shutil.rmtree(trial.dist)
    shutil.move(trial.root.parent / "kept", trial.dist)
    _change(trial, lambda _: theirs)
    return VERIFY


@OVERRIDES("an override of nothing", 1)
def _(trial: Trial) -> Words:
    """Whoever is on call signs an override that does not name the finding: it lets nothing through."""
    _overridden(trial)
    _restate(trial, lambda said: said.update(findings=[], unanswered=[]), ON_CALL)
    return VERIFY


@OVERRIDES("an override of one zip alone", 5)
def _(trial: Trial) -> Words:
    """Whoever is on call signs an override about Stock's zip, and Pay's is not among its subjects."""
    _overridden(trial)

    def edit(document: Document) -> None:
        document["subject"] = [one for one in document["subject"] if "Stock" in one["name"]]

    _change(trial, lambda line: envelopes.edited(line, edit, [ON_CALL]))
    return VERIFY


@OVERRIDES("an override for a year", 5)
def _(trial: Trial) -> Words:
    """Whoever is on call signs that it holds for 365 days."""
    _overridden(trial)
    _restate(trial, _lasting(365 * _DAY), ON_CALL)
    return VERIFY


@OVERRIDES("longer than the policy allows", 5)
def _(trial: Trial) -> Words:
    """The policy of whoever verifies allows eight hours, and it holds for a day."""
    _overridden(trial)
    trial.policy(lambda text: text + '\n[break-glass]\nlongest = "8h"\n')
    return VERIFY


@OVERRIDES("nobody agreed", 5)
def _(trial: Trial) -> Words:
    """The policy wants a second person, and whoever is on call signs that it is the first, in other letters."""
    _overridden(trial)
    trial.policy(lambda text: text + "\n[break-glass]\nsecond-person = true\n")
    _restate(trial, lambda said: said.update(second="JO@acme.example"), ON_CALL)
    return VERIFY


@OVERRIDES("one key of two", 5)
def _(trial: Trial) -> Words:
    """The policy wants two keys of overriders, and one has signed."""
    _overridden(trial)
    trial.policy(lambda text: text + "\n[attest]\noverriders = 2\n" + Key.new("second").table("overrider"))
    return VERIFY


@OVERRIDES("a policy that takes none", 5)
def _(trial: Trial) -> Words:
    """The policy of whoever verifies allows no override."""
    _overridden(trial)
    trial.policy(lambda text: text + "\n[break-glass]\nallowed = false\n")
    return VERIFY


@OVERRIDES("what nobody can answer for", 1)
def _(trial: Trial) -> Words:
    """The policy of whoever verifies lists the rule among those that nobody can let through."""
    _overridden(trial)
    trial.policy(lambda text: 'unwaivable = ["lint/B602"]\n' + text)
    return VERIFY


@OVERRIDES("a finding that was not there", 1)
def _(trial: Trial) -> Words:
    """An advisory about a dependency of Pay became known after the override."""
    _overridden(trial)
    advisory(trial.root, "PYSEC-2026-2", "rates")
    return VERIFY


@OVERRIDES("gates that passed it after all", 1)
def _(trial: Trial) -> Words:
    """The builder's own key calls it a PASS; what the gates found stands there as before, and is judged again."""
    _overridden(trial)
    trial.restate(GATES, _said(lambda said: (said.update(decision="PASS"), said.pop("override", None))))
    return VERIFY
