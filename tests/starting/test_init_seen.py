"""What `init` sees: handlers of plain folders, who hosts the pipeline, the last release of ours; and what it asks of a person."""

import os
import pty
import subprocess
import sys
import threading
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from shipsafe.adapters.git_remote import last_release
from shipsafe.adapters.process import Finished
from shipsafe.adapters.process import run as run_process
from shipsafe.cli.app import run
from shipsafe.errors import ConfigError
from shipsafe.packing.select import select
from shipsafe.starting.answers import Handler
from shipsafe.starting.handlers import handlers
from tests.end_to_end.program import environment
from tests.starting.repositories import APP, SAM, SHA, git, init, repository

REF = ("--ref", SHA)
ROLE = "arn:aws:iam::111122223333:role/shop-cloudformation"
STAGES = [{"name": "prod", "target": "prod", "stack": "shop", "stack-role": ROLE}]
SETTINGS = 'version = 0.1\n[default.global.parameters]\nregion = "eu-west-1"\n[default.deploy.parameters]\nstack_name = "shop"\n'


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_handlers_are_found_by_their_arguments_and_called_after_file_or_folder(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        {
            "resize/handler.py": "import json\n\ndef helper(a, b): ...\n\ndef main(event, context):\n    return 1\n",
            "thumbnails/make.py": "def lambda_handler(_event, _context):\n    return 1\n",
            "app.py": "def handler(s3_event, ctx): ...\n",
            "resize/util.py": "def f(event): ...\n",
            "late/app.py": "async def handler(event, context): ...\n",
            "tests/test_app.py": APP,
            ".venv/pyvenv.cfg": "",
            ".venv/app.py": APP,
            "env/lib/app.py": APP,
            "broken/app.py": "def handler(event, context)\n",
            "null/app.py": "x = '\0'\n",
            ".python-version": "3.12.4\n",
        },
    )
    assert handlers(root, project="orders") == (
        Handler(name="orders", handler="app.handler", runtime="python3.12", code="."),
        Handler(name="resize", handler="handler.main", runtime="python3.12", code="resize"),
        Handler(name="make", handler="make.lambda_handler", runtime="python3.12", code="thumbnails"),
    )


def test_two_of_one_name_are_called_after_their_folders_too(tmp_path: Path) -> None:
    root = written(tmp_path, {"orders/get.py": APP, "users/Get.py": APP})
    assert [one.name for one in handlers(root, project="x")] == ["get", "users-Get"]
    written(tmp_path, {"shop/users/get.py": APP})
    with pytest.raises(ConfigError, match="Two functions would be called"):
        handlers(root, project="x")


@pytest.mark.parametrize("said", ["", "2.7", "3.99", "pypy3.10", "../../etc", "3"])
def test_a_version_that_lambda_has_not_is_no_runtime(said: str, tmp_path: Path) -> None:
    root = written(tmp_path, {"app.py": APP, ".python-version": said})
    assert [one.runtime for one in handlers(root, project="x")] == ["python3.13"]


def test_source_that_would_exhaust_a_parser_is_passed_over(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        {"deep/app.py": "(" * 50_000 + "\n" + APP, "wide/app.py": "x = [" + "1," * 200_000 + "]\n", "large/app.py": "#" * 2_000_000},
    )
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "app.py")
    assert handlers(root, project="x") == ()


def test_a_plain_folder_gets_a_policy_that_names_its_functions_and_is_read_by_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repository(tmp_path / "images", {"resize/handler.py": APP, "notify/handler.py": APP})
    assert "2 functions (notify, resize), from Python files with a handler" in init(folder, capsys, *REF)
    named = tomllib.loads((folder / "shipsafe.toml").read_text())["functions"]
    assert named[1] == {"name": "resize", "handler": "handler.handler", "runtime": "python3.13", "code": "resize"}
    assert run(["build", str(folder), "--plan", "--offline"]) == 0
    assert "resize" in capsys.readouterr().out


def test_of_a_function_at_the_top_only_its_code_ships(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"app.py": APP, "text.py": "", "README.md": "", "tests/test_app.py": "", "docs/a.md": ""}
    folder = repository(tmp_path / "orders", files)
    init(folder, capsys, *REF)
    named = select(folder, root=folder, python=True)
    assert {one.path for one in named.files} == {"app.py", "text.py"}
    assert "nothing was changed" in init(folder, capsys, "--offline")


@pytest.mark.parametrize(
    ("remote", "more", "says"),
    [
        ("git@github.com:acme/orders.git", {}, "github: acme/orders on github.com"),
        ("https://ada:secret@github.com/acme/orders", {}, "github: acme/orders on github.com"),
        ("ssh://git@ssh.github.com:443/acme/orders.git", {}, "github: acme/orders on github.com"),
        ("https://github.example.com/acme/orders", {}, "github-server: acme/orders on github.example.com"),
        ("https://acme.ghe.com/acme/orders", {}, "github-server: acme/orders on acme.ghe.com"),
        ("https://git.example.com/acme/orders", {".github/workflows/ci.yml": ""}, "github-server: acme/orders on git.example.com"),
        ("https://gitlab.com/acme/orders.git", {}, "gitlab:"),
        ("https://git.example.com/acme/group/orders.git", {".gitlab-ci.yml": ""}, "gitlab:"),
        ("https://bitbucket.org/acme/orders", {}, "bitbucket:"),
        ("https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/orders", {}, "codebuild:"),
    ],
)
def test_who_hosts_it_is_seen_by_the_remote_and_by_files(
    remote: str, more: dict[str, str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = init(repository(tmp_path / "orders", {**SAM, **more}, remote=remote), capsys, "--dry-run", *REF)
    assert says in out
    assert "secret" not in out


def test_on_a_server_of_ones_own_the_other_workflow_is_called_and_its_issuer_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repository(tmp_path / "orders", SAM, remote="https://github.example.com/acme/orders")
    out = init(folder, capsys, *REF)
    assert "also needs `transport`, and does not run without it" in out
    assert "Let the subjects of its tokens name the workflow" in out
    assert "sigstore:" not in out, "a key that it could not use"
    policy = tomllib.loads((folder / "shipsafe.toml").read_text())["pipeline"]
    assert policy["issuer"] == "https://github.example.com/_services/token"
    assert policy["workflow"].endswith(f"/pipeline-ghes.yml@{SHA}")
    assert "transport" not in policy
    text = (folder / ".github/workflows/ship.yml").read_text()
    assert f"/pipeline-ghes.yml@{SHA}" in text
    assert "attestations" not in text, "a right that it does not know"
    assert "nothing was changed" in init(folder, capsys, "--offline")


def test_a_project_is_called_as_its_remote_says_and_not_as_somebodys_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, remote in enumerate(
        ("git@gitlab.com:acme/team/Orders.git", "https://bitbucket.org/acme/Orders", "git@github.com:acme/Orders")
    ):
        out = init(repository(tmp_path / f"checkout-{number}", SAM, remote=remote), capsys, *REF)
        assert '# bucket = "orders-artifacts-' in out


def test_with_data_residency_tokens_come_from_ones_own_issuer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM, remote="https://acme.ghe.com/acme/orders")
    assert 'issuer = "https://token.actions.acme.ghe.com"' in init(folder, capsys, *REF)


def test_on_a_server_of_ones_own_artifacts_lie_in_the_bucket_between_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM, remote="https://github.example.com/acme/orders")
    init(folder, capsys, *REF, "--account", "111122223333", "--region", "eu-central-1")
    policy = tomllib.loads((folder / "shipsafe.toml").read_text())
    assert policy["pipeline"]["transport"] == "s3://orders-artifacts-111122223333-eu-central-1/pipeline"
    assert run(["policy", "pipeline", str(folder)]) == 0


def test_who_says_that_it_is_on_github_is_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM, remote="https://gitlab.com/mirrors/orders")
    assert "github: acme/orders on github.com" in init(folder, capsys, "--dry-run", *REF, "--repository", "acme/orders")


def test_without_a_remote_somebody_has_to_say_which_repository_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM, remote=None)
    with pytest.raises(ConfigError, match="--repository OWNER/NAME"):
        run(["init", str(folder), "--yes", *REF])
    assert 'repository = "acme/orders"' in init(folder, capsys, *REF, "--repository", "acme/orders")
    assert "nothing was changed" in init(folder, capsys, "--offline"), "the policy says it now"


def _tagged(folder: Path) -> tuple[str, str]:
    """A repository with releases: the commits of v0.10.0, whose tag is annotated, and of what came later."""
    repository(folder, {"a": "1"})
    git(folder, "tag", "v0.9.0")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    last = git(folder, "rev-parse", "HEAD")
    git(folder, "tag", "-a", "-m", "release", "v0.10.0")
    git(folder, "commit", "-q", "--allow-empty", "-m", "third")
    for name in ("v0.11.0-rc1", "v1", "nightly", "v0.11", "xv2.0.0"):
        git(folder, "tag", name)
    return last, git(folder, "rev-parse", "v0.10.0")


def test_the_last_release_is_the_highest_version_and_its_commit_not_its_tag(tmp_path: Path) -> None:
    last, tag = _tagged(tmp_path / "home")
    asked: list[Sequence[str | Path]] = []

    def here(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900) -> Finished:
        """git in earnest, with the repository on this machine in the place of the address."""
        asked.append(argv)
        words = [str(tmp_path / "home") if word == "https://example.com/x" else word for word in argv]
        return run_process(words, cwd=cwd, env={**(env or {}), "GIT_ALLOW_PROTOCOL": "file"}, timeout=timeout)

    assert last != tag
    assert last_release("https://example.com/x", remedy="", run=here) == (last, "v0.10.0")
    assert asked == [["git", "ls-remote", "--tags", "--", "https://example.com/x", "refs/tags/v*"]]


@pytest.mark.parametrize("address", ["https://127.0.0.1:1/x", "file:///nowhere", "ext::sh -c whoami", "--upload-pack=whoami"])
def test_a_release_that_cannot_be_asked_for_ends_with_2_and_the_way_out(address: str) -> None:
    with pytest.raises(ConfigError, match="Name it with --ref") as caught:
        last_release(address, remedy="Name it with --ref.")
    assert caught.value.exit_code == 2


def test_a_repository_without_a_release_has_none() -> None:
    for answer in ("", "0" * 40 + "\trefs/tags/v1\n", "x" * 100, "\0\n"):
        with pytest.raises(ConfigError, match="has no release"):
            last_release("https://x", remedy="", run=lambda *_, answer=answer, **__: Finished(returncode=0, stdout=answer, stderr=""))


def _talk(folder: Path, *answers: str) -> tuple[int, str]:
    """Run it on a terminal, and answer."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "shipsafe", "init", str(folder), *REF]
    child = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment({"COLUMNS": "200"}), close_fds=True)
    os.close(theirs)
    os.write(ours, "".join(f"{one}\n" for one in answers).encode())
    said: list[bytes] = []

    def listen() -> None:
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the terminal is gone with the program
                return
            if not part:
                return
            said.append(part)

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        code = child.wait(timeout=300)
    except subprocess.TimeoutExpired:  # it asks more than it is told
        child.kill()
        raise
    listener.join(timeout=120)
    assert not listener.is_alive(), "somebody else has the terminal, too"
    os.close(ours)
    return code, b"".join(said).decode()


def test_on_a_terminal_it_asks_four_things_and_before_it_writes(tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", {"app.py": APP})
    code, said = _talk(folder, "1234", "111122223333", "eu-central-1", "11", "11 22", "y", "y")
    assert code == 0, said
    assert said.index("An account has twelve digits.") < said.index("Write two numbers") < said.index("Go on? [y/N]")
    policy = tomllib.loads((folder / "shipsafe.toml").read_text())
    assert policy["sign"]["target"][0]["account"] == "111122223333"
    assert (policy["pipeline"]["owner-id"], policy["pipeline"]["repository-id"]) == ("11", "22")
    assert policy["deploy"] == {"rollout": "all-at-once"}
    assert "MISSING" not in said
    assert "The pipeline deploys to functions that are there." in said
    assert '# function = "orders"' in (folder / "shipsafe.toml").read_text()


def test_whoever_has_a_template_is_asked_for_its_stack(tmp_path: Path) -> None:
    """And not whether functions that a stack manages are deployed behind its back."""
    folder = repository(tmp_path / "orders", SAM)
    code, said = _talk(folder, "111122223333", "eu-central-1", "", "", "y")
    assert code == 0, said
    assert "to functions that are there" not in said
    assert said.index("MISSING: GitHub's numbers of acme/orders") < said.index("Go on? [y/N]")
    policy = tomllib.loads((folder / "shipsafe.toml").read_text())
    assert "deploy" not in policy
    assert "owner-id" not in policy["pipeline"]


def test_the_stack_of_sams_settings_is_proposed_and_taken_where_somebody_says_yes(tmp_path: Path) -> None:
    for number, (answers, stages) in enumerate(((("n",), None), (("y", ROLE), STAGES))):
        folder = repository(tmp_path / f"orders-{number}", {**SAM, "samconfig.toml": SETTINGS})
        code, said = _talk(folder, "111122223333", "", *answers, "y")
        assert code == 0, said
        assert "through a change set of stack shop? [y/N]" in said
        assert "Its Region" not in said, "the settings say it"
        policy = tomllib.loads((folder / "shipsafe.toml").read_text())
        assert policy["sign"]["target"][0]["region"] == "eu-west-1"
        assert policy.get("deploy", {}).get("stage") == stages


def test_who_does_not_know_yet_answers_nothing_and_who_does_not_want_it_gets_nothing(tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", SAM)
    code, said = _talk(folder, "", "n")
    assert (code, (folder / "shipsafe.toml").exists()) == (130, False), said
    code, said = _talk(folder, "1", "2", "3")
    assert code == 2, said
    assert "Say it with --account" in said
