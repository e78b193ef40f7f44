"""GitHub is asked within bounds, and the token goes to it and to nobody else."""

import threading
from pathlib import Path

import pytest

from shipsafe.adapters.github_api import GitHub, NotThereError, open_github, repository_here
from shipsafe.errors import ConfigError, IncompleteError
from tests.approval.conftest import TOKEN
from tests.approval.loopback import Answer, Api, served


def test_the_token_goes_into_one_header_and_a_netrc_cannot_take_its_place(
    api: Api, github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    api.always["GET /x"] = {"a": 1}
    assert github.get("x", page=2) == {"a": 1}
    asked = api.asked[0]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.query == {"page": "2"}
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    assert TOKEN not in repr(github)


def test_it_is_not_led_elsewhere(api: Api, github: GitHub) -> None:
    with served() as other:
        other.always["GET /y"] = {}
        api.always["GET /x"] = Answer(status=302, headers={"Location": f"{other.url}/y"})
        with pytest.raises(IncompleteError, match="moved x elsewhere"):
            github.get("x")
        assert other.asked == []


def test_what_may_pass_is_tried_again(api: Api) -> None:
    slept: list[float] = []
    github = GitHub(url=api.url, token=TOKEN, sleep=slept.append)
    api.once["GET /x"] = [Answer(status=502, value={}), Answer(status=429, value={}, headers={"Retry-After": "7"})]
    api.always["GET /x"] = [{"n": 1}]
    assert list(github.every("x")) == [{"n": 1}]
    assert slept == [1.0, 7.0]


@pytest.mark.parametrize(
    ("answer", "tries", "said"),
    [
        (Answer(status=503, value={}), 3, "GitHub answered 503"),
        (Answer(status=403, value={}, headers={"Retry-After": "3600"}), 1, "GitHub answered 403"),
        (Answer(status=403, value={}, headers={"X-RateLimit-Remaining": "0"}), 1, "GitHub answered 403"),
        (Answer(status=403, value={"message": "Resource not accessible\x1b[2J by\n::error::x"}), 1, "does not let this token do that"),
        (Answer(status=401, value={"message": "Bad credentials"}), 1, "does not take this token: Bad credentials"),
        (Answer(status=422, value={"message": "Validation Failed"}), 1, "answered 422 to x: Validation Failed"),
        (Answer(raw=b"<html>"), 1, "is no JSON"),
        (Answer(raw=b"[" * 100_000), 1, "is no JSON"),
        (Answer(raw=b" " * (8 * 2**20 + 1)), 1, "larger than 8 MiB"),
    ],
)
def test_what_it_does_not_tell_is_incomplete_and_no_message_holds_the_token(
    api: Api, github: GitHub, answer: Answer, tries: int, said: str
) -> None:
    api.always["GET /x"] = answer
    with pytest.raises(IncompleteError, match=said) as caught:
        github.get("x")
    assert len(api.asked) == tries
    assert TOKEN not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_told_apart(github: GitHub) -> None:
    with pytest.raises(NotThereError, match="no x for this token"):
        github.get("x")


def test_nobody_there_is_incomplete() -> None:
    slept: list[float] = []
    with pytest.raises(IncompleteError, match="cannot be reached: ConnectionError"):
        GitHub(url="http://127.0.0.1:1", token=TOKEN, sleep=slept.append).get("x")
    assert slept == [1.0, 4.0]


def test_adding_is_not_tried_again_where_nobody_knows_whether_it_was_added(api: Api, github: GitHub) -> None:
    api.always["POST /x"] = Answer(status=502, value={})
    with pytest.raises(IncompleteError, match="502"):
        github.post("x", {"body": "b"})
    assert len(api.asked) == 1


def test_adding_is_tried_again_where_it_was_throttled(api: Api, github: GitHub) -> None:
    api.once["POST /x"] = [Answer(status=403, value={}, headers={"Retry-After": "1"})]
    api.always["POST /x"] = Answer(status=201, value={"id": 1})
    assert github.post("x", {"body": "b"}) == {"id": 1}
    assert api.asked[1].body == {"body": "b"}


@pytest.mark.parametrize("many", [0, 1, 100, 250])
def test_a_list_is_read_to_its_end(api: Api, github: GitHub, many: int) -> None:
    api.always["GET /x"] = [{"n": number} for number in range(many)]
    assert [one["n"] for one in github.every("x")] == list(range(many))


@pytest.mark.parametrize("value", [{"message": "x"}, ["x"], "x", None])
def test_what_is_no_list_of_things_is_no_answer(api: Api, github: GitHub, value: object) -> None:
    api.always["GET /x"] = Answer(value=value)
    with pytest.raises(IncompleteError, match="is no list"):
        list(github.every("x"))


def test_a_list_without_end_is_refused(api: Api, github: GitHub) -> None:
    api.always["GET /x"] = [{}] * 2100
    with pytest.raises(IncompleteError, match="more than 2000"):
        list(github.every("x"))
    assert len(api.asked) == 20


def test_it_goes_where_the_job_says_but_never_without_tls() -> None:
    assert open_github({"GITHUB_TOKEN": "t"}).url == "https://api.github.com"
    assert open_github({"GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://ghes.example.com/api/v3/"}).url == "https://ghes.example.com/api/v3"
    with pytest.raises(ConfigError, match="not an https URL"):
        open_github({"GITHUB_TOKEN": "t", "GITHUB_API_URL": "http://api.example.com"})


@pytest.mark.parametrize("token", ["", "a b", "a\nX-Other: b", "\u0431"])
def test_a_token_that_is_none_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_github({"GITHUB_TOKEN": token})
    assert not token or token not in str(caught.value)


def test_the_repository_is_the_one_of_the_job_and_of_the_policy() -> None:
    assert repository_here({"GITHUB_REPOSITORY": "acme/orders"}, None) == "acme/orders"
    assert repository_here({}, "acme/orders") == "acme/orders"
    assert repository_here({"GITHUB_REPOSITORY": "Acme/Orders"}, "acme/orders") == "acme/orders"
    with pytest.raises(ConfigError, match="job of evil/orders, and acme/orders is meant"):
        repository_here({"GITHUB_REPOSITORY": "evil/orders"}, "acme/orders")
    for wrong in ("acme", "acme/orders/../..", "acme/..", "a b/c", "acme/orders?x", "../x"):
        with pytest.raises(ConfigError, match="no repository"):
            repository_here({"GITHUB_REPOSITORY": wrong}, None)
    with pytest.raises(ConfigError, match="Nobody says"):
        repository_here({}, None)


def test_many_may_ask_at_once(api: Api, github: GitHub) -> None:
    api.always["GET /x"] = {"n": 1}
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(github.get("x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"n": 1}] * 8
