"""GitHub on this machine: the issuer of tokens, and the few answers of its API that a pipeline asks for.

A job's token is its own (staging.py), and what it may not do is refused as GitHub does: 403 and "Resource not accessible by integration".
Every call is kept, so that a test can say what was asked by whom.
"""

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shipsafe.model.pipeline import GITHUB_ISSUER
from tests.loopback import listening
from tests.pipeline.staging import StagedJob

REPOSITORY_ID, OWNER_ID = "7001", "42"
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}


@dataclass(kw_only=True)
class GitHub:
    """What the server knows, and what it was asked.

    Attributes:
        url: of its API.
        repository: `OWNER/NAME` of the consumer.
        jobs: those of the run that goes on; a token of no such job is refused.
        claims: of tokens, beside those that follow from job and repository: `ref`, `event_name`, `sha` ...
        always: what a request such as `GET /repos/acme/orders/pulls/12/reviews` is answered.
        comments: of a pull request, by its number.
        calls: method, path and job of each request to the API.
        tokens: job and audience of each token that was issued.
        issuer: of tokens, as they say it.
        numbered: whether subjects name numbers, too, as of every repository that was made, renamed or moved since 15 July 2026.
    """

    url: str = ""
    repository: str
    jobs: tuple[StagedJob, ...] = ()
    claims: dict[str, str] = field(default_factory=dict)
    workflows: dict[str, str] = field(default_factory=dict)
    always: dict[str, Any] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    issuer: str = GITHUB_ISSUER
    numbered: bool = False
    _key: Any = None

    def anew(self) -> "GitHub":
        """Another one with the same key, which was asked nothing yet."""
        self._private()
        return GitHub(repository=self.repository, issuer=self.issuer, _key=self._key)

    def job(self, header: str) -> StagedJob | None:
        """The job whose token a request carries."""
        return next((job for job in self.jobs if header.partition(" ")[2] == job.token), None)

    def identity_token(self, job: StagedJob, audience: str, environment: str) -> str:
        """A signed token, with the claims that GitHub's have."""
        self.tokens.append((job.name, audience))
        now = int(time.time())
        caller, _, inner = job.name.partition("/")
        ref, event = self.claims["ref"], self.claims["event_name"]
        owner, _, name = self.repository.partition("/")
        called = f"{owner}@{OWNER_ID}/{name}@{REPOSITORY_ID}" if self.numbered else self.repository
        context = f"environment:{environment}" if environment else "pull_request" if event == "pull_request" else f"ref:{ref}"
        claims = {
            "iss": self.issuer,
            "aud": audience,
            "sub": f"repo:{called}:{context}",
            "repository": self.repository,
            "repository_id": REPOSITORY_ID,
            "repository_owner_id": OWNER_ID,
            "job_workflow_ref": self.workflows[caller if inner else ""],
            "workflow": "ship",
            "actor": "octocat",
            "actor_id": "583231",
            "runner_environment": "github-hosted",
            "iat": now,
            "nbf": now - 5,
            "exp": now + 300,
            **self.claims,
            **({"environment": environment} if environment else {}),
        }
        return self._signed(claims)

    def keys(self) -> dict[str, Any]:
        """The public keys, as a set of JSON Web Keys."""
        numbers = self._private().public_key().public_numbers()
        return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "loopback", "n": _number(numbers.n), "e": _number(numbers.e)}]}

    def _private(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - heavy

        if self._key is None:
            self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self._key

    def _signed(self, claims: Mapping[str, Any]) -> str:
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - heavy
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - likewise

        head = {"alg": "RS256", "typ": "JWT", "kid": "loopback"}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{_encoded(self._private().sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8))


@contextmanager
def served(github: GitHub) -> Iterator[GitHub]:
    """Serve it on a free port of this machine."""

    def answering(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        job = github.job(headers.get("authorization", ""))
        status, value = (401, _refused("Bad credentials")) if job is None else answer(github, job, method, path, body)
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

    with listening(answering) as github.url:
        yield github


def _refused(message: str) -> dict[str, str]:
    return {"message": message, "documentation_url": "https://docs.github.com/rest", "status": ""}


def answer(github: GitHub, job: StagedJob, method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Status and value of a request by a job."""
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if parts.path == f"/oidc/{job.name.replace('/', '.')}":
        if job.rights.get("id-token") != "write":
            return 403, _refused("Resource not accessible by integration")
        return 200, {"value": github.identity_token(job, query["audience"], query.get("environment", ""))}
    github.calls.append((method, path, job.name))
    for wanted, pattern, right, action in _ROUTES:
        match = re.fullmatch(f"/repos/{re.escape(github.repository)}{pattern}", parts.path)
        if wanted == method and match:
            name, _, level = right.partition(": ")
            if name != "metadata" and job.rights.get(name) not in {level, "write"}:  # which every token has
                return 403, _refused("Resource not accessible by integration")
            page = int(query.get("page", "1"))
            status, value = action(github, match, json.loads(body or b"null"))
            size = int(query.get("per_page", "30"))
            return status, value[(page - 1) * size : page * size] if isinstance(value, list) else value
    return 404, _refused("Not Found")


def _told(github: GitHub, match: re.Match[str], _body: Any) -> tuple[int, Any]:
    value = github.always.get(f"GET {match[0]}")
    return (404, _refused("Not Found")) if value is None else (200, value)


def _comments(github: GitHub, match: re.Match[str], _body: Any) -> tuple[int, Any]:
    return 200, github.comments.get(int(match[1]), [])


def _comment(github: GitHub, match: re.Match[str], body: Any) -> tuple[int, Any]:
    number = int(match[1])
    ident = 1000 + sum(map(len, github.comments.values()))
    made = {"id": ident, "user": BOT, "body": body["body"], "html_url": f"https://github.com/{github.repository}/pull/{number}#{ident}"}
    github.comments.setdefault(number, []).append(made)
    return 201, made


def _edit(github: GitHub, match: re.Match[str], body: Any) -> tuple[int, Any]:
    for comment in (one for comments in github.comments.values() for one in comments):
        if comment["id"] == int(match[1]):
            if comment["user"] != BOT:
                return 403, _refused("Must have admin rights to Repository.")
            comment["body"] = body["body"]
            return 200, comment
    return 404, _refused("Not Found")


_ROUTES = (
    ("GET", r"/commits/[^/]+/pulls", "pull-requests: read", _told),
    ("GET", r"/pulls/\d+/(?:reviews|commits)", "pull-requests: read", _told),
    ("GET", r"/collaborators/[^/]+/permission", "metadata: read", _told),
    ("GET", r"/issues/(\d+)/comments", "pull-requests: read", _comments),
    ("POST", r"/issues/(\d+)/comments", "pull-requests: write", _comment),
    ("PATCH", r"/issues/comments/(\d+)", "pull-requests: write", _edit),
)
