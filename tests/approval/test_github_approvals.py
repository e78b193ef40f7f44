"""An approval counts where a person who may write, and whose change it is not, has approved what was merged."""

from typing import Any

import pytest

from shipsafe.adapters.github_api import GitHub
from shipsafe.flows.github_approvals import AskGitHub
from shipsafe.model.approval import Agreed, Change
from tests.approval.loopback import Answer, Api
from tests.approval.pulls import HEAD, R, person, pull, review, tell

COMMIT = "a" * 40
WAIVER = ("layers/unpinned for function:Pay (waiver in shipsafe.toml)",)


def ask(github: GitHub) -> Change:
    return AskGitHub(github, "acme/orders", "main")(COMMIT, WAIVER)


def test_a_change_that_somebody_else_approved_is_approved(api: Api, github: GitHub) -> None:
    tell(api, COMMIT)
    found = ask(github)
    assert found == Change(commit=COMMIT, brought=WAIVER, agreed=Agreed.APPROVED, pull=12, authors=("ann",), approved_by=("bob",))
    assert str(found) == f"{WAIVER[0]}: #12 by ann, approved by bob"
    assert api.paths() == [f"GET /{R}/{one}" for one in (
        f"commits/{COMMIT}/pulls", "pulls/12/commits", "pulls/12/reviews", "collaborators/bob/permission")]  # fmt: skip


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("nobody approved", {"reviews": []}, "nobody but its author has approved #12 by ann"),
    ("its author", {"reviews": [review("ann")]}, "(ann wrote some of it)"),
    ("its author, written otherwise", {"reviews": [review("ANN")]}, "(ANN wrote some of it)"),
    ("who wrote a commit", {"wrote": ("ann", "bob")}, "(bob wrote some of it)"),
    ("who wrote what another opened", {"wrote": ("bob",)}, "(bob wrote some of it)"),
    ("a program", {"reviews": [review("renovate-approve[bot]")]}, "(renovate-approve[bot] is no person)"),
    ("an earlier state", {"reviews": [review("bob", commit="c" * 40)]}, "(bob approved an earlier state of it, cccccccccccc)"),
    ("no state at all", {"reviews": [{**review("bob"), "commit_id": None}]}, "(bob approved an earlier state of it, which GitHub does not"),
    ("a stranger", {"reviews": [review("eve")]}, "(eve may not write to acme/orders)"),
    ("who only reads", {"may": {"bob": "read"}}, "(bob may not write to acme/orders)"),
    ("who took it back", {"reviews": [review("bob"), review("bob", "CHANGES_REQUESTED")]}, "by ann"),
    ("whose approval was dismissed", {"reviews": [review("bob", "DISMISSED")]}, "by ann"),
    ("who only commented", {"reviews": [review("bob", "COMMENTED")]}, "by ann"),
    ("who has not sent it yet", {"reviews": [review("bob", "PENDING")]}, "by ann"),
    ("an account that is gone", {"reviews": [{**review("bob"), "user": None}]}, "by ann"),
    ("pushed directly", {"pulls": []}, "no pull request brought aaaaaaaaaaaa to main, so nobody has approved it"),
    ("not merged", {"pulls": [pull(merged_at=None)]}, "no pull request brought"),
    ("into another branch", {"pulls": [pull(base={"ref": "next", "repo": {"full_name": "acme/orders"}})]}, "no pull request brought"),
    ("into a fork", {"pulls": [pull(base={"ref": "main", "repo": {"full_name": "eve/orders"}})]}, "no pull request brought"),
    ("by a program alone", {"pulls": [pull(by="app[bot]")], "wrote": ("app[bot]",)}, "#12 was written by app[bot], which is nobody"),
    ("by a program and nobody known", {"pulls": [pull(by="app[bot]")], "wrote": (None,)}, "#12 was written by app[bot], which is nobody"),
]


@pytest.mark.parametrize(("case", "told", "said"), REFUSED, ids=[case for case, _, _ in REFUSED])
def test_what_is_no_approval_is_refused_with_its_reason(api: Api, github: GitHub, case: str, told: dict[str, Any], said: str) -> None:
    tell(api, COMMIT, **told)
    found = ask(github)
    assert found.agreed is Agreed.REFUSED, case
    assert said in found.reason
    assert found.approved_by == ()


def test_a_last_word_counts_and_a_comment_after_it_takes_nothing_back(api: Api, github: GitHub) -> None:
    tell(api, COMMIT, reviews=[review("bob", "CHANGES_REQUESTED"), review("bob"), review("bob", "COMMENTED")])
    assert ask(github).agreed is Agreed.APPROVED


def test_somebody_may_approve_what_a_program_opened_for_somebody_else(api: Api, github: GitHub) -> None:
    tell(api, COMMIT, [pull(by="app[bot]")], wrote=("ann",))
    assert ask(github).approved_by == ("bob",)
    api.always[f"GET /{R}/pulls/12/reviews"] = [review("ann")]
    assert ask(github).agreed is Agreed.REFUSED


def test_of_many_reviews_none_is_lost_behind_a_page(api: Api, github: GitHub) -> None:
    tell(api, COMMIT, reviews=[*(review(f"p{number}", "COMMENTED") for number in range(130)), review("bob")])
    assert ask(github).approved_by == ("bob",)


def test_the_pull_request_whose_merge_it_is_decides(api: Api, github: GitHub) -> None:
    tell(api, COMMIT, [pull(11), pull(12, merge_commit_sha=COMMIT)])
    api.always[f"GET /{R}/pulls/12/reviews"] = []
    found = ask(github)
    assert (found.agreed, found.pull) == (Agreed.REFUSED, 12)


def test_where_it_is_the_merge_of_none_all_that_hold_it_have_to_be_approved(api: Api, github: GitHub) -> None:
    tell(api, COMMIT, [pull(11), pull(12)])
    assert ask(github).agreed is Agreed.APPROVED
    api.always[f"GET /{R}/pulls/12/reviews"] = []
    assert (ask(github).agreed, ask(github).pull) == (Agreed.REFUSED, 12)


def unreadable() -> list[tuple[str, Answer]]:
    at = f"GET /{R}"
    return [
        (f"{at}/commits/{COMMIT}/pulls", Answer(status=503, value={})),
        (f"{at}/commits/{COMMIT}/pulls", Answer(status=404, value={})),
        (f"{at}/commits/{COMMIT}/pulls", Answer(value=[pull(user=None)])),
        (f"{at}/commits/{COMMIT}/pulls", Answer(value=[pull(head=None)])),
        (f"{at}/commits/{COMMIT}/pulls", Answer(value=[pull("../../../user")])),  # type: ignore[arg-type]  # what no number is
        (f"{at}/commits/{COMMIT}/pulls", Answer(value=[pull(user={"login": "a/../b", "type": "User"})])),
        (f"{at}/pulls/12/reviews", Answer(status=403, value={"message": "Resource not accessible by integration"})),
        (f"{at}/pulls/12/commits", Answer(value=[])),
        (f"{at}/pulls/12/commits", Answer(value=[{"author": person("ann")}] * 100)),
        (f"{at}/collaborators/bob/permission", Answer(status=500, value={})),
    ]


@pytest.mark.parametrize(("path", "answer"), unreadable())
def test_what_github_does_not_tell_is_unanswered_and_never_approved(api: Api, github: GitHub, path: str, answer: Answer) -> None:
    tell(api, COMMIT)
    api.always[path] = answer
    found = ask(github)
    assert found.agreed is Agreed.UNANSWERED
    assert found.reason


def test_nobody_is_asked_for_twice(api: Api, github: GitHub) -> None:
    tell(api, COMMIT)
    asking = AskGitHub(github, "acme/orders", "main")
    asking(COMMIT, WAIVER)
    asking(COMMIT, WAIVER)
    assert api.paths().count(f"GET /{R}/collaborators/bob/permission") == 1
    assert HEAD != COMMIT
