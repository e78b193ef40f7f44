"""An API on this machine that answers what a test says, and takes down what it was asked."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import listening


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered: a JSON value, or bytes as they are."""

    value: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass(kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(kw_only=True)
class Api:
    """Answers by method and path: a value that always holds, cut into pages where it is a list, or answers that are given once each."""

    url: str = ""
    always: dict[str, Any] = field(default_factory=dict)
    once: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request."""
        key = f"{asked.method} {asked.path}"
        if self.once.get(key):
            return self.once[key].pop(0)
        if key not in self.always:
            return Answer(value={"message": "Not Found"}, status=404)
        value = self.always[key]
        if isinstance(value, Answer):
            return value
        if isinstance(value, list):
            size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
            value = value[(page - 1) * size : page * size]
        return Answer(value=value)

    def paths(self) -> list[str]:
        """What was asked, in its order."""
        return [f"{one.method} {one.path}" for one in self.asked]


@contextmanager
def served() -> Iterator[Api]:
    """An API on a free port."""
    api = Api()

    def answering(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked = Asked(method=method, path=parts.path, query=query, headers=headers, body=json.loads(body or b"null"))
        api.asked.append(asked)
        answer = api.answer(asked)
        return answer.status, answer.headers, answer.raw if answer.raw is not None else json.dumps(answer.value).encode()

    with listening(answering) as api.url:
        yield api
