"""What the texts of a new pipeline depend on: what was seen in the repository, what was answered, and which release of ours is called.

Everything that goes into a text was held to a shape before, because YAML and GitHub's expressions would read more into it:
`${{ ... }}` in the name of a folder would be evaluated.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.pipeline import HOME

_PLAIN = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./@+ -]{0,400}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,139}")
_LONGEST_NAME = 24  # a bucket's name has 63 characters, 40 of which are account, Region and what is between


class Host(StrEnum):
    """Who runs the pipeline."""

    GITHUB = "github"
    GITHUB_SERVER = "github-server"  # GitHub Enterprise Server
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    CODEBUILD = "codebuild"
    UNKNOWN = "unknown"


ON_GITHUB = (Host.GITHUB, Host.GITHUB_SERVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A function of a plain folder, as `[[functions]]` names it; `code` POSIX and relative to the policy."""

    name: str
    handler: str
    runtime: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of ours: its commit in full, its tag where that is known, and the repository that has it, which may be a copy."""

    commit: str
    tag: str | None = None
    home: str = HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was seen in a repository.

    Attributes:
        name: of the project, for names on AWS: small letters, digits and hyphens.
        path: what `path:` of the workflow says: a folder, template or plan, POSIX, relative to the top; "." for the top itself.
        folder: where shipsafe.toml belongs, likewise.
        host: who runs its pipeline; `server` the name of the machine.
        repository: `acme/orders`, or None where no remote says it.
        branch: the default branch.
        handlers: to be named in the policy; empty where a template names the functions.
        ecosystems: for Dependabot, with the folders of each, absolute from the top (`/services/orders`).
    """

    name: str
    path: str
    folder: str
    host: Host
    server: str
    repository: str | None
    branch: str
    handlers: tuple[Handler, ...] = ()
    ecosystems: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """GitHub's numbers of a repository's owner and of the repository, in decimal: they stay when names change."""

    owner: str
    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a person said.

    Attributes:
        account, region: where code is signed; both None where nobody knows yet.
        deploy: whether the pipeline lets functions go live.
        key: what signs evidence, `sigstore:` or `awskms:ARN`, or None.
        numbers: of the repository on GitHub, None where nobody knows them.
        stack: of CloudFormation, which the pipeline is to change; None for none.
        stack_role: the ARN of the role as which CloudFormation changes it, None where nobody knows it yet.
    """

    account: str | None = None
    region: str | None = None
    deploy: bool = False
    key: str | None = None
    numbers: Numbers | None = None
    stack: str | None = None
    stack_role: str | None = None


def plain_path(text: str, what: str) -> str:
    """A path that means the same in YAML, in TOML and in GitHub's expressions.

    Raises:
        ConfigError: it does not.
    """
    if not _PLAIN.fullmatch(text) or text.endswith(" ") or " #" in text:
        said = f"The {what} {shown(text, 120)!r} cannot be written into a workflow."
        raise ConfigError(said, remedy="Use letters, digits, spaces and `_ . / @ + -` in it.")
    return text


def plain_name(text: str) -> str | None:
    """A name that a function can have in a policy, or None."""
    return text if _NAME.fullmatch(text) else None


def slug(text: str) -> str:
    """Small letters, digits and hyphens, at most 24: the part of names on AWS that is the project's.

    >>> slug("Acme_Orders.API"), slug("...")
    ('acme-orders-api', 'project')
    """
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].strip("-")
    return found or "project"
