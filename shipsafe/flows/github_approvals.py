"""Who approved the pull request that brought a commit, as GitHub tells it.

An approval counts where it is the last word of a person who may write to the repository, is of the very state that was merged, and is not
of somebody whose change it is: whoever opened the pull request, wrote one of its commits or committed one. It counts for what that state
holds: whoever merges by pushing can put more into the merge than anybody saw.

GET repos/R/commits/SHA/pulls, repos/R/pulls/N/reviews, repos/R/pulls/N/commits (`pull-requests: read`, `contents: read`) and
repos/R/collaborators/LOGIN/permission (what every token may ask).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shipsafe.adapters.github_api import LOGIN, GitHub, NotThereError
from shipsafe.adapters.shown import shown
from shipsafe.errors import IncompleteError
from shipsafe.model.approval import Agreed, Change

_WORDS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")  # what another review of the same person takes back; a comment does not
_MAY_WRITE = ("admin", "write")  # `maintain` is told as `write`, `triage` as `read`
_BY_GITHUB = "web-flow"  # commits what somebody merges or edits on the site
_LISTED = 250  # commits of a pull request: GitHub lists no more
_PERSON = "User"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pull:
    """A pull request that was merged: its number, the last commit of it, and who opened it."""

    number: int
    head: str
    opened_by: "_Who"


@dataclass(frozen=True, slots=True)
class _Who:
    login: str
    person: bool


@dataclass(frozen=True, slots=True)
class AskGitHub:
    """Asks about one commit after the other; what is known of a person is not asked twice.

    Attributes:
        github: whom to ask.
        repository: `acme/orders`.
        branch: that pull requests have to be merged into.
        beyond: of a commit and the last of its pull request: what the one brought and the other does not hold.
    """

    github: GitHub
    repository: str
    branch: str
    beyond: Callable[[str, str], tuple[str, ...]] = lambda _commit, _head: ()
    _rights: dict[str, bool] = field(default_factory=dict)

    def __call__(self, commit: str, brought: tuple[str, ...]) -> Change:
        """Whether the change that this commit is was approved. What GitHub cannot tell is unanswered."""
        try:
            pulls = list(self._merged(commit))
            if not pulls:
                reason = f"no pull request brought {commit[:12]} to {self.branch}, so nobody has approved it"
                return Change(commit=commit, brought=brought, agreed=Agreed.REFUSED, reason=reason)
            changes = [self._asked(pull, commit, brought) for pull in pulls]
        except IncompleteError as error:
            return Change(commit=commit, brought=brought, agreed=Agreed.UNANSWERED, reason=str(error).rstrip("."))
        return next((one for one in changes if one.agreed is not Agreed.APPROVED), changes[0])

    def _merged(self, commit: str) -> Iterator[_Pull]:
        """The pull requests that brought it to the branch: those whose merge it is, else all that hold it."""
        found = [one for one in self.github.every(f"repos/{self.repository}/commits/{commit}/pulls") if self._counts(one)]
        for one in [one for one in found if one.get("merge_commit_sha") == commit] or found:
            number, head, who = one.get("number"), _text(_table(one.get("head")).get("sha")), _who(one.get("user"))
            if not isinstance(number, int) or not head or who is None:
                raise IncompleteError(f"GitHub does not say who opened a pull request with {commit[:12]}.", remedy="Look at it on GitHub.")
            yield _Pull(number=number, head=head, opened_by=who)

    def _counts(self, pull: Mapping[str, Any]) -> bool:
        base = _table(pull.get("base"))
        into = _text(_table(base.get("repo")).get("full_name")).casefold()
        return bool(pull.get("merged_at")) and base.get("ref") == self.branch and into == self.repository.casefold()

    def _asked(self, pull: _Pull, commit: str, brought: tuple[str, ...]) -> Change:
        authors = {who.login.casefold(): who for who in (pull.opened_by, *self._wrote(pull))}
        people = tuple(who.login for who in authors.values() if who.person)
        change = Change(commit=commit, brought=brought, agreed=Agreed.REFUSED, pull=pull.number, authors=people)
        if unseen := self.beyond(commit, pull.head):
            more = f" and {len(unseen) - 1} more" if len(unseen) > 1 else ""
            return replace(change, reason=f"#{pull.number}, which {commit[:12]} merged, does not hold {unseen[0]}{more}")
        if not people:
            return replace(change, reason=f"#{pull.number} was written by {pull.opened_by.login}, which is nobody who could answer for it")
        approved, why_not = [], []
        for who, head in self._approvals(pull):
            reason = self._why_not(who, head, pull, authors)
            if reason:
                why_not.append(f"{who.login} {reason}")
            else:
                approved.append(who.login)
        if not approved:
            told = f" ({'; '.join(why_not)})" if why_not else ""
            return replace(change, reason=f"nobody but its author has approved #{pull.number} by {', '.join(people)}{told}")
        return replace(change, agreed=Agreed.APPROVED, approved_by=tuple(approved))

    def _wrote(self, pull: _Pull) -> Iterator[_Who]:
        """Who wrote and committed its commits, where GitHub knows whose address it is."""
        commits = list(self.github.every(f"repos/{self.repository}/pulls/{pull.number}/commits"))
        if not commits or len(commits) >= _LISTED:
            raise IncompleteError(f"GitHub does not list all commits of #{pull.number}.", remedy="Bring the waiver in a smaller change.")
        for one in commits:
            for part in ("author", "committer"):
                who = _who(one.get(part))
                if who is not None and who.login != _BY_GITHUB:
                    yield who

    def _approvals(self, pull: _Pull) -> Sequence[tuple[_Who, str]]:
        """Whose last word is an approval, and the commit that it is of."""
        last: dict[str, tuple[_Who, str, str]] = {}
        for review in self.github.every(f"repos/{self.repository}/pulls/{pull.number}/reviews"):
            who, word = _who(review.get("user")), _text(review.get("state"))
            if who is not None and word in _WORDS:
                last[who.login.casefold()] = (who, word, _text(review.get("commit_id")))
        return [(who, head) for who, word, head in last.values() if word == "APPROVED"]

    def _why_not(self, who: _Who, head: str, pull: _Pull, authors: Mapping[str, _Who]) -> str:
        """Why an approval does not count, "" where it does."""
        if who.login.casefold() in authors:
            return "wrote some of it"
        if not who.person:
            return "is no person"
        if head != pull.head:
            return f"approved an earlier state of it, {head[:12] or 'which GitHub does not name'}"
        return "" if self._may_write(who.login) else f"may not write to {self.repository}"

    def _may_write(self, login: str) -> bool:
        if login not in self._rights:
            try:
                told = self.github.get(f"repos/{self.repository}/collaborators/{login}/permission")
            except NotThereError:
                told = None
            self._rights[login] = _table(told).get("permission") in _MAY_WRITE
        return self._rights[login]


def _who(value: object) -> _Who | None:
    """Somebody, None where the account is gone, or an address is nobody's.

    Raises:
        IncompleteError: a name is none that GitHub gives.
    """
    user = _table(value)
    login = user.get("login")
    if login is None:
        return None
    if not isinstance(login, str) or not LOGIN.fullmatch(login):
        raise IncompleteError(f"GitHub names somebody {shown(str(login))!r}.", remedy="Look at GITHUB_API_URL.")
    return _Who(login, user.get("type") == _PERSON)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
