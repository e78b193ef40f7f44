"""Pull requests, as GitHub's API tells of them."""

from collections.abc import Mapping
from typing import Any

from tests.approval.loopback import Api

R = "repos/acme/orders"
HEAD = "b" * 40


def person(login: str) -> dict[str, Any]:
    """An account of a person; of none where the name ends in [bot]."""
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def review(login: str, state: str = "APPROVED", commit: str = HEAD) -> dict[str, Any]:
    """One review."""
    return {"user": person(login), "state": state, "commit_id": commit}


def pull(number: int = 12, *, by: str = "ann", **changed: Any) -> dict[str, Any]:
    """A pull request that was merged into main."""
    base = {"ref": "main", "repo": {"full_name": "acme/orders"}}
    return {"number": number, "user": person(by), "merged_at": "2026-11-20T10:00:00Z", "merge_commit_sha": None, "base": base,
            "head": {"sha": HEAD, "repo": {"full_name": "acme/orders"}}, **changed}  # fmt: skip


def tell(
    api: Api, commit: str, pulls: list[dict[str, Any]] | None = None, *, reviews: list[dict[str, Any]] | None = None,
    wrote: tuple[str | None, ...] = ("ann",), may: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Let the API know of a commit, of its pull requests, and of who may do what."""
    pulls = [pull()] if pulls is None else pulls
    api.always[f"GET /{R}/commits/{commit}/pulls"] = pulls
    for one in pulls:
        at = f"GET /{R}/pulls/{one['number']}"
        api.always.setdefault(f"{at}/reviews", [review("bob")] if reviews is None else reviews)
        made = [{"author": person(name) if name else None, "committer": person("web-flow")} for name in wrote]
        api.always.setdefault(f"{at}/commits", made)
    for login, permission in {"ann": "write", "bob": "write", **(may or {})}.items():
        api.always[f"GET /{R}/collaborators/{login}/permission"] = {"permission": permission, "user": person(login)}
