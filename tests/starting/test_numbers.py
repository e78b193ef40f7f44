"""GitHub's numbers of a repository: said, asked on a terminal, or asked of its API; never guessed, and missed loudly."""

import json
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError
from tests.starting.repositories import SAM, SHA, init, repository

REF = ("--ref", SHA, "--account", "111122223333", "--region", "eu-central-1")
MISSING = "MISSING: GitHub's numbers of acme/orders and of its owner"
ORDERS = {"id": 22, "owner": {"id": 11}, "html_url": "https://github.com/acme/orders", "default_branch": "main"}
Asked = list[tuple[str, str | None]]


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dict[str, Any], Asked]]:
    """What it knows of each path, and what it was asked, with whose token."""
    known: dict[str, Any] = {}
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            body = json.dumps(known.get(self.path, {"message": "Not Found"})).encode()
            self.send_response(200 if self.path in known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_TOKEN", "secret-of-actions")
    yield known, asked
    server.shutdown()
    server.server_close()


def pipeline_of(folder: Path) -> dict[str, str]:
    found: dict[str, str] = tomllib.loads((folder / "shipsafe.toml").read_text())["pipeline"]
    return found


def test_without_them_it_says_loudly_what_happens_and_how_to_see_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    out = init(folder, capsys, *REF)
    assert MISSING in out
    assert "gh api repos/acme/orders --jq" in out
    assert "owner-id" not in pipeline_of(folder)
    assert "gh api repos/acme/orders --jq .owner.id" in (folder / "shipsafe.toml").read_text()
    assert MISSING in init(folder, capsys, "--offline"), "until they are there, every run says it"
    text = (folder / "shipsafe.toml").read_text()
    named = text.replace('# owner-id = "..."', 'owner-id = "11"').replace('# repository-id = "..."', 'repository-id = "22"')
    (folder / "shipsafe.toml").write_text(named)
    assert "MISSING" not in init(folder, capsys, "--offline")
    assert run(["bootstrap", "--print", "cloudformation", str(folder)]) == 0
    assert "repo:acme@11/orders@22:environment:release" in capsys.readouterr().out


def test_said_with_options_they_are_in_the_policy_and_trusted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    out = init(folder, capsys, *REF, "--owner-id", "11", "--repository-id", "22")
    assert "MISSING" not in out
    assert (pipeline_of(folder)["owner-id"], pipeline_of(folder)["repository-id"]) == ("11", "22")
    assert run(["bootstrap", "--print", "cloudformation", str(folder)]) == 0
    assert "repo:acme@11/orders@22:environment:release" in capsys.readouterr().out


def test_with_a_token_github_is_asked_and_the_token_goes_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], github: tuple[dict[str, Any], Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    known, asked = github
    known["/repos/acme/orders"] = ORDERS
    folder = repository(tmp_path / "orders", SAM)
    assert "not known" not in init(folder, capsys, *REF, "--offline", "--dry-run")
    assert asked == [], "offline opens no socket"
    out = init(folder, capsys, *REF, "--dry-run")
    assert "numbers     11 (owner), 22 (repository), as GitHub says" in out
    assert "MISSING" not in out
    monkeypatch.setenv("GH_TOKEN", "secret-of-gh")
    out += init(folder, capsys, *REF)
    assert asked == [("/repos/acme/orders", "Bearer secret-of-actions"), ("/repos/acme/orders", "Bearer secret-of-gh")]
    assert (pipeline_of(folder)["owner-id"], pipeline_of(folder)["repository-id"]) == ("11", "22")
    assert "secret-of" not in out + (folder / "shipsafe.toml").read_text()
    init(folder, capsys)
    assert len(asked) == 2, "the policy has them"


def test_a_policy_that_lacks_them_is_left_and_what_github_says_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], github: tuple[dict[str, Any], Asked]
) -> None:
    github[0]["/repos/acme/orders"] = ORDERS
    text = f'[pipeline]\nrepository = "acme/orders"\nworkflow = "OWNER/shipsafe/.github/workflows/pipeline.yml@{SHA}"\n'
    folder = repository(tmp_path / "orders", {**SAM, "shipsafe.toml": text})
    out = init(folder, capsys)
    assert MISSING in out
    assert '  owner-id = "11"\n  repository-id = "22"\n' in out
    assert (folder / "shipsafe.toml").read_text() == text


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {**ORDERS, "id": "22"},
        {**ORDERS, "id": True},
        {**ORDERS, "id": 0},
        {**ORDERS, "owner": None},
        {**ORDERS, "owner": {}},
        {**ORDERS, "html_url": None},
        {**ORDERS, "default_branch": 1},
    ],
)
def test_an_answer_that_cannot_be_used_is_told_and_nothing_is_guessed(
    answer: object, tmp_path: Path, capsys: pytest.CaptureFixture[str], github: tuple[dict[str, Any], Asked]
) -> None:
    if answer is not None:
        github[0]["/repos/acme/orders"] = answer
    folder = repository(tmp_path / "orders", SAM)
    out = init(folder, capsys, *REF)
    assert "numbers     not known: GitHub" in out
    assert MISSING in out
    assert "owner-id" not in pipeline_of(folder)


def test_a_repository_that_is_called_otherwise_is_refused(tmp_path: Path, github: tuple[dict[str, Any], Asked]) -> None:
    """Another server may have one of that name, with other numbers; and roles compare names letter by letter."""
    folder = repository(tmp_path / "orders", SAM)
    for called in ("https://github.com/Acme/Orders", "https://github.example.com/acme/orders"):
        github[0]["/repos/acme/orders"] = {**ORDERS, "html_url": called}
        with pytest.raises(ConfigError, match="letter by letter"):
            run(["init", str(folder), "--yes", *REF])
    assert not (folder / "shipsafe.toml").exists()


def test_another_default_branch_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], github: tuple[dict[str, Any], Asked]) -> None:
    github[0]["/repos/acme/orders"] = {**ORDERS, "default_branch": "trunk"}
    out = init(repository(tmp_path / "orders", SAM), capsys, *REF)
    assert "GitHub's default branch is trunk, and not main" in out


def test_on_a_server_of_ones_own_nobody_asks_github(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], github: tuple[dict[str, Any], Asked]
) -> None:
    folder = repository(tmp_path / "orders", SAM, remote="https://github.example.com/acme/orders")
    assert "MISSING" not in init(folder, capsys, *REF)
    assert github[1] == []
