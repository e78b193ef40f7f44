"""GitLab, CodeBuild, Bitbucket, a container and pre-commit: their files are parsed, and their commands run on a machine that has nothing.

What reads these files elsewhere (rules, artifacts, tokens) does not run here; docs/guides/other-ci.md names it.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipsafe.model.pipeline import HOME
from tests.actions.clean import bash, committed, copied, environment
from tests.actions.test_actions import ADVISORY, POLICY, ROLE, TEMPLATE

FILES = ("configs/ci/gitlab.yml", "configs/ci/codebuild.yml", "configs/ci/bitbucket-pipelines.yml")


@dataclass(frozen=True)
class Ours:
    """Our repository where others fetch it, and the commit that they name."""

    folder: Path
    commit: str


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Ours:
    folder = tmp_path_factory.mktemp("ours")
    copied(Path(__file__).resolve().parents[2], folder)
    return Ours(folder=folder, commit=committed(folder))


@dataclass
class Runner:
    """Runs jobs: each in a fresh checkout of the project, to which only what the job before handed on is added."""

    world: Path
    env: dict[str, str]
    jobs: int = 0
    handed: dict[str, str] = field(default_factory=dict)
    said: str = ""

    def __post_init__(self) -> None:
        project = self.world / "origin"
        (project / "src").mkdir(parents=True)
        (project / "advisories").mkdir()
        (project / "template.yaml").write_text(TEMPLATE)
        (project / "src/app.py").write_text("def handler(event, context):\n    return 'ok'\n")
        (project / "shipsafe.toml").write_text(POLICY)
        (project / "advisories/PYSEC-2026-1.json").write_text(ADVISORY)
        committed(project)

    @property
    def last(self) -> Path:
        return self.world / f"job-{self.jobs}"

    def job(self, script: str, *, env: dict[str, str], output: str = "output") -> int:
        """One job; its exit code. What it wrote to `output` is a variable of the next ones."""
        before, self.jobs = self.last, self.jobs + 1
        subprocess.run(["git", "clone", "-q", self.world / "origin", self.last], check=True)
        for name in ("shipsafe-release", "shipsafe-reports"):
            if (before / name).is_dir():
                shutil.copytree(before / name, self.last / name)
        done = bash(script, cwd=self.last, env={**self.env, **self.handed, **env})
        self.said = done.stdout + done.stderr
        if (self.last / output).is_file():
            self.handed |= dict(line.split("=", 1) for line in (self.last / output).read_text().splitlines())
        return done.returncode


@pytest.fixture
def runner(tmp_path: Path, ours: Ours) -> Runner:
    more = {name: value for name, value in os.environ.items() if name.startswith("AWS_") or name == "SHIPSAFE_LOCAL_ROOT"}
    more["RUNNER_TEMP"] = str(ours.folder.parent / "kept")  # the first job installs it, on a machine that has nothing
    env = environment(tmp_path / "home", SHIPSAFE_COMMIT=ours.commit, SHIPSAFE_SOURCE=ours.folder.as_uri(), **more)
    return Runner(world=tmp_path / "world", env=env)


def gitlab(repository: Path, **inputs: str) -> dict[str, Any]:
    """The jobs of the template with these inputs, as GitLab joins what they extend."""
    head, text = (repository / FILES[0]).read_text().split("\n---\n")
    known = yaml.safe_load(head)["spec"]["inputs"]
    assert inputs.keys() <= known.keys()
    given = {name: inputs.get(name, value.get("default")) for name, value in known.items()}
    assert re.fullmatch(known["shipsafe"]["regex"], str(given["shipsafe"]))
    assert set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", text)) == known.keys()
    document = _given(yaml.safe_load(text), given)
    return {name: _joined(document, name) for name in document if not name.startswith(".")}


def _given(value: Any, inputs: dict[str, Any]) -> Any:
    """Texts with the inputs in them: GitLab puts them in after it has read the YAML."""
    if isinstance(value, dict):
        return {name: _given(one, inputs) for name, one in value.items()}
    if isinstance(value, list):
        return [_given(one, inputs) for one in value]
    return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: str(inputs[found[1]]), value) if isinstance(value, str) else value


def _joined(document: dict[str, Any], name: str) -> dict[str, Any]:
    job = dict(document[name])
    base = _joined(document, job.pop("extends")) if "extends" in job else {}
    joined: dict[str, Any] = _merged(base, job)
    return joined


def _merged(base: Any, over: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{name: _merged(base.get(name), value) for name, value in over.items()}}


@pytest.mark.registry
@pytest.mark.usefixtures("local_aws")
def test_gitlab_builds_signs_deploys_and_verifies_in_jobs_of_their_own(repository: Path, runner: Runner, ours: Ours) -> None:
    jobs = gitlab(repository, shipsafe=ours.commit, source=ours.folder.as_uri(), functions="Orders:live", region="eu-west-1")
    prepared = subprocess.run([sys.executable, "-m", "shipsafe", "bootstrap", "--yes"], cwd=runner.world / "origin", check=False)
    assert prepared.returncode == 0
    digests = []
    for name in ("build", "sign", "deploy", "verify"):
        job = jobs[f"shipsafe-{name}"]
        assert job["image"]
        variables = {key: str(value) for key, value in job["variables"].items()}
        assert job.get("id_tokens") == (None if name == "build" else {"SHIPSAFE_TOKEN": {"aud": "sts.amazonaws.com"}})
        if name == "deploy":
            _function(runner)
        code = runner.job("\n".join(job["before_script"] + job["script"]), env=variables, output=job["artifacts"]["reports"]["dotenv"])
        assert code == 0, runner.said
        digests.append(runner.handed["SHIPSAFE_DIGEST"])
    assert "Orders:live" in runner.said
    assert len(set(digests)) >= 2, "signing writes another manifest"


def _function(runner: Runner) -> None:
    """A pipeline deploys to functions that are there; this one runs what was signed just now."""
    copy = runner.world / "first"
    shutil.copytree(runner.last, copy)
    words = ["deploy", "shipsafe-release", "--yes", "--create", "--role", ROLE, "--offline-advisories"]
    done = subprocess.run([sys.executable, "-m", "shipsafe", *words], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_gitlab_signs_only_on_the_protected_branch_and_only_where_a_role_is_named(repository: Path, ours: Ours) -> None:
    """No job of a merge request has a token of OpenID Connect, and releases wait for each other."""
    for name, job in gitlab(repository, shipsafe=ours.commit).items():
        conditions = [rule["if"] for rule in job["rules"]]
        if "id_tokens" in job:
            assert all(condition.startswith("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && ") for condition in conditions), name
            assert job["resource_group"] == "shipsafe"
        assert job["interruptible"] is False
    roles = gitlab(repository, shipsafe=ours.commit, **{"sign-role": "arn:sign", "deploy-role": "arn:deploy"})
    assert '"arn:sign" != ""' in roles["shipsafe-sign"]["rules"][0]["if"]
    assert roles["shipsafe-sign"]["variables"]["SHIPSAFE_ROLE"] == "arn:sign"
    assert (roles["shipsafe-sign"]["environment"], roles["shipsafe-deploy"]["environment"]) == ("release", "production")


@pytest.mark.registry
@pytest.mark.usefixtures("local_aws")
def test_codebuild_and_bitbucket_build_and_hand_a_digest_on_that_the_next_job_holds_the_release_to(
    repository: Path, runner: Runner
) -> None:
    spec = yaml.safe_load((repository / FILES[1]).read_text())
    assert (spec["version"], spec["env"]["shell"], spec["env"]["exported-variables"]) == (0.2, "bash", ["SHIPSAFE_DIGEST"])
    said = {name: str(value) for name, value in spec["env"]["variables"].items()} | runner.env
    script = "\n".join(spec["phases"]["build"]["commands"])
    told = runner.job(f'{script}\necho "told $SHIPSAFE_DIGEST"', env={**said, "SHIPSAFE_JOB": "build"})
    assert told == 0, runner.said
    digest = re.search(r"told (sha256:[0-9a-f]{64})\n", runner.said)
    assert digest
    for place in (spec["artifacts"], *spec["artifacts"]["secondary-artifacts"].values(), *spec["reports"].values()):
        assert any((runner.last / place["base-directory"]).iterdir())
    assert (runner.last / "shipsafe-reports/junit.xml").is_file()

    pipelines = yaml.safe_load((repository / FILES[2]).read_text())
    steps = [one["step"] for one in pipelines["pipelines"]["branches"]["main"]]
    assert [step["name"] for step in steps] == ["build", "sign", "deploy", "verify"]
    assert [step.get("oidc", False) for step in steps] == [False, True, True, False]
    assert pipelines["pipelines"]["pull-requests"] == {"**": [{"step": steps[0]}]}
    sign = "\n".join(steps[1]["script"])
    assert steps[0]["output-variables"] == ["SHIPSAFE_DIGEST"]
    release = runner.last / "shipsafe-release/shipsafe.json"
    release.write_bytes(release.read_bytes() + b"\n")
    env = {"BITBUCKET_PIPELINES_VARIABLES_PATH": "output", "BITBUCKET_STEP_OIDC_TOKEN": "secret-token"}
    code = runner.job(sign, env={**env, "SHIPSAFE_DIGEST": digest[1]})
    assert (code, "another one than was handed over" in runner.said) == (5, True), runner.said
    code = runner.job(sign, env={"BITBUCKET_PIPELINES_VARIABLES_PATH": "output", "BITBUCKET_STEP_OIDC_TOKEN": "", "SHIPSAFE_ROLE": ROLE})
    assert (code, "SHIPSAFE_TOKEN no token" in runner.said) == (4, True), runner.said
    code = runner.job(sign, env=env)
    assert (code, "is not of the form sha256:HEX" in runner.said) == (2, True), runner.said
    assert "secret-token" not in runner.said


@pytest.mark.registry
def test_the_container_and_the_hook_install_what_the_commit_pins(repository: Path, tmp_path: Path, ours: Ours, runner: Runner) -> None:
    """The first stage of the image as it is written, with another folder for /opt; and the hook, from a clone as pre-commit makes it.

    The folder that it is run in, one above that of the program, and PYTHONPATH would like to say what is installed, and do not.
    """
    ignored = (repository / ".dockerignore").read_text().splitlines()
    stages = re.split(r"^FROM ", (repository / "Containerfile").read_text(), flags=re.MULTILINE)
    root, env = tmp_path / "root", dict(runner.env)
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in ("pip.py", "json.py", "sitecustomize.py"):
        (hostile / name).write_text("raise SystemExit('taken over')\n")
    (hostile / "uv.toml").write_text('[[index]]\nurl = "http://127.0.0.1:9/simple"\ndefault = true\n')
    root.mkdir()
    (root / "uv.toml").write_text(f'[pip]\ntarget = "{tmp_path}/elsewhere"\n')
    for line in stages[1].splitlines()[1:]:
        word, _, rest = line.partition(" ")
        if word == "ENV":
            name, _, value = rest.partition("=")
            env[name] = f"{root}{value}"
            (root / value.lstrip("/")).mkdir(parents=True)
        elif word == "COPY":
            *names, target = rest.split()
            assert {f"!{name}" for name in names} <= set(ignored)
            copied(ours.folder, root / "source", tuple(names))
            assert target.rstrip("/") in ("/source", *(f"/source/{name}" for name in names))
        elif word == "RUN":
            done = bash(rest.replace("/source/", f"{root}/source/"), cwd=hostile, env={**env, "PYTHONPATH": str(hostile)})
            assert done.returncode == 0, done.stderr
    entry = re.search(r'^ENTRYPOINT \["(.*)"\]$', stages[2], re.MULTILINE)
    assert entry
    words: list[Path | str] = [f"{root}{entry[1]}", "--version"]
    said = subprocess.run(words, cwd=hostile, env={**env, "PYTHONPATH": str(hostile)}, capture_output=True, text=True, check=True).stdout
    assert said.startswith("shipsafe ")
    assert "zizmor" in {path.name for path in (root / "opt/shipsafe/bin").iterdir()}
    assert not (tmp_path / "elsewhere").exists()
    requirements = root / "source/actions/requirements.txt"
    requirements.write_text(re.sub(r"sha256:[0-9a-f]{4}", "sha256:dead", requirements.read_text()))
    exchanged = bash(f"rm -rf {root}/opt/shipsafe && {root}/source/actions/setup/install", cwd=hostile, env=env)
    assert exchanged.returncode != 0, "other digests than the index has"
    assert not (root / "opt/shipsafe/installed").exists()

    (hook,) = yaml.safe_load((repository / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"]) == ("shipsafe-check", "script")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", ours.folder, clone], check=True)
    words = [str(clone / hook["entry"]), *hook["args"]]
    assert subprocess.run(words, cwd=runner.world / "origin", env=runner.env, capture_output=True, check=False).returncode == 0
    (runner.world / "origin/src/.env").write_text("PASSWORD=hunter2\n")
    found = subprocess.run(words, cwd=runner.world / "origin", env=runner.env, capture_output=True, text=True, check=False)
    assert (found.returncode, "package/secret-file" in found.stdout) == (1, True), found.stderr


@pytest.mark.parametrize("code", [0, 5])
def test_a_job_ends_as_its_command_does_whatever_becomes_of_its_folder(repository: Path, tmp_path: Path, code: int) -> None:
    """Somebody may still write into what is being removed; 1 would be findings."""
    copied(repository, tmp_path, ("configs/ci",))
    scripts = {"program": f"exit {code}", "actions/setup/install": f"echo {tmp_path}/program", "tools/rm": "exit 1"}
    for name, script in scripts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    env = environment(tmp_path / "home")
    done = bash("configs/ci/job verify", cwd=tmp_path, env=env | {"PATH": f"{tmp_path}/tools:{env['PATH']}"})
    assert done.returncode == code, done.stderr


def test_our_files_for_other_pipelines_name_our_repository_by_the_one_constant(repository: Path) -> None:
    for name in (*FILES, "configs/ci/job", ".github/release/trusted.toml", "docs/guides/actions.md", "docs/guides/other-ci.md"):
        text = (repository / name).read_text()
        assert set(
            re.findall(r"(?:github\.com|raw\.githubusercontent\.com|uses:|repo:)[/ ]+(?:https://github\.com/)?([\w-]+/shipsafe)\b", text)
        ) <= {HOME}, name
