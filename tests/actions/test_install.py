"""`actions/setup/install` on machines that are not as GitHub's are: no way to PyPI, a mirror, and a home that other jobs wrote into."""

import os
import re
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipsafe.errors import ExitCode
from tests.actions.clean import bash, copied, environment
from tests.actions.test_actions import ADVISORY, POLICY, TEMPLATE


class _Mirror(ThreadingHTTPServer):
    """An index that knows where to look, and who asked."""

    daemon_threads = True
    request_queue_size = 128  # uv asks for fifty things at once, and waits ten seconds for each

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.programs: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"


class _Asked(BaseHTTPRequestHandler):
    server: _Mirror

    def do_GET(self) -> None:
        self.server.programs.add(self.headers.get("User-Agent", "").partition("/")[0])
        self.send_response(302)
        self.send_header("Location", f"https://pypi.org{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base
        """Nothing is printed."""


@pytest.fixture
def mirror() -> Iterator[_Mirror]:
    with _Mirror() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def job(folder: Path, **more: str) -> dict[str, str]:
    """What a job finds on a runner of somebody's own: nothing of what other jobs wrote is to be trusted there."""
    temporary = folder / "temporary"
    temporary.mkdir()
    return {**environment(folder / "home", RUNNER_TEMP=str(temporary), PIP_CONFIG_FILE=os.devnull, **more), "SHIPSAFE_UV_CACHE": "fresh"}


def test_what_cannot_be_fetched_is_no_finding(repository: Path, tmp_path: Path) -> None:
    env = job(tmp_path, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    done = bash(f"{repository}/actions/setup/install", cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1].startswith("error: What shipsafe needs could not be fetched; pip or uv says why above.")


@pytest.mark.registry
@pytest.mark.parametrize("variable", ["PIP_INDEX_URL", "UV_DEFAULT_INDEX"])
def test_one_word_is_enough_for_a_mirror_and_no_other_job_says_what_gates_have_answered(
    repository: Path, tmp_path: Path, mirror: _Mirror, variable: str
) -> None:
    """Both programs ask the mirror. The key of answers lies with the job, so that whoever had the home before has none of it."""
    env = job(tmp_path, **{variable: mirror.url})
    done = bash(f"{repository}/actions/setup/install", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert mirror.programs == {"pip", "uv"}
    program = done.stdout.splitlines()[-1]
    if variable == "PIP_INDEX_URL":
        _answers_are_of_one_job(tmp_path, program, env)


def _answers_are_of_one_job(folder: Path, program: str, env: dict[str, str]) -> None:
    (folder / "advisories").mkdir()
    (folder / "src").mkdir()
    (folder / "advisories/PYSEC-2026-1.json").write_text(ADVISORY)
    (folder / "shipsafe.toml").write_text(POLICY)
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "src/app.py").write_text("def handler(event, context):\n    return 'ok'\n")

    def cached() -> int:
        done = bash(f"{program} check --profile .", cwd=folder, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return (done.stdout + done.stderr).count("  yes  ")

    first = cached()
    assert cached() > first
    key = Path(program).parents[1] / "cache.key"
    assert key.stat().st_mode & 0o077 == 0
    key.write_text(f"{secrets.token_hex(32)}\n")  # as the next job makes one
    assert cached() == first


@pytest.mark.registry
def test_what_builds_shipsafe_is_what_the_digests_name_or_nothing(repository: Path, tmp_path: Path) -> None:
    """uv builds it itself where it is the version that is asked for; another one would be fetched, and nobody has its digest."""
    copied(repository, tmp_path / "ours")
    project = tmp_path / "ours/pyproject.toml"
    text = project.read_text()
    [wanted] = re.findall(r'^requires = \["uv_build==([0-9.]+)"\]$', text, re.MULTILINE)
    assert f"uv=={wanted} " in (repository / "actions/requirements-uv.txt").read_text()
    project.write_text(text.replace(f"uv_build=={wanted}", "uv_build==0.11.2"))
    done = bash("ours/actions/setup/install", cwd=tmp_path, env=environment(tmp_path / "home", RUNNER_TEMP=str(tmp_path / "temp")))
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert "shipsafe itself could not be installed" in done.stderr
    assert not (tmp_path / "temp/shipsafe/installed").exists()
