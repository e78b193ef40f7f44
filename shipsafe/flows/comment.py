"""A report as one comment of a pull request, which every run changes instead of adding another.

A comment is ours where its first line is our marker and its author is the account that we write as. Both are asked: anybody may write
the marker into a comment of their own, and other programs may write as the same account. Nothing else is ever changed.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.github_api import GitHub
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.record import RunRecord
from shipsafe.reports.markdown import markdown

LIMIT = 65_536  # characters: GitHub refuses a comment that is longer
_EVENT = 32 * MEBIBYTE
_SERVER = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What is to be written, and where.

    Attributes:
        repository: `acme/orders`. pull: the number of the pull request.
        body: Markdown, the marker on its first line.
        number: of the comment that is there, 0 where there is none.
        same: whether that comment says this already.
    """

    repository: str
    pull: int
    body: str
    number: int = 0
    same: bool = False

    def __str__(self) -> str:
        doing = "is as it should be" if self.same else f"is changed to {len(self.body)} characters"
        if not self.number:
            return f"{self.repository}#{self.pull} gets a comment of {len(self.body)} characters."
        return f"Comment {self.number} of {self.repository}#{self.pull} {doing}."


def planned(record: RunRecord, github: GitHub, repository: str, pull: int, *, author: str, footer: str = "") -> Comment:
    """What is to be done. Nothing is written yet.

    Args:
        record: the run that is told of.
        github: whom to ask.
        repository: whose pull request it is.
        pull: its number.
        author: the account that we write as.
        footer: a line below the report.

    Raises:
        IncompleteError: the comments cannot be listed.
    """
    marker = marker_of(record)
    body = f"{marker}\n{markdown(record, limit_bytes=LIMIT - len(marker) - len(footer.encode()) - 2)}{footer}"
    for one in github.every(f"repos/{repository}/issues/{pull}/comments"):
        if _is_ours(one, marker, author):
            there = str(one["body"]).replace("\r\n", "\n").rstrip("\n") == body.rstrip("\n")
            return Comment(repository=repository, pull=pull, body=body, number=one["id"], same=there)
    return Comment(repository=repository, pull=pull, body=body)


def written(comment: Comment, github: GitHub) -> str:
    """Write it, and give its address, "" where GitHub does not say.

    Raises:
        IncompleteError: it could not be written, or nobody knows whether it was.
    """
    if comment.same:
        return ""
    at = f"repos/{comment.repository}/issues"
    body = {"body": comment.body}
    told = github.patch(f"{at}/comments/{comment.number}", body) if comment.number else github.post(f"{at}/{comment.pull}/comments", body)
    if not isinstance(told, dict) or not isinstance(told.get("id"), int):
        raise IncompleteError("GitHub does not say whether the comment was written.", remedy="Run it again: what is there is changed.")
    return str(told.get("html_url", ""))


def marker_of(record: RunRecord) -> str:
    """What the comments of this project begin with. Projects of one repository have comments of their own."""
    what = "\0".join((record.prefix, record.project, record.template or ""))
    return f"<!-- shipsafe report {hashlib.sha256(what.encode(errors='replace')).hexdigest()[:16]} -->"


def _is_ours(comment: Mapping[str, Any], marker: str, author: str) -> bool:
    user, body, number = comment.get("user"), comment.get("body"), comment.get("id")
    if not isinstance(user, dict) or not isinstance(body, str) or not isinstance(number, int):
        return False
    return str(user.get("login", "")).casefold() == author.casefold() and body.replace("\r\n", "\n").split("\n", 1)[0] == marker


def pull_of(environment: Mapping[str, str]) -> int:
    """The number of the pull request that a job is about, as the event says that started it.

    Raises:
        ConfigError: it is about none.
    """
    file = environment.get("GITHUB_EVENT_PATH")
    event = read_json(Path(file), limit=_EVENT, shown="GITHUB_EVENT_PATH") if file else None
    pull = event.get("pull_request") if isinstance(event, dict) else None
    number = pull.get("number") if isinstance(pull, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ConfigError("This is no run of a pull request, so there is nowhere to comment.", remedy="Name one with --pull NUMBER.")
    return number


def footer_of(environment: Mapping[str, str]) -> str:
    """A line that leads to the run which wrote it, "" where that is none of GitHub's."""
    server, repository, run = (environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    plain = re.fullmatch(r"[A-Za-z0-9._/-]{1,200}", repository, re.ASCII) and re.fullmatch(r"\d{1,20}", run, re.ASCII)
    if not plain or not _SERVER.fullmatch(server):
        return ""
    return f"\n[This run]({server}/{repository}/actions/runs/{run}) wrote it, and the next changes it.\n"
