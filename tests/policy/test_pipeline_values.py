"""`[pipeline]` decides whom AWS lets in: no value of it may be a pattern, a part of another, or more than one line."""

from pathlib import Path

import pytest

from shipsafe.adapters.http import fetch
from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy
from shipsafe.policy import load
from tests.approval.repositories import TODAY

_SHA = "0123456789abcdef0123456789abcdef01234567"
_WORKFLOW = "OWNER/shipsafe/.github/workflows/pipeline.yml@"
_HOSTILE = ("*", "a*", "a?", "${aws:x}", "${{ github.token }}", "a:b", "a\\nb", "a\\u2028b", "a b", "", "\\u0430")
_PLAIN = (
    "repository",
    "workflow",
    "branch",
    "sign-environment",
    "deploy-environment",
    "roles",
    "owner-id",
    "issuer",
    "key",
    "transport",
    "transport-owner",
)


def loaded(folder: Path, lines: str) -> Policy:
    (folder / "shipsafe.toml").write_text(f"[pipeline]\n{lines}\n", encoding="utf-8")
    return load(folder, offline=True, cache=folder / "none", fetch=fetch, today=TODAY)


@pytest.mark.parametrize("key", _PLAIN)
@pytest.mark.parametrize("value", _HOSTILE)
def test_a_value_that_means_more_than_itself_is_refused(tmp_path: Path, key: str, value: str) -> None:
    """In subjects of tokens, in patterns of IAM, in arguments one a line, and in outputs of steps."""
    with pytest.raises(ConfigError, match=key):
        loaded(tmp_path, f'{key} = "{value}"')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("repository", "acme/*"),
        ("repository", "acme/orders:environment"),
        ("repository", "acme/orders/more"),
        ("repository", "acme"),
        ("workflow", f"{_WORKFLOW}v1"),
        ("workflow", f"{_WORKFLOW}main"),
        ("workflow", f"{_WORKFLOW}{_SHA[:39]}"),
        ("workflow", f"{_WORKFLOW}{_SHA.upper()}"),
        ("workflow", f"{_WORKFLOW}{_SHA}:environment:release"),
        ("workflow", f"OWNER/shipsafe/.github/workflows/../pipeline.yml@{_SHA}"),
        ("branch", "refs/heads/../main"),
        ("branch", "main.lock"),
        ("branch", "main/"),
        ("owner-id", "0"),
        ("owner-id", "12\\u0663"),
        ("issuer", "http://token.actions.githubusercontent.com"),
        ("issuer", "https://token.actions.githubusercontent.com@evil.example"),
        ("key", "file:key.pem"),
        ("key", "env:KEY"),
        ("transport", "s3://orders/runs?x=1"),
        ("transport", "https://orders.example/runs"),
        ("transport-owner", "11112222333"),
        ("transport-owner", "1111 2222 3333"),
        ("transport-owner", "111122223333"),  # of nothing
    ],
)
def test_what_only_looks_like_one_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=key):
        loaded(tmp_path, f'{key} = "{value}"')


@pytest.mark.parametrize("pair", [("release", "release"), ("Release", "release"), ("PRODUCTION", None), (None, "RELEASE")])
def test_the_jobs_that_sign_and_deploy_have_environments_of_their_own(tmp_path: Path, pair: tuple[str | None, str | None]) -> None:
    """GitHub does not tell names of environments apart by their case: both jobs would be held to the rules of one."""
    lines = "\n".join(f'{job}-environment = "{name}"' for job, name in zip(("sign", "deploy"), pair, strict=True) if name)
    with pytest.raises(ConfigError, match="would share the environment"):
        loaded(tmp_path, lines)


@pytest.mark.parametrize("key", ["owner-id", "repository-id"])
def test_one_number_without_the_other_is_refused(tmp_path: Path, key: str) -> None:
    """The newer subject names both, and half of it would be no subject at all."""
    with pytest.raises(ConfigError, match="beside it"):
        loaded(tmp_path, f'{key} = "12"')


_NEXT = "f" * 40


@pytest.mark.parametrize(
    "several",
    [
        f'["{_WORKFLOW}{_SHA}", "{_WORKFLOW}{_NEXT}", "{_WORKFLOW}{"0" * 40}"]',  # whose roles nobody means any more
        f'["{_WORKFLOW}{_SHA}", "{_WORKFLOW}{_SHA}"]',
        f'["{_WORKFLOW}{_SHA}", "{_WORKFLOW.replace("pipeline", "other")}{_NEXT}"]',
        f'["{_WORKFLOW}{_SHA}", "{_WORKFLOW}*"]',
        f'["{_WORKFLOW}{_SHA}", "{_WORKFLOW}v2"]',
        f'["{_WORKFLOW}{_SHA}", 2]',
        "[]",
    ],
)
def test_a_list_of_workflows_is_of_two_commits_of_one(tmp_path: Path, several: str) -> None:
    with pytest.raises(ConfigError, match="workflow"):
        loaded(tmp_path, f"workflow = {several}")


def test_one_commit_may_stand_in_a_list_and_a_second_beside_it(tmp_path: Path) -> None:
    one, two = f"{_WORKFLOW}{_SHA}", f"{_WORKFLOW}{_NEXT}"
    assert loaded(tmp_path, f'workflow = ["{one}"]').pipeline.workflows == (one,)
    assert loaded(tmp_path, f'workflow = ["{one}", "{two}"]').pipeline.workflows == (one, two)
    assert loaded(tmp_path, "").pipeline.workflows == ()


def test_what_is_written_as_it_should_be_is_taken(tmp_path: Path) -> None:
    policy = loaded(
        tmp_path, f'repository = "acme/orders.api"\nworkflow = "{_WORKFLOW}{_SHA}"\nbranch = "release/2026"\nroles = "shipsafe-orders"'
    )
    assert (policy.pipeline.branch, policy.pipeline.workflow) == ("release/2026", f"{_WORKFLOW}{_SHA}")
