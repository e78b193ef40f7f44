"""`shipsafe init` writes what is missing, pinned by commit, never over a file, and the second run changes nothing."""

import os
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml

from shipsafe.cli.app import run
from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.pipeline import HOME, PIPELINE
from tests.starting.repositories import APP, SAM, SHA, TEMPLATE, files_of, git, init, repository
from tests.workflows import complaints

BARE = ("--ref", SHA)
AWS = ("--account", "111122223333", "--region", "eu-central-1")
REF = (*BARE, *AWS)
WRITTEN = {"shipsafe.toml", ".github/workflows/ship.yml", ".github/workflows/shipsafe.yml", ".github/dependabot.yml"}


def refused(*words: str, error: type[ConfigError | NothingError] = ConfigError) -> str:
    with pytest.raises(error) as caught:
        run(["init", *words])
    return str(caught.value)


def policy_of(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "shipsafe.toml").read_text())


def test_it_writes_four_files_and_leaves_the_rest_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    before = files_of(folder)
    out = init(folder, capsys, *REF, "--deploy")
    after = files_of(folder)
    assert after.keys() - before.keys() == WRITTEN
    assert {name: after[name] for name in before} == before
    for name in WRITTEN:  # the diff shows every line that was written
        assert f"+++ {name}" in out
        assert all(f"+{line}".rstrip() in out for line in after[name].decode().splitlines())
    assert "1 function (Orders), from template.yaml" in out


def test_a_second_run_changes_nothing_and_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    init(folder, capsys, *REF)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
    assert "nothing was changed" in init(folder, capsys, "--offline")  # no release is asked for, and no terminal is needed
    assert run(["init", str(folder), "--offline"]) == 0
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("there", sorted(WRITTEN))
def test_what_is_there_is_left_as_it_is_and_the_rest_is_written(there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'evidence = "s3://ours/x"\n' if there == "shipsafe.toml" else "# ours\n"
    folder = repository(tmp_path / "orders", {**SAM, there: text})
    out = init(folder, capsys, *REF)
    assert (folder / there).read_text() == text
    if there.endswith("/ship.yml"):  # it ships something else
        assert f"uses: {PIPELINE}@{SHA}" in (folder / ".github/workflows/ship-lambda.yml").read_text()
    else:
        assert f"There already, and left as it is: {there}" in out
    assert files_of(folder).keys() >= WRITTEN
    again = init(folder, capsys, *REF, "--offline")
    assert "nothing was changed" in again
    assert "shipsafe.toml is left as it is, so that --account, --region changed nothing" in again


def test_updates_alone_need_no_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = dict.fromkeys(WRITTEN - {".github/dependabot.yml"}, "# ours\n") | {".github/workflows/ship.yml": f"uses: {PIPELINE}@{SHA}\n"}
    folder = repository(tmp_path / "orders", {**SAM, **there})
    init(folder, capsys, "--offline")
    assert (folder / ".github/dependabot.yml").is_file()


def test_what_does_the_same_elsewhere_counts_as_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = f"on: push\njobs:\n  ship:\n    uses: {PIPELINE}@{SHA} # v0.1.0\n"
    more = {".github/workflows/release.yml": own, "renovate.json": "{}", "pyproject.toml": '[tool.shipsafe]\nevidence = "s3://ours/x"\n'}
    folder = repository(tmp_path / "orders", {**SAM, **more})
    out = init(folder, capsys, *REF)
    assert files_of(folder).keys() & WRITTEN == {".github/workflows/shipsafe.yml"}
    assert all(f"left as it is: {name}" in out for name in more)
    assert 'repository = "acme/orders"' in out, "what its policy lacks is said"


def test_a_link_that_leads_nowhere_is_something_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    (folder / ".github").mkdir()
    (folder / ".github/dependabot.yml").symlink_to(tmp_path / "elsewhere")
    init(folder, capsys, *REF)
    assert (folder / ".github/dependabot.yml").is_symlink()
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_is_written_through_a_folder_that_leads_out_of_the_repository(tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", SAM)
    (tmp_path / "outside").mkdir()
    (folder / ".github").symlink_to(tmp_path / "outside")
    assert "leads out of the repository" in refused(str(folder), "--yes", *REF)
    assert list((tmp_path / "outside").iterdir()) == []
    assert not (folder / "shipsafe.toml").exists()


def test_without_anybody_to_ask_it_stops_after_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    before = files_of(folder)
    assert "no terminal to ask" in refused(str(folder), *REF)
    assert "+++ shipsafe.toml" in capsys.readouterr().out
    assert run(["init", str(folder), "--dry-run", *REF]) == 0
    assert files_of(folder) == before


def test_only_a_whole_commit_is_called_and_never_a_tag(tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", SAM)
    for ref in ("v0.1.0", "main", SHA[:12], SHA.upper().replace("0", "A"), f"{SHA}\n"):
        assert "40 digits: a tag or branch can be moved" in refused(str(folder), "--yes", "--ref", ref)
    said = refused(str(folder), "--yes", "--offline")
    assert "--ref SHA" in said
    assert files_of(folder).keys() & WRITTEN == set()


def test_the_commit_is_that_of_the_policy_where_it_names_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f'[pipeline]\nrepository = "acme/orders"\nworkflow = "{PIPELINE}@{SHA}"\n'
    folder = repository(tmp_path / "orders", {**SAM, "shipsafe.toml": text})
    other = "f" * 40
    assert f"The policy names {SHA}" in refused(str(folder), "--yes", "--ref", other)
    init(folder, capsys, "--offline")
    assert f"pipeline.yml@{SHA}" in (folder / ".github/workflows/ship.yml").read_text()


def test_a_workflow_of_another_commit_than_the_policy_trusts_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    assert "AWS gives it no role" not in init(folder, capsys, *REF)
    workflow = folder / ".github/workflows/ship.yml"
    workflow.write_text(workflow.read_text().replace(SHA, "f" * 40))
    out = init(folder, capsys, "--offline")
    assert f"ship.yml calls {PIPELINE}@{'f' * 40}, and the policy trusts {PIPELINE}@{SHA}: AWS gives it no role." in out
    policy = folder / "shipsafe.toml"
    one, both = f'workflow = "{PIPELINE}@{SHA}"', f'workflow = ["{PIPELINE}@{SHA}", "{PIPELINE}@{"f" * 40}"]'
    assert one in policy.read_text()
    policy.write_text(policy.read_text().replace(one, both))
    assert "AWS gives it no role" not in init(folder, capsys, "--offline")


def test_a_copy_of_ours_is_called_where_the_policy_names_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = f"acme/shipsafe/.github/workflows/pipeline.yml@{SHA}"
    folder = repository(tmp_path / "orders", {**SAM, "shipsafe.toml": f'[pipeline]\nrepository = "acme/orders"\nworkflow = "{ours}"\n'})
    init(folder, capsys, "--offline")
    assert f"uses: {ours}\n" in (folder / ".github/workflows/ship.yml").read_text()


def test_everything_that_is_called_is_pinned_and_neither_github_nor_zizmor_finds_anything(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repository(tmp_path / "orders", SAM)
    init(folder, capsys, *REF, "--deploy")
    for name in ("ship", "shipsafe"):
        text = (folder / f".github/workflows/{name}.yml").read_text()
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        assert "concurrency" in workflow
        called = [job["uses"] for job in workflow["jobs"].values()]
        assert len(called) == 1
        assert re.fullmatch(rf"{HOME}/\.github/workflows/[a-z]+\.yml@{SHA}", called[0])
    written = [*(folder / ".github/workflows").iterdir()]
    own = tmp_path_factory.getbasetemp()
    parser = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    assert complaints(written, parser) == {str(path): [] for path in written}
    zizmor = Path(sysconfig.get_path("scripts")) / "zizmor"
    done = subprocess.run([zizmor, "--offline", "--pedantic", "--no-progress", folder], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "No findings to report. Good job!\n"), done.stdout + done.stderr


def test_the_policy_says_who_may_sign_and_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    init(folder, capsys, *REF, "--deploy", "--key", "sigstore:")
    policy = policy_of(folder)
    assert policy["pipeline"] == {
        "repository": "acme/orders", "workflow": f"{PIPELINE}@{SHA}", "branch": "main", "roles": "shipsafe-orders", "key": "sigstore:"
    }  # fmt: skip
    assert policy["evidence"] == "s3://orders-artifacts-111122223333-eu-central-1/evidence"
    assert policy["sign"]["target"][0]["account"] == "111122223333"  # type: ignore[index]  # a document
    assert policy["attest"]["identity"] == [  # type: ignore[index]  # likewise
        {
            "name": "pipeline",
            "for": ["builder", "signer", "deployer"],
            "identity": f"https://github.com/{PIPELINE}@{SHA}",
            "issuer": "https://token.actions.githubusercontent.com",
            "repository": "https://github.com/acme/orders",
        }
    ]
    capsys.readouterr()
    assert run(["policy", "pipeline", str(folder)]) == 0
    told = capsys.readouterr().out
    assert '"left-out": []' in told


def test_without_an_account_it_builds_and_signs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", SAM)
    assert "Nothing is signed yet: name your account" in init(folder, capsys, *BARE)
    assert "sign" not in policy_of(folder)
    assert "deploy" not in policy_of(folder)
    assert not (folder / ".github/workflows/shipsafe.yml").exists(), "nothing is kept that could be looked at again"
    text = (folder / "shipsafe.toml").read_text()
    (folder / "shipsafe.toml").write_text(text.replace("# evidence", "evidence"))
    init(folder, capsys, "--offline")
    assert f"scheduled.yml@{SHA}" in (folder / ".github/workflows/shipsafe.yml").read_text()


def test_what_a_stack_or_terraform_describes_goes_live_by_its_own_tool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    folder = repository(tmp_path / "orders", SAM)
    assert "job\n    `deploy` fails there" in init(folder, capsys, *REF, "--deploy")
    folder = repository(tmp_path / "signed", SAM)
    assert "or by\n    the pipeline, where the policy names its stack (--stack NAME)" in init(folder, capsys, *REF)
    plan = (pytestconfig.rootpath / "examples/orders-terraform/plan.json").read_text()
    folder = repository(tmp_path / "terraform", {"plan.json": plan})
    assert "Terraform deploys what its plan describes" in refused(str(folder), "--yes", *REF, "--deploy")
    assert "plan.json describes goes live by its own tool" in init(folder, capsys, *REF)


def test_the_settings_that_no_file_can_make_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = init(repository(tmp_path / "orders", SAM), capsys, *REF)
    assert "make the environments `release` and `production`" in out
    assert "the check `ship / collect`" in out
    assert "An environment that is missing GitHub makes itself, and it stops nobody." in out
    for page in ("environments", "rules"):
        assert f"https://github.com/acme/orders/settings/{page}" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--owner-id", "12"), "--repository-id is missing"),
        (("--repository-id", "12"), "--owner-id is missing"),
        (("--owner-id", "acme", "--repository-id", "12"), "It is a number"),
        (("--account", "1234"), "An account has twelve digits"),
        (("--account", "111122223333"), "--region is missing"),
        (("--region", "eu-central-1"), "--account is missing"),
        (("--deploy",), "Add --account and --region"),
        (("--key", "ci.pem"), "a pipeline has no key in a file"),
        (("--repository", "acme"), "Write OWNER/NAME"),
        (("--branch", "main${{x}}"), "Name another with --branch"),
    ],
)
def test_answers_that_cannot_be_used_are_refused(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", SAM)
    assert says in refused(str(folder), "--yes", *BARE, *words)
    assert files_of(folder).keys() & WRITTEN == set()


def test_a_project_below_the_top_has_files_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    services = {f"services/{name}/{path}": text for name in ("orders", "billing") for path, text in SAM.items()}
    folder = repository(tmp_path / "shop", services, remote="https://github.com/acme/shop")
    assert "2 projects lie here: services/billing, services/orders" in refused(str(folder), "--yes", *REF)
    for name in ("orders", "billing"):
        out = init(folder / "services" / name, capsys, *REF)
        assert f"the check `ship services/{name} / collect`" in out
        assert f'path: "services/{name}"' in (folder / f".github/workflows/ship-services-{name}.yml").read_text()
        workflow = yaml.safe_load((folder / f".github/workflows/ship-services-{name}.yml").read_text())
        assert workflow["concurrency"]["group"] == f"ship services/{name} ${{{{ github.ref }}}}", "they do not wait for each other"
        assert workflow["jobs"]["ship"]["name"] == f"ship services/{name}", "a rule can ask for the check of each"
        policy = policy_of(folder / "services" / name)
        assert policy["pipeline"]["roles"] == f"shipsafe-{name}-shop", "each has roles of its own"  # type: ignore[index]  # a document
    assert "nothing was changed" in init(folder / "services/orders", capsys, "--offline")


def test_the_only_project_is_found_below_the_top(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "shop", {f"infra/{path}": text for path, text in SAM.items()})
    init(folder, capsys, *REF)
    assert (folder / "infra/shipsafe.toml").is_file()
    assert 'path: "infra"' in (folder / ".github/workflows/ship-infra.yml").read_text()
    assert "nothing was changed" in init(folder, capsys, "--offline")


def test_a_project_that_cannot_be_read_is_in_the_way_of_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = {"old/template.yaml": TEMPLATE, "old/template.json": "{}"}
    folder = repository(tmp_path / "shop", {**{f"infra/{path}": text for path, text in SAM.items()}, **two})
    assert "2 projects lie here: infra, old" in refused(str(folder), "--yes", *REF)
    init(folder / "infra", capsys, *REF)
    assert "2 templates lie side by side" in refused(str(folder / "old"), "--yes", *REF)


def test_a_template_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "orders", {"stack.yaml": TEMPLATE, "src/orders/app.py": APP})
    init(folder / "stack.yaml", capsys, *REF)
    assert 'path: "stack.yaml"' in (folder / ".github/workflows/ship-stack.yml").read_text()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"cdk.json": "{}"}, "cdk synth"),
        ({"main.tf": ""}, "terraform show -json"),
        ({"README.md": ""}, "No template lies here"),
        ({"app.py": "def handle(event):\n    pass\n"}, "No template lies here"),
    ],
)
def test_where_nothing_can_be_read_it_says_what_to_do_first(files: dict[str, str], says: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "orders", files)
    assert says in refused(str(folder), "--yes", *REF, error=NothingError)


def test_a_folder_of_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    assert "no git repository" in refused(str(tmp_path), "--yes", *REF)


def test_a_name_that_workflows_would_evaluate_is_never_written(tmp_path: Path) -> None:
    for number, name in enumerate(("a${{ secrets.X }}", 'a"b', "a\nb", "a: b", "a #b")):
        folder = repository(tmp_path / str(number), {f"{name}/{path}": text for path, text in SAM.items()})
        assert "cannot be written into a workflow" in refused(str(folder / name), "--yes", *REF)


def test_the_branch_is_what_the_remote_says_then_what_is_usual(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(tmp_path / "one", SAM, branch="trunk")
    assert "branch trunk" in init(folder, capsys, *REF, "--dry-run")
    git(folder, "branch", "master")
    assert "branch master" in init(folder, capsys, *REF, "--dry-run")
    git(folder, "update-ref", "refs/remotes/origin/production", "HEAD")
    git(folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/production")
    assert "branch production" in init(folder, capsys, *REF, "--dry-run")
    assert 'branches: ["live"]' in init(folder, capsys, *REF, "--dry-run", "--branch", "live")
    (folder / "shipsafe.toml").write_text('[pipeline]\nrepository = "acme/orders"\nbranch = "stable"\n')
    assert 'branches: ["stable"]' in init(folder, capsys, *REF, "--dry-run"), "a release has to come from there"


def test_updates_are_asked_for_where_something_can_be_updated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = {"uv.lock": "", "requirements.txt": "", "tools/requirements.txt": "", "infra/.terraform.lock.hcl": "", ".venv/pyvenv.cfg": "",
            ".venv/requirements.txt": "", "web/package-lock.json": "{}", "web/node_modules/x/package-lock.json": "{}"}  # fmt: skip
    folder = repository(tmp_path / "orders", {**SAM, **more})
    init(folder, capsys, *REF)
    updates = yaml.safe_load((folder / ".github/dependabot.yml").read_text())["updates"]
    assert {one["package-ecosystem"]: one["directories"] for one in updates} == {
        "github-actions": ["/"], "npm": ["/web"], "pip": ["/src/orders", "/tools"], "terraform": ["/infra"], "uv": ["/"]
    }  # fmt: skip
    assert {one["schedule"]["interval"] for one in updates} == {"monthly"}
    assert {one["cooldown"]["default-days"] for one in updates} == {7}


def test_an_unreadable_git_or_none_still_gives_a_set_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository(tmp_path / "orders", SAM)
    monkeypatch.setenv("PATH", os.devnull)
    out = init(folder, capsys, *REF, "--repository", "acme/orders")
    assert "acme/orders on github.com, branch main" in out
    assert files_of(folder).keys() >= WRITTEN
