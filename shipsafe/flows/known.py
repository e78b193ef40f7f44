"""Judge beside what was known before, and record what is known from now on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from shipsafe.adapters.git import user_email
from shipsafe.errors import ConfigError
from shipsafe.flows.request import Request
from shipsafe.model.baseline import Baseline, BaselineEntry, BaselineFile
from shipsafe.model.finding import Finding
from shipsafe.model.policy import Policy
from shipsafe.model.verdict import Verdict
from shipsafe.policy.baseline import read_baseline, write_baseline
from shipsafe.policy.command_line import Given
from shipsafe.policy.load import known_as
from shipsafe.policy.recording import baseline_of, not_recordable
from shipsafe.reports.tally import count

_LONGEST_OWNER = 200  # characters
_NAMED = 5  # findings that one remark names


class Decide(Protocol):
    """The judge, with everything but the baseline."""

    def __call__(self, *, baseline: Baseline | None) -> Verdict:
        """See `judge`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, the file that it was judged with, and remarks about what was written."""

    verdict: Verdict
    baseline: BaselineFile | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a run knows beforehand: the baseline, if there is one, and for a run that writes it who owns what is new."""

    request: Request
    policy: Policy
    file: Path | None = None
    shown: str = ""
    baseline: Baseline | None = None
    owner: str = ""

    def judged(self, decide: Decide, asked: Callable[[BaselineEntry], bool]) -> Judged:
        """The verdict of `decide`; where a baseline is to be written, after it was written.

        Args:
            decide: judges with the baseline that it is given.
            asked: whether this run asked what an entry is about: it says nothing of the others.

        Raises:
            IncompleteError: the file cannot be written.
        """

        def judge_with(whole: Baseline | None) -> Verdict:
            return decide(baseline=whole.where(asked) if whole else None)

        verdict = judge_with(self.baseline)
        if self.file is None or self.request.write_baseline is None:
            return Judged(verdict=verdict, baseline=_file(self.baseline))
        today, expires = self.request.today, self.request.baseline_expires
        made = baseline_of(verdict, self.policy, today=today, owner=self.owner, path=self.shown, before=self.baseline, expires=expires)
        write_baseline(self.file, made.entries)
        # What was written is read again, so that this run is judged by what the next one will see.
        written = read_baseline(self.file, shown=self.shown, today=today)
        after = judge_with(written)
        return Judged(verdict=after, baseline=_file(written), remarks=tuple(self._remarks(verdict, after, written)))

    def beside(self, other: Baseline) -> "Known":
        """With what was there in another revision, too."""
        return replace(self, baseline=other.beside(self.baseline))

    def _remarks(self, before: Verdict, after: Verdict, written: Baseline) -> Iterator[str]:
        earlier = {replace(entry, location=None) for entry in self.baseline.entries} if self.baseline else set()
        old = sum(1 for entry in written.entries if replace(entry, location=None) in earlier)
        new = len(written.entries) - old
        yield f"{self.shown} written: {count(len(written.entries), 'known finding')}, {new} of them new and {old} from before."
        if before.vanished:
            yield f"Gone, and no more in it: {_listed(before.vanished)}."
        if never := not_recordable(after, self.policy):
            yield f"No baseline can hold these, and they block: {_listed(never)}."
        if after.lapsed:
            entries = [one.entry for one in after.lapsed]
            yield f"Lapsed, and blocking until somebody fixes them or edits their ends: {_listed(entries)}."
        if after.unanswered:
            yield "What could not be looked at is not in it: whatever it hides will be new."
        if self.policy.origins.get("baseline") == "--baseline":
            yield f'So that every run knows it, add `baseline = "{self.policy.effective["baseline"]}"` to the policy.'


def given(request: Request) -> Given:
    """What the command line sets over the policy.

    Raises:
        ConfigError: its options contradict each other.
    """
    if request.write_baseline is None and (request.baseline_owner is not None or request.baseline_expires is not None):
        raise ConfigError("--baseline-owner and --baseline-expires speak of what --write-baseline records.", remedy="Add it, or drop them.")
    if request.write_baseline is not None and request.baseline_ref is not None:
        raise ConfigError("--write-baseline records what --baseline-ref would hide.", remedy="Give one of them.")
    if request.write_baseline is not None and request.changed_since is not None:
        raise ConfigError("--write-baseline records what --changed-since would not ask.", remedy="Give one of them.")
    if request.shard is not None and request.write_baseline is not None:
        raise ConfigError("No share has the whole project, which --write-baseline speaks of.",
                          remedy="Record a baseline with `shipsafe check`, and give --baseline to all shares.")  # fmt: skip
    if request.changed_since is not None and request.out is not None:
        raise ConfigError("What ships is asked whole, whatever has changed.", remedy="Use --changed-since with `check`.")
    if request.write_baseline is not None and request.baseline not in (None, request.write_baseline):
        raise ConfigError("--write-baseline and --baseline name two files.", remedy="Name only the one to write; it is read first.")
    if request.baseline_expires is not None and request.baseline_expires <= request.today:
        raise ConfigError(f"--baseline-expires {request.baseline_expires} is not a day to come.", remedy="Name a later one.")
    baseline = request.baseline if request.write_baseline is None else request.write_baseline
    return Given(fail_on=request.fail_on, baseline=baseline)


def open_known(request: Request, policy: Policy, root: Path) -> Known:
    """Read the baseline that the policy or the command line names, before anything is asked.

    Raises:
        ConfigError: it cannot be read, two files are named, or nobody would own what is to be written.
    """
    if policy.baseline is None:
        if request.write_baseline is not None:
            raise ConfigError("--write-baseline says `off`, which is no file.", remedy="Name a file.")
        return Known(request=request, policy=policy)
    file = Path(policy.baseline)
    ours = policy.origins.get("baseline") != "--baseline" or file.is_relative_to(root)
    shown = known_as(file, root) if ours else file.name
    writes = request.write_baseline is not None
    return Known(
        request=request,
        policy=policy,
        file=file,
        shown=shown,
        baseline=None if writes and not file.exists() else read_baseline(file, shown=shown, today=request.today),
        owner=_owner(request.baseline_owner, root) if writes else "",
    )


def _owner(stated: str | None, root: Path) -> str:
    owner = (user_email(root) if stated is None else stated).strip()
    if not owner:
        raise ConfigError("Nobody answers for the baseline: git knows no user.email here.", remedy="Name somebody with --baseline-owner.")
    if len(owner) > _LONGEST_OWNER or not owner.isprintable():
        raise ConfigError(f"The owner of the baseline is no name of at most {_LONGEST_OWNER} characters.",
                          remedy="Name somebody with --baseline-owner.")  # fmt: skip
    return owner


def _file(baseline: Baseline | None) -> BaselineFile | None:
    return BaselineFile(path=baseline.path, sha256=baseline.sha256, entries=len(baseline.entries)) if baseline else None


def _listed(found: Sequence[Finding | BaselineEntry]) -> str:
    named = [f"{one.rule}{f' {one.advisory}' if one.advisory else ''} for {one.subject}" for one in found[:_NAMED]]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{', '.join(named)}{more}"


def refuse_fixed(policy: Policy) -> None:
    """Refuse what was there before to count as known, where that may not be.

    Raises:
        ConfigError: the policy fixes what is known.
    """
    stated = policy.effective.get("fixed")
    if isinstance(stated, list) and {"baseline", "waivers"} & set(stated):
        raise ConfigError(f"What is known is fixed by {policy.origins.get('fixed', 'the policy')}, and --baseline-ref would add to it.",
                          remedy="Leave it out.", path=policy.path)  # fmt: skip
