"""`shipsafe local up` and `run`, as a user starts them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path

import pytest

from shipsafe.flows.local import is_foreign, local_environment

_REAL = {
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_SECURITY_TOKEN": "real",
    "AWS_PROFILE": "prod",
    "AWS_DEFAULT_PROFILE": "prod",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/real",
    "AWS_ROLE_ARN": "arn:aws:iam::999988887777:role/real",
    "AWS_ROLE_SESSION_NAME": "real",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/real",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/real",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "real",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.org",
    "AWS_ENDPOINT_URL_SIGNER": "https://signer.example.org",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_SSO_SESSION": "real",
    "AWS_CA_BUNDLE": "/real",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_CONFIG_FILE": "/real",
    "AWS_SHARED_CREDENTIALS_FILE": "/real",
    "BOTO_CONFIG": "/real",
    "HTTP_PROXY": "http://proxy.example.org:3128",
}
_SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def _environment(tmp_path: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"HOME": str(tmp_path), "SHIPSAFE_CONFIG_DIR": str(tmp_path / "config")} | dict(more or {})


def _shipsafe(*arguments: str, tmp_path: Path, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shipsafe", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=_environment(tmp_path, more),
        timeout=300,
    )


def test_run_shows_its_command_the_endpoint_and_no_real_credentials(tmp_path: Path) -> None:
    done = _shipsafe("local", "run", "--", sys.executable, "-c", _SHOW, tmp_path=tmp_path, more=_REAL | {"AWS_REGION": "eu-central-1"})
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert {name for name in seen if name.startswith("AWS_")} == {
        *("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"),
        *("AWS_EC2_METADATA_DISABLED", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
    }
    assert "real" not in {value.lower() for name, value in seen.items() if name.startswith("AWS_")}
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", seen["AWS_ENDPOINT_URL"])
    assert (seen["AWS_REGION"], seen["AWS_DEFAULT_REGION"]) == ("eu-central-1", "eu-central-1")
    assert re.fullmatch(r"[0-9a-f]{64}", seen["SHIPSAFE_LOCAL_ROOT"])
    assert "127.0.0.1" in seen["NO_PROXY"].split(",")
    assert not Path(seen["AWS_CONFIG_FILE"]).exists()  # it was, and empty, while the command ran


def test_the_root_is_the_users_own_and_stays(tmp_path: Path) -> None:
    show = ("local", "run", "--", sys.executable, "-c", "import os; print(os.environ['SHIPSAFE_LOCAL_ROOT'])")
    assert _shipsafe(*show, tmp_path=tmp_path).stdout == _shipsafe(*show, tmp_path=tmp_path).stdout


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
def test_the_exit_code_is_the_commands(tmp_path: Path, script: str, code: int) -> None:
    assert _shipsafe("local", "run", "--", "sh", "-c", script, tmp_path=tmp_path).returncode == code


def test_a_command_that_is_not_there_and_an_account_that_is_none_are_said(tmp_path: Path) -> None:
    done = _shipsafe("local", "run", "--", "no-such-program", tmp_path=tmp_path)
    assert (done.returncode, "no-such-program could not be started" in done.stderr) == (2, True)
    done = _shipsafe("local", "run", "--account", "12", "--", "true", tmp_path=tmp_path)
    assert (done.returncode, "twelve digits" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    hide = "import importlib.util as u\nfind = u.find_spec\n"
    hide += "u.find_spec = lambda name, package=None: None if name == 'moto' else find(name, package)\n"
    (tmp_path / "sitecustomize.py").write_text(hide)
    done = _shipsafe("local", "run", "--", "true", tmp_path=tmp_path, more={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr == "error: The local AWS endpoint is not installed. Run `pip install 'shipsafe[local]'`.\n"


def test_a_signal_reaches_the_command_and_the_endpoint_ends(tmp_path: Path) -> None:
    script = "trap 'echo ended; exit 9' TERM; echo started; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [sys.executable, "-m", "shipsafe", "local", "run", "--state", str(tmp_path / "state"), "--", "sh", "-c", script],
        stdout=subprocess.PIPE, env=_environment(tmp_path),
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
        child.send_signal(signal.SIGTERM)
        assert child.stdout.read() == b"ended\n"
        assert child.wait(120) == 9
    assert (tmp_path / "state" / "cores.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_prints_what_to_export_serves_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    arguments = [sys.executable, "-m", "shipsafe", "local", "up", "--port", "0", "--state", str(tmp_path / "state")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=_environment(tmp_path, _REAL)) as child:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line.rstrip())
            if line.startswith("# ready"):
                break
        assert "AWS_PROFILE" in next(line for line in lines if line.startswith("unset "))
        exported = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
        with urllib.request.urlopen(exported["AWS_ENDPOINT_URL"] + "/_shipsafe/health") as answer:  # noqa: S310 - loopback
            assert json.load(answer)["root"] == exported["SHIPSAFE_LOCAL_ROOT"]
        child.send_signal(number)
        assert child.wait(120) == 0
    assert json.loads((tmp_path / "state" / "cores.json").read_text())["format"] == 1


def test_what_up_prints_holds_in_terminals_that_it_cannot_see(tmp_path: Path) -> None:
    """Another terminal may have a profile where this one has none, and no region where this one has the right one."""
    arguments = [sys.executable, "-m", "shipsafe", "local", "up", "--port", "0"]
    here = {"AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1", "no_proxy": "example.org"}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=_environment(tmp_path, here)) as child:
        assert child.stdout is not None
        lines = list(takewhile(lambda line: not line.startswith("# ready"), child.stdout))
        child.send_signal(signal.SIGTERM)
    followed = tmp_path / "followed.sh"
    followed.write_text("".join(lines))
    there = {"AWS_PROFILE": "real", "AWS_SESSION_TOKEN": "real", "AWS_ROLE_ARN": "real"}
    script = f'. "$0"; exec {sys.executable} -c "$1"'
    seen = json.loads(subprocess.check_output(["sh", "-c", script, followed, _SHOW], env=_environment(tmp_path, there), text=True))
    assert not seen.keys() & there.keys()
    assert (seen["AWS_REGION"], seen["AWS_DEFAULT_REGION"], seen["AWS_EC2_METADATA_DISABLED"]) == ("eu-central-1", "eu-central-1", "true")
    assert (seen["NO_PROXY"], seen["no_proxy"]) == ("127.0.0.1", "example.org,127.0.0.1")


def test_a_taken_port_is_said(tmp_path: Path) -> None:

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _shipsafe("local", "up", "--port", str(taken.getsockname()[1]), tmp_path=tmp_path)
    assert (done.returncode, "choose another" in done.stderr.lower()) == (2, True)


_LIGHT = r"""
import os, re, resource, subprocess, sys, time
from shipsafe.local.endpoint import start
with start() as endpoint:
    took = time.process_time()
    os.environ |= {"AWS_ENDPOINT_URL": endpoint.url, "AWS_ACCESS_KEY_ID": "1" * 12, "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1"}
    ask = ("import boto3; boto3.session.Session(region_name='eu-west-1').client('signer')"
           ".put_signing_profile(profileName='prod', platformId='AWSLambda-SHA384-ECDSA')")
    subprocess.run([sys.executable, "-c", ask], check=True)
    loaded = [name for name in sys.modules if name.partition(".")[0] in ("moto", "flask", "boto3")]
    try:  # getrusage would tell the largest of this process and of the one that started it
        memory = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1])
    except FileNotFoundError:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(took, memory, loaded)
"""


def test_it_starts_at_once_and_is_small_until_moto_is_used(tmp_path: Path, repository: Path) -> None:
    """Less than a second of work and less than 150 MB, and nothing of moto after a call of Signer."""
    done = subprocess.run(
        [sys.executable, "-c", _LIGHT], check=True, capture_output=True, text=True, cwd=repository, env=_environment(tmp_path)
    )
    took, memory, loaded = done.stdout.split(" ", 2)
    assert loaded.strip() == "[]"
    assert int(memory) < 150 * 1024
    assert float(took) < 5  # of processor time: 0.3 s on an idle machine, and the rest is for a slow one


def test_every_variable_that_leads_elsewhere_is_foreign() -> None:
    assert all(is_foreign(name) for name in _REAL if name != "HTTP_PROXY")
    kept = local_environment(
        "http://x", "f", {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_PAGER": "", "PATH": "/bin"}, "1" * 12, Path("a"), Path("b")
    )
    assert (kept["AWS_REGION"], kept["AWS_PAGER"], kept["PATH"]) == ("eu-west-1", "", "/bin")


def test_help_imports_nothing_of_it() -> None:
    loaded = "import sys\ntry:\n  from shipsafe.cli.app import run; run(['local', '--help'])\nexcept SystemExit: pass\n"
    heavy = "print([name for name in sys.modules if name.partition('.')[0] in ('moto', 'flask', 'werkzeug', 'botocore', 'cryptography')])"
    done = subprocess.run([sys.executable, "-c", loaded + heavy], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
