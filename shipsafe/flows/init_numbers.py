"""GitHub's numbers of a repository and of its owner, which the subjects of newer tokens carry: asked of GitHub, never guessed.

Tokens of a repository that was made, renamed or moved since 15 July 2026 say `repo:acme@1234/orders@5678:...`. A role that trusts the name
alone lets none of its jobs in; one that trusts another number lets somebody else in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shipsafe.adapters.github_api import open_github
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.starting.answers import Host, Numbers, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What GitHub says of a repository: its numbers and its default branch."""

    numbers: Numbers
    branch: str


def token_of(environment: Mapping[str, str]) -> str:
    """The token that `gh` would take, "" where there is none."""
    return environment.get("GH_TOKEN") or environment.get("GITHUB_TOKEN") or ""


def told_by_github(source: Source, environment: Mapping[str, str]) -> Told | None:
    """What GitHub says of it; None where nobody can ask: no token, or not on github.com.

    Args:
        source: names the repository.
        environment: holds the token, and `GITHUB_API_URL` where the API is not at its own place.

    Raises:
        ConfigError: GitHub writes the name in another way, which AWS would take for another repository.
        IncompleteError: it gave no answer, or none that can be used.
    """
    token = token_of(environment)
    if source.host is not Host.GITHUB or source.repository is None or not token:
        return None
    github = open_github({"GITHUB_API_URL": environment.get("GITHUB_API_URL", ""), "GITHUB_TOKEN": token})
    path = f"repos/{source.repository}"
    about = github.get(path)
    owner = about.get("owner") if isinstance(about, dict) else None
    if not isinstance(owner, dict):
        raise IncompleteError(f"GitHub's answer to {path} is no repository.", remedy="Look at GITHUB_API_URL.")
    called, branch, numbers = about.get("html_url"), about.get("default_branch"), (owner.get("id"), about.get("id"))
    if not isinstance(called, str) or not isinstance(branch, str) or not all(type(one) is int and one > 0 for one in numbers):
        raise IncompleteError(f"GitHub's answer to {path} lacks what a repository has.", remedy="Look at GITHUB_API_URL.")
    if called != f"https://{source.server}/{source.repository}":
        raise ConfigError(
            f"GitHub calls {source.repository} {shown(called, 200)}, and AWS compares names letter by letter.",
            remedy="Say what it is called now with --repository OWNER/NAME.",
        )
    return Told(numbers=Numbers(owner=str(numbers[0]), repository=str(numbers[1])), branch=branch)
