"""Break-glass: an override is made once, at `build`, and asked for again at each step that goes on with it.

    asked = words(reason, second, root=here)                      # --break-glass REASON [--second NAME]; None where nobody said it
    refuse_unless_allowed(asked, policy, signers, today)          # before anything is done
    overriding = break_glass(record, zips, asked, policy, now)    # build: None where some of it nobody can answer for
    override = going_on(release, policy, asked, now)              # sign, deploy, ship: None of a clean release

Whose override counts (docs/adr/0048-who-may-override.md): of a policy that trusts anybody in any role, only that of an *overrider*.
A later step takes the reason in the same words: what was answered for in one emergency is not let through by what somebody says in another
one, nor by an option that a pipeline always has.
"""

import getpass
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.git import user_email
from shipsafe.adapters.github_job import on_github
from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.override_record import LONGEST, agreed, check_time, override_statement, read_override, vouched_override
from shipsafe.flows.speakers import check_speakers
from shipsafe.judge import overridden, unanswered_for
from shipsafe.model.attestation import Envelope, Predicate, Resource, Role, Statement
from shipsafe.model.override import BreakGlass, Override
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.model.verdict import Unanswered, Verdict
from shipsafe.packing.release import Release, ReleasedArtifact
from shipsafe.verify.bundles import envelopes_of

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_LONGEST_REASON = 500
_LONGEST_NAME = 100
_MOST_NAMED = 3  # findings in a message
_CHANGED = "Somebody changed the release: find out who, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """What `build` makes of a verdict that somebody answers for: the verdict, and the statement that every bundle carries."""

    verdict: Verdict
    statement: Statement


def words(
    reason: str | None, second: str | None, *, root: Path | None = None, environment: Mapping[str, str] = os.environ
) -> BreakGlass | None:  # fmt: skip
    """What somebody said on the command line; None where nobody breaks the glass.

    Args:
        reason: of `--break-glass`.
        second: of `--second`.
        root: the project's folder, whose git may know who we are; None for the current folder.
        environment: GitHub Actions says in it for whom it runs.

    Raises:
        ConfigError: there is no reason, or it or a name is none that a record could hold.
    """
    if reason is None:
        if second is not None:
            raise ConfigError("--second names who agrees to break the glass.", remedy="Add --break-glass REASON, or leave it out.")
        return None
    by = environment.get("GITHUB_ACTOR", "") if on_github(environment) else ""
    by = by or user_email(root or Path.cwd()) or _login()
    return BreakGlass(
        reason=_line(reason, "--break-glass", _LONGEST_REASON),
        by=_line(by, "the name of who breaks the glass", _LONGEST_NAME),
        second=_line(second, "--second", _LONGEST_NAME) if second is not None else "",
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container whose user has no name
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _line(text: str, what: str, longest: int) -> str:
    """The text with single spaces between its words.

    Raises:
        ConfigError: it is empty, too long, or holds what is not shown.
    """
    found = " ".join(text.split())
    if not found or len(found) > longest or not found.isprintable():
        raise ConfigError(f"{what} needs a text of 1 to {longest} printable characters.", remedy="Say in a sentence why it has to go out.")
    return found


def refuse_unless_allowed(asked: BreakGlass | None, policy: Policy, signers: "Sequence[Signer]", today: date) -> None:
    """Whether this policy lets these people break the glass: before anything is done, so that nobody waits for a refusal at night.

    Args:
        asked: None where nobody breaks it.
        policy: that is built under.
        signers: whose keys will sign the override.
        today: the day of signing, UTC.

    Raises:
        ConfigError: it does not.
    """
    if asked is None:
        return
    terms = policy.break_glass
    if not terms.allowed:
        raise ConfigError("The policy takes no --break-glass ([break-glass] allowed = false).",
                          remedy="Correct what the gates find, or ask whoever answers for the policy.", path=policy.path)  # fmt: skip
    if terms.second_person and not agreed(asked.by, asked.second):
        what = f"The policy wants a second person to agree, who is not {asked.by}."
        raise ConfigError(what, remedy="Ask somebody, and name them with --second.", path=policy.path)
    if policy.attest.speakers and not policy.attest.trusts_anybody(Role.OVERRIDER):
        what = "The policy says whose word counts, and trusts nobody to override it."
        remedy = "Add a key: `shipsafe keys show --for overrider KEY` prints the table."
        raise ConfigError(what, remedy=remedy, path=policy.path)
    check_speakers(signers, policy, Role.OVERRIDER, today)


def break_glass(
    verdict: Verdict, zips: Sequence[Resource], asked: BreakGlass, policy: Policy, *, now: datetime, names: Sequence[str] = ()
) -> Overriding | None:  # fmt: skip
    """Answer for a verdict; None where some of what keeps it from passing nobody can answer for, or nothing does.

    Args:
        verdict: of the build.
        zips: the unsigned zips, all of the release.
        asked: who, and why.
        policy: of the build.
        now: UTC; it holds from now on.
        names: of the keys that will sign it, as people know them.
    """
    at = now.replace(microsecond=0)
    override = Override(
        reason=asked.reason,
        by=asked.by,
        second=asked.second,
        at=at,
        until=at + min(policy.break_glass.longest, LONGEST),
        findings=frozenset(one.identity for one in verdict.blocking),
        questions=frozenset((one.gate, one.subject) for one in verdict.unanswered),
        policy=policy.digest,
    )
    if verdict.passes or not zips or unanswered_for(verdict, override, policy):
        return None
    statement = override_statement(override, zips=zips, findings=verdict.blocking, unanswered=verdict.unanswered)
    made = replace(read_override(statement, shown="the override"), vouched_by=tuple(names))
    judged = overridden(verdict, made, policy)
    return Overriding(verdict=judged, statement=statement) if judged.override else None


def going_on(release: Release, policy: Policy, asked: BreakGlass | None, now: datetime) -> Override | None:
    """The override under which a release may go on now, where it has one and somebody says again why; None of a clean release.

    Args:
        release: the manifest, of which nothing is believed.
        policy: of whoever goes on.
        asked: who says so, and why; None where nobody does.
        now: UTC.

    Raises:
        ConfigError: it is asked for in other words, or by nobody.
        IntegrityError: it is not signed by whom the policy trusts, not about exactly these zips, not in its time, or not there.
        IncompleteError: a keyless signature could not be looked at.
    """
    if release.override is None:
        return None
    override = carried(release, policy)
    if asked is None:
        raise ConfigError(f"This release did not pass its gates. {override.sentence}", path=str(release.out),
                          remedy="Each step asks for it again: add --break-glass with that reason; or build a clean release.")  # fmt: skip
    if " ".join(asked.reason.split()) != " ".join(override.reason.split()):
        raise ConfigError("--break-glass gives another reason than the override of this release.", path=str(release.out),
                          remedy=f"Read it, and say it again if it still holds: {override.reason}")  # fmt: skip
    if asked.second and asked.second.casefold() != override.second.casefold():
        raise ConfigError("--second is not who agreed when the release was built.", path=str(release.out),
                          remedy=f"It was {override.second or 'nobody'}; build again with the one who agrees.")  # fmt: skip
    check_time(override, now)
    return override


def carried(release: Release, policy: Policy) -> Override:
    """The override that a release carries, in every bundle the same, about exactly its zips, and signed by whom this policy trusts.

    Raises:
        IntegrityError: it is not.
        IncompleteError: a keyless signature could not be looked at.
    """
    found = [_in_bundle(one, release) for one in release.artifacts]
    override = vouched_override(found[0], policy, shown=str(release.artifacts[0].evidence))
    zips = {one.sha256 for one in release.artifacts}
    if set(override.subjects) != zips:
        what = f"The override is about {len(set(override.subjects) - zips)} zips that are not in the release, and not about"
        what = f"{what} {len(zips - set(override.subjects))} that are."
        raise IntegrityError(what, remedy="An override is of one release: build again with --break-glass.", path=str(release.out))
    return override


def _in_bundle(artifact: ReleasedArtifact, release: Release) -> Envelope:
    """The envelope of the override that the manifest names.

    Raises:
        IntegrityError: the bundle does not carry it.
    """
    shown = str(artifact.evidence or artifact.path)
    for envelope in envelopes_of(artifact):
        statement = statement_of(envelope, shown=shown)
        if statement.kind == Predicate.OVERRIDE and read_override(statement, shown=shown).statement == release.override:
            return envelope
    what = "The release manifest names an override, and this bundle does not carry it."
    raise IntegrityError(what, remedy=_CHANGED, path=shown)


def not_let_through(verdict: Verdict, override: Override | None, asked: BreakGlass | None, policy: Policy) -> Iterator[str]:
    """What to say where the glass is broken and something stands in the way all the same, or nothing does."""
    if verdict.passes:
        if asked is not None and verdict.override is None:
            yield "Nothing was overridden: it passes."
        return
    if asked is None:
        return
    if override is None:
        yield "The release carries no override, and one is made only where it is built: build it with --break-glass."
        return
    left = unanswered_for(verdict, override, policy)
    for one in left[:_MOST_NAMED]:
        named = (
            f"{one.gate} at {one.subject}: {one.reason}" if isinstance(one, Unanswered) else f"{one.rule} at {one.subject}: {one.message}"
        )
        yield f"The override does not answer for {named}"
    if len(left) > _MOST_NAMED:
        yield f"Nor for {len(left) - _MOST_NAMED} more."
    yield "What came up since, or under this policy alone, has to be answered for again: build with --break-glass, under this policy."


def under_override(target: SignTarget, policy: Policy) -> SignTarget:
    """The target as it is used for what an override lets through: by the role and with the profile that the policy keeps for that.

    The profile is of the target's own account.
    """
    terms = policy.break_glass
    if terms.profile is not None:
        target = replace(target, profile=terms.profile, profile_owner=None, profile_version=None)
    return replace(target, role=terms.role) if terms.role is not None else target
