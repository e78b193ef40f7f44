"""A cache that many use at once, that is killed into, that comes from elsewhere: it costs or saves time, and changes nothing else."""

import json
import shutil
import signal
import sqlite3
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.program import command, environment
from tests.flows.fleet import CODE, RECORD, SHELL, TEMPLATE, build, fleet, machine, packages

SECRET = "hunter2-and-much-more"
WAIVER = '\n[[waivers]]\nrule = "lint/B602"\nsubject = "One"\nreason = "r"\nowner = "o"\nexpires = {day}\n'


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with packages() as address:
        yield address


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def everything_in(cache: Path) -> bytes:
    """All bytes of a cache, with what is compressed in it as it was."""
    found = [path.read_bytes() for path in sorted(cache.rglob("*")) if path.is_file()]
    for name, column, bits in (("answers", "value from answer", 15), ("members", "data from member", -15)):
        with closing(sqlite3.connect(cache / f"{name}.sqlite")) as base:
            for (value,) in base.execute(f"select {column}"):
                try:
                    found.append(zlib.decompress(value, bits))
                except zlib.error:  # a member that no compression makes smaller
                    found.append(value)
    return b"\n".join(found)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, address: str) -> dict[str, bytes]:
    """What one machine builds, without anybody else."""
    root = tmp_path_factory.mktemp("alone")
    project = fleet(root, address)
    assert build(project, env=machine(root)).code == 0
    return content(project / "dist")


def test_twenty_builds_share_a_cache_and_make_the_same_bytes(tmp_path: Path, address: str, alone: dict[str, bytes]) -> None:
    project, env = fleet(tmp_path, address), machine(tmp_path)
    running = []
    for number in range(20):
        out = project / f"out-{number}"  # beside the policy, as `dist`: the manifest says how to get there
        words = command("build", "--quiet", "--out", out, "--report", f"json={out}.json", "--jobs", "2")
        running.append(
            subprocess.Popen(words, cwd=project, env=environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    for child in running:
        printed, err = child.communicate(timeout=1200)
        assert (child.returncode, err) == (0, ""), printed
    for number in range(20):
        made = content(project / f"out-{number}") | {"report.json": (project / f"out-{number}.json").read_bytes()}
        assert made == alone
    for name in ("answers", "members"):
        with closing(sqlite3.connect(tmp_path / "cache" / f"{name}.sqlite")) as base:
            assert base.execute("pragma integrity_check").fetchone() == ("ok",)


def test_what_a_killed_build_leaves_can_be_used(tmp_path: Path, address: str, alone: dict[str, bytes]) -> None:
    project, env = fleet(tmp_path, address), machine(tmp_path)
    for moment in (0.4, 0.7, 1.0, 1.3, 1.6):
        child = subprocess.Popen(command("build", "--quiet"), cwd=project, env=environment(env), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        child.wait()
    done = build(project, env=env)
    assert done.code == 0, done.err + done.out
    assert content(project / "dist") == alone


def test_no_pass_comes_from_the_cache(tmp_path: Path, address: str) -> None:
    """Everything is cached, and each change of what is allowed or known gives the verdict that it would give without a cache."""
    files = {"src/one/app.py": SHELL}
    project, env = fleet(tmp_path, address, files, policy=WAIVER.format(day="2999-01-01")), machine(tmp_path)
    policy, lasting = project / "shipsafe.toml", (project / "shipsafe.toml").read_text()
    assert [build(project, env=env).code for _ in range(2)] == [0, 0]
    for text, code in [
        (lasting.replace("2999", "2020"), 1),  # the waiver has expired
        (lasting, 0),
        (lasting.partition("\n[[waivers]]")[0], 1),
        (lasting + '\n[gates.lint]\nfail-on = "low"\n', 1),  # the subprocess module itself is a low finding
        (lasting + '\n[gates.lint]\nmode = "observe"\n', 0),
        (f'required = ["lint", "nothing-of-this-name"]\n{lasting}', 2),
        (f'unwaivable = ["lint/B602"]\n{lasting}', 2),
        (lasting.replace("2026-11-01", "2020-01-01").replace('max-age = "off"', 'max-age = "1d"'), 4),
        (lasting, 0),
    ]:
        policy.write_text(text)
        ended = build(project, env=env)
        assert ended.code == code, (text, ended.err + ended.out)
    (project / "advisories/PYSEC-2026-7.json").write_text(RECORD % "beta")
    with policy.open("a") as file:
        file.write('\n[gates.dependencies]\nfail-on = "low"\nunscored = "fail"\n')
    ended = build(project, env=env)
    assert ended.code == 1, ended.err + ended.out
    assert "PYSEC-2026-7" in ended.out


def test_a_cache_of_another_trust_domain_changes_nothing(tmp_path: Path, address: str) -> None:
    """Somebody answered "nothing found" under his own key, for the very same questions, and lets us restore his cache."""
    project, env = fleet(tmp_path, address, {"src/one/app.py": SHELL}), machine(tmp_path)
    assert build(project, env=env).code == 1
    with closing(sqlite3.connect(tmp_path / "cache/answers.sqlite")) as base, base:
        for key, value in base.execute("select key, value from answer where kind = 'outcome'").fetchall():
            clean = json.loads(zlib.decompress(value)) | {"findings": []}
            base.execute("update answer set value = ? where key = ?", (zlib.compress(json.dumps(clean).encode()), key))
    assert build(project, env=env).code == 1
    ours = {**env, "SHIPSAFE_CONFIG_DIR": str(tmp_path / "ours")}
    assert build(project, env=ours).code == 1


def test_a_restored_cache_of_a_pass_is_only_faster(tmp_path: Path, address: str, alone: dict[str, bytes]) -> None:
    project, env = fleet(tmp_path, address), machine(tmp_path)
    assert build(project, env=env).code == 0
    shutil.rmtree(project / "dist")
    assert build(project, env={**env, "SHIPSAFE_CONFIG_DIR": str(tmp_path / "ours")}).code == 0
    assert content(project / "dist") == alone


def test_no_secret_is_in_the_cache(tmp_path: Path) -> None:
    """Not what a template sets, not what opens an index, not what somebody left among the code."""
    template = TEMPLATE.replace("Handler: app.handler,", f'Handler: app.handler, Environment: {{Variables: {{API_TOKEN: "{SECRET}"}}}},')
    code = CODE + f'PASSWORD = "{SECRET}"\n'
    with packages() as address:
        project = fleet(tmp_path, address.replace("http://", f"http://ci:{SECRET}@"), {
            "template.yaml": template, "src/one/app.py": code, "src/two/.env": f"TOKEN={SECRET}\n", "src/four/key.txt": SECRET,
        })  # fmt: skip
        refused = build(project, env=machine(tmp_path))
        assert refused.code == 2, "credentials do not stand in a policy"
        fleet(tmp_path, address, {"template.yaml": template, "src/one/app.py": code})
        done = build(project, env={**machine(tmp_path), "UV_INDEX_DEFAULT_PASSWORD": SECRET, "UV_INDEX_DEFAULT_USERNAME": "ci"})
    assert done.code in (0, 1), done.err + done.out
    kept = everything_in(tmp_path / "cache")
    assert b"alpha" in kept
    assert SECRET.encode() not in kept
