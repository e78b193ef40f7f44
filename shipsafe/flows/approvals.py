"""Whether everything that a policy allows was approved by somebody other than its author.

    answer = approvals_here(traced(policy, found, since=None, today=...), policy, os.environ)    # in a job before `sign`
    outcome = approvals_outcome(policy, file, answer, here=True, today=...)                      # in `sign`

What a policy allows is known by what it says (`policy/allowances.py`), and each of it is traced to the commit of the branch that brought
it. Without `since` all of it is traced: what was merged unapproved stays so, whatever is merged after it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.git import head_commit
from shipsafe.adapters.git_history import History, history_of
from shipsafe.adapters.git_tree import repository_of
from shipsafe.adapters.github_api import open_github, repository_here
from shipsafe.errors import ConfigError
from shipsafe.flows.approvals_file import read_approvals
from shipsafe.flows.github_approvals import AskGitHub
from shipsafe.model.approval import Agreed, Approvals, Change
from shipsafe.model.outcome import Outcome
from shipsafe.model.pipeline import Approving
from shipsafe.model.policy import Policy
from shipsafe.policy.allowances import NOTHING, Allowed, Read, allowances
from shipsafe.policy.chain import Found

GATE, SUBJECT = "approvals", "project"
GITHUB = "github"
_LIMIT = 32 * MEBIBYTE
_SHOWN = 20  # things that one change brought
_LINE = 300  # characters of one of them
_STEPS = 2000  # commits that are looked at
ASK = "Ask somebody else who may write to the repository to approve it, also after it was merged; then run this again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What a policy allows, where it came from, and since when it is asked about.

    Attributes:
        changes: commit -> what it brought, newest first.
        beyond: of a commit of these and of another that it holds: what the one brought and the other does not allow.
    """

    commit: str
    since: str
    allowed: Allowed
    changes: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...] = ()
    beyond: Callable[[str, str], tuple[str, ...]] = lambda _commit, _head: ()


def why_not_asked(policy: Policy, *, here: bool) -> str:
    """Why nobody is asked who approved what, "" where somebody is. `here`: whether this is a job of GitHub's."""
    if policy.approvals.waivers is Approving.OFF:
        return "the policy does not ask who approved its waivers (`[approvals] waivers`)"
    if policy.approvals.source == GITHUB and not here:
        return "the policy asks GitHub who approved its waivers, and this is no job of GitHub's; `[approvals] source` names another"
    return ""


def traced(policy: Policy, found: Found, *, since: str | None, today: date) -> Traced:
    """Which commit brought what the policy allows, as HEAD of its repository has it.

    Args:
        policy: that holds.
        found: its file.
        since: what was allowed at this revision is taken as agreed to; None or 000... for nothing.
        today: a waiver that ended before it allows nothing.

    Raises:
        ConfigError: it lies in no repository, a revision is not there, or a file cannot be read.
        IncompleteError: there is no git, or a file is too large.
    """
    top = repository_of(found.path)
    history = history_of(top)
    head = history.commit("HEAD")
    path = found.path.resolve().relative_to(top).as_posix()
    at = partial(_at, history, path, found.table, baseline=_baseline(policy), today=today)
    allowed = at(head).under(policy)
    begun = since if since and since.strip("0") else None  # 000...: what GitHub calls the commit before the first
    known = history.parted(head, history.commit(begun)) if begun else ""
    earlier = _tolerant(at, known, allowed) if known else NOTHING
    remaining = {key: what for key, what in allowed.found.items() if key not in earlier.found}
    changes, unknown = _walk(history, at, head, allowed, remaining)

    def beyond(commit: str, merged: str) -> tuple[str, ...]:
        if not history.holds(commit, merged):
            return ()
        there = _tolerant(at, merged, allowed).found
        return _few(tuple(allowed.found[key] for key in changes[commit] if key not in there))

    told = {commit: _few(tuple(allowed.found[key] for key in keys)) for commit, keys in changes.items()}
    return Traced(commit=head, since=known, allowed=allowed, changes=told, unknown=unknown, beyond=beyond)


def _at(history: History, path: str, table: str, commit: str, *, baseline: str, today: date) -> Allowed:
    return allowances(partial(history.file, commit), path, table, baseline=baseline, today=today)


def _tolerant(at: Callable[[str], Allowed], commit: str, now: Allowed) -> Allowed:
    """What was allowed at an earlier commit. What cannot be read there allowed nothing, so that what came after it is asked about."""
    try:
        return at(commit)
    except ConfigError:
        return Allowed(found={}, paths=now.paths)


def _walk(
    history: History, at: Callable[[str], Allowed], commit: str, current: Allowed, remaining: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:  # fmt: skip
    """From a commit back: who brought what, by its keys; and what nobody can tell of."""
    changes: dict[str, tuple[str, ...]] = {}
    for _ in range(_STEPS):
        if not remaining:
            return changes, ()
        changed = history.last_to_change(current.paths, commit)
        before = history.before(changed) if changed else ""
        if not changed or (not before and history.shallow):
            break
        current = _tolerant(at, before, current) if before else NOTHING
        brought = tuple(key for key in remaining if key not in current.found)
        if brought:
            changes[changed] = brought
        remaining = {key: what for key, what in remaining.items() if key in current.found}
        commit = before
    return changes, _few(tuple(remaining.values())) if remaining else ()


def approvals_here(found: Traced, policy: Policy, environment: Mapping[str, str]) -> Approvals:
    """Ask GitHub about every change; where there is none, GitHub is not asked.

    Raises:
        ConfigError: there is no token, or no repository.
    """
    repository, changes = "", []
    if found.changes:
        repository = repository_here(environment, policy.pipeline.repository)
        ask = AskGitHub(open_github(environment), repository, policy.pipeline.branch, beyond=found.beyond)
        changes = [ask(commit, brought) for commit, brought in found.changes.items()]
    return Approvals(source=GITHUB, repository=repository, commit=found.commit, since=found.since, allowances=found.allowed.digest,
                     changes=(*changes, *_cut_off(found)))  # fmt: skip


def questions(found: Traced, source: str) -> Approvals:
    """The same with no answer yet, for another system to fill in."""
    changes = [Change(commit=commit, brought=brought, agreed=Agreed.UNANSWERED, reason="nobody was asked yet")
               for commit, brought in found.changes.items()]  # fmt: skip
    return Approvals(source=source, commit=found.commit, since=found.since, allowances=found.allowed.digest,
                     changes=(*changes, *_cut_off(found)))  # fmt: skip


def _cut_off(found: Traced) -> Iterator[Change]:
    if found.unknown:
        reason = "the history that is here does not go back to the commit that brought it (`fetch-depth: 0`)"
        yield Change(commit=found.commit, brought=found.unknown, agreed=Agreed.UNANSWERED, reason=reason)


def approvals_outcome(
    policy: Policy, file: Path | None, answer: Approvals | None, *, here: bool, today: date
) -> Outcome | None:  # fmt: skip
    """What `sign` says of approvals; None where the policy does not ask and nobody says anything.

    Args:
        policy: of whoever signs.
        file: where it lies, None where it is a preset alone.
        answer: of whoever asked before, or None.
        here: whether this is a job of GitHub's.
        today: as for `traced`.

    Raises:
        ConfigError: a file that the policy names cannot be read.
    """
    reason = why_not_asked(policy, here=here)
    if policy.approvals.waivers is Approving.OFF:
        return Outcome.not_asked(GATE, SUBJECT, f"{_sentence(reason)}.") if answer else None
    allowed = _allowed_here(policy, file, today=today) if file else NOTHING
    if not allowed.found:
        return Outcome.not_asked(GATE, SUBJECT, "The policy waives nothing, so there is nothing to approve.")
    named = None if policy.approvals.source == GITHUB else Path(policy.approvals.source)
    if reason and answer is None:
        return Outcome.not_asked(GATE, SUBJECT, f"{_sentence(reason)}.")
    if answer is None and named is None:
        why = "Nobody says who approved what the policy waives: run `shipsafe policy approvals` in a job before, and give --approvals FILE."
        return Outcome.unanswered(GATE, SUBJECT, why)
    if answer is None and named is not None and not named.exists():
        return Outcome.unanswered(
            GATE, SUBJECT, f"The policy's source of approvals, {named.name}, is not there: run the job that writes it."
        )
    told = answer or read_approvals(named or Path())
    if told.allowances != allowed.digest:
        why = f"What was asked about at {told.commit[:12]} is not what the policy waives now: ask again at this commit."
        return Outcome.unanswered(GATE, SUBJECT, why)
    if answer is None and (file is None or told.commit != head_commit(file.resolve().parent)):  # what came with a change cannot name it
        why = f"The approvals are of the commit {told.commit[:12]}, and the policy's is another: ask again at this commit."
        return Outcome.unanswered(GATE, SUBJECT, why)
    if not told.changes and not told.since:
        return Outcome.unanswered(GATE, SUBJECT, "The answer names no change that brought what the policy waives: ask again.")
    missing = [one for one in told.changes if one.agreed is not Agreed.APPROVED]
    if missing:
        return Outcome.unanswered(GATE, SUBJECT, f"{'. '.join(map(str, missing[:_SHOWN]))}. {ASK}")
    notes = [str(one) for one in told.changes[:_SHOWN]]
    facts = {"source": told.source, "repository": told.repository, "commit": told.commit, "since": told.since,
             "allowances": told.allowances, "approved": len(told.changes)}  # fmt: skip
    return Outcome.answered(GATE, SUBJECT, notes=notes, evidence=facts)


def _allowed_here(policy: Policy, file: Path, *, today: date) -> Allowed:
    """What the policy allows, as it lies on this disk.

    Raises:
        ConfigError: a file cannot be read.
    """
    found = Found.at(file.resolve())
    home = found.path.parent
    top = next((folder for folder in (home, *home.parents) if (folder / ".git").exists()), home)
    read: Read = partial(_file, top)
    path = found.path.relative_to(top).as_posix()
    return allowances(read, path, found.table, baseline=_baseline(policy), today=today).under(policy)


def _file(top: Path, path: str) -> bytes | None:
    place = top / path
    return read_bounded(place, limit=_LIMIT, shown=path) if place.is_file() else None


def _baseline(policy: Policy) -> str:
    return str(policy.effective.get("baseline", "off"))


def _few(brought: Iterable[str]) -> tuple[str, ...]:
    found = tuple(one if len(one) <= _LINE else f"{one[:_LINE]}..." for one in sorted(brought))
    return found if len(found) <= _SHOWN else (*found[:_SHOWN], f"and {len(found) - _SHOWN} more")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
