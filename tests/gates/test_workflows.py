"""The gate `workflows` over small repositories, with the real zizmor: what it says, what it does not say, and when it could not look."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from shipsafe.adapters import zizmor
from shipsafe.errors import ConfigError, IncompleteError, ShipsafeError
from shipsafe.gates.shipping import aws_keys, pins, rights, targets
from shipsafe.gates.shipping.document import Node, read
from shipsafe.gates.shipping.files import File
from shipsafe.gates.workflows import GATE
from shipsafe.model.finding import Finding
from shipsafe.model.gate import ProjectInquiry
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import GatePolicy, Policy
from shipsafe.model.project import Project
from shipsafe.model.severity import Severity
from tests.packing.staging import write

SHA = "3d3c42e5aac5ba805825da76410c181273ba90b1"
CHECKOUT = f"      - uses: actions/checkout@{SHA} # v7.0.1\n        with: {{persist-credentials: false}}\n"
GOOD = f"""\
name: test
on: pull_request
permissions: {{}}
jobs:
  test:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    steps:
{CHECKOUT}"""
FILE = ".github/workflows/test.yml"
_LOOKS = (targets.checked_out, rights.together, pins.unpinned, aws_keys.long_lived, rights.missing)


def inquiry(root: Path, files: Mapping[str, str], *, required: bool = False, **settings: object) -> ProjectInquiry:
    gates = {"workflows": GatePolicy(settings=settings)}
    policy = Policy(path=None, digest="", gates=gates, required=("workflows",) if required else ())
    project = Project(root=write(root / "project", {"template.yaml": "", **files}), template="template.yaml")
    (root / "work").mkdir(exist_ok=True)
    return ProjectInquiry(project=project, policy=policy, today=date(2026, 11, 21), workspace=root / "work")


def ask(root: Path, files: Mapping[str, str] | str, **settings: object) -> Outcome:
    return GATE.run(inquiry(root, {FILE: files} if isinstance(files, str) else files, **settings))  # type: ignore[arg-type]


def found(outcome: Outcome) -> list[str]:
    """Rules and lines of what counts, without what zizmor and we would both say."""
    assert outcome.state is State.ANSWERED, outcome.reason
    return sorted(f"{one.rule.removeprefix('workflows/')}:{one.location.line}" for one in outcome.findings if one.location)


def job(steps: str, head: str = "permissions: {}", on: str = "push", own: str = "permissions: {contents: read}") -> str:
    return f"name: it\non: {on}\n{head}\njobs:\n  it:\n    runs-on: ubuntu-24.04\n    {own}\n    environment: release\n    steps:\n{steps}"


def test_a_good_workflow_has_no_findings_and_is_counted(tmp_path: Path) -> None:
    outcome = ask(tmp_path, {FILE: GOOD, ".github/actions/a/action.yml": "name: a\ndescription: a\nruns: {using: composite, steps: []}\n"})
    assert (outcome.state, outcome.findings) == (State.ANSWERED, ())
    version = outcome.evidence["zizmor"]
    assert outcome.evidence == {"zizmor": version, "workflows": 1, "actions": 1, "suppressed": 0, "suppressions": "honour"}


@pytest.mark.parametrize(
    ("uses", "pinned"),
    [
        (f"actions/checkout@{SHA}", True), (f"acme/tools/.github/actions/x@{SHA}", True), ("./.github/actions/x", True),
        ("$/actions/x", True), (f"docker://alpine@sha256:{'a' * 64}", True),
        ("actions/checkout@v4", False), ("actions/checkout@main", False), (f"actions/checkout@{SHA[:12]}", False),
        (f"actions/checkout@{SHA.upper()}", False), ("docker://alpine:3.20", False), ("actions/checkout", False), (SHA, False),
        (f"actions/checkout@{SHA}x", False), (f"docker://alpine:3@sha256:{'a' * 63}", False),
    ],
)  # fmt: skip
def test_what_others_can_move_is_not_pinned(uses: str, *, pinned: bool) -> None:
    assert (_ours(job(f'      - uses: "{uses}"\n'), "unpinned-action") == []) is pinned


def test_a_movable_action_is_told_once_and_by_us(tmp_path: Path) -> None:
    text = job(f"{CHECKOUT}      - uses: actions/setup-node@v4\n")
    assert found(ask(tmp_path, text)) == ["unpinned-action:12"]


def test_an_action_that_is_used_twice_in_a_job_is_one_finding(tmp_path: Path) -> None:
    text = job("      - uses: a/b@v1\n      - uses: c/d@v1\n      - uses: a/b@v1\n")
    outcome = ask(tmp_path, text)
    assert found(outcome) == ["unpinned-action:10", "unpinned-action:11"]
    assert len({one.identity for one in outcome.findings}) == 2


def test_a_called_workflow_is_an_action_too(tmp_path: Path) -> None:
    text = "name: it\non: push\npermissions: {}\njobs:\n  call:\n    uses: acme/ci/.github/workflows/x.yml@main\n"
    assert found(ask(tmp_path, text)) == ["unpinned-action:6"]


def test_actions_of_the_repository_are_looked_into_wherever_they_lie(tmp_path: Path) -> None:
    action = "name: a\ndescription: a\nruns:\n  using: composite\n  steps:\n    - uses: acme/x@v1\n"
    files = {
        FILE: job(f"{CHECKOUT}      - uses: $/tools/v1.2/a.b\n      - uses: $/../../out\n      - uses: $//etc\n"),
        "tools/v1.2/a.b/action.yaml": action, ".github/actions/b/action.yml": action, "actions/c/action.yml": action, "action.yml": action,
        "unused/d/action.yml": action,
    }  # fmt: skip
    outcome = ask(tmp_path, files)
    places = {one.location.path for one in outcome.findings if one.rule == "workflows/unpinned-action" and one.location}
    assert places == files.keys() - {FILE, "unused/d/action.yml"}


@pytest.mark.parametrize(
    ("step", "severity"),
    [
        (f"uses: actions/checkout@{SHA}\n        with: {{ref: '${{{{ github.event.pull_request.head.sha }}}}'}}", Severity.CRITICAL),
        (f"uses: actions/checkout@{SHA}\n        with: {{repository: '${{{{ github.head_ref }}}}'}}", Severity.CRITICAL),
        (f"uses: actions/checkout@{SHA}\n        with: {{ref: refs/pull/1/merge}}", Severity.CRITICAL),
        ("run: gh pr checkout 7", Severity.CRITICAL),
        ('run: git fetch origin "pull/$NUMBER/head"', Severity.CRITICAL),
        (f"uses: actions/checkout@{SHA}", Severity.MEDIUM),
        (f"uses: Actions/Checkout@{SHA}\n        with: {{ref: main}}", Severity.MEDIUM),
        ("run: git log", None),
        (f"uses: actions/labeler@{SHA}", None),
    ],
)
@pytest.mark.parametrize("on", ["pull_request_target", "[push, pull_request_target]", "{pull_request_target: {types: [opened]}}"])
def test_nothing_is_checked_out_where_strangers_get_rights(step: str, severity: Severity | None, on: str) -> None:
    told = _ours(job(f"      - {step}\n", on=on), "pull-request-target-checkout")
    assert [one.severity for one in told] == ([severity] if severity else [])


def test_a_plain_pull_request_may_check_out() -> None:
    step = f"      - uses: actions/checkout@{SHA}\n        with: {{ref: '${{{{ github.event.pull_request.head.sha }}}}'}}\n"
    assert not _ours(job(step, on="pull_request"), "pull-request-target-checkout")


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["shipsafe build", "shipsafe sign dist --yes"], True),
        (["pip install -r requirements.txt", "shipsafe sign dist"], True),
        (["cd app && npm ci", "aws signer start-signing-job --source x"], True),
        (["sam build && sam deploy --no-confirm-changeset --signing-profiles Pay=prod"], True),
        (["shipsafe ship --yes"], True),
        (["make", "cosign sign image"], True),
        (["python -m build && shipsafe sign dist"], True),
        (["|\n          # build\n          if true; then\n            make dist\n          fi", "shipsafe sign dist"], True),
        (["python3.13 -m pip install -e .", "shipsafe sign dist"], True),
        (["|\n          uv run \\\n            --frozen pytest", "shipsafe sign dist"], True),
        (["uv run --frozen shipsafe build && uv run --frozen shipsafe sign"], True),
        (["pip install --require-hashes -r shipsafe.txt", "shipsafe sign dist"], False),
        (["pip install shipsafe==0.1.0", "shipsafe sign dist"], False),
        (["uv run --frozen shipsafe sign dist"], False),
        (["|\n          # make dist\n          true", "shipsafe sign dist"], False),
        (["make", "|\n          # shipsafe sign comes later\n          true"], False),
        (["shipsafe sign dist --yes"], False),
        (["shipsafe build --out dist", "shipsafe check"], False),
        (["shipsafe verify dist", "echo please build it first", "shipsafe deploy dist"], False),
        (["echo make", "shipsafe sign dist"], False),
    ],
)
def test_a_job_that_builds_does_not_sign(steps: list[str], *, told: bool) -> None:
    assert bool(_ours(job("".join(f"      - run: {step}\n" for step in steps)), "build-and-sign")) is told


def test_actions_build_and_sign_like_commands() -> None:
    both = f"      - uses: acme/shipsafe/actions/build@{SHA}\n      - uses: acme/shipsafe/actions/sign@{SHA}\n"
    (one,) = _ours(job(both), "build-and-sign")
    assert one.message == "Job it builds in line 10 and signs: what is built can have anything signed."
    assert not _ours(job(both.splitlines(keepends=True)[1]), "build-and-sign")


KEYS = "aws-access-key-id: '${{ secrets.ID }}', aws-secret-access-key: '${{ secrets.KEY }}'"


@pytest.mark.parametrize(
    ("steps", "head", "severity"),
    [
        (f"      - uses: a/b@{SHA}\n        with: {{{KEYS}}}\n", "permissions: {}", Severity.HIGH),
        ("      - run: ls\n        env: {AWS_SECRET_ACCESS_KEY: '${{ secrets[''KEY''] }}'}\n", "permissions: {}", Severity.HIGH),
        ("      - run: ls\n", "permissions: {}\nenv: {AWS_ACCESS_KEY_ID: '${{ secrets.ID }}'}", Severity.HIGH),
        ('      - run: aws configure set aws_access_key_id "${{ secrets.ID }}"\n', "permissions: {}", Severity.HIGH),
        ("      - run: ls\n        env: {AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLE}\n", "permissions: {}", Severity.CRITICAL),
        (f"      - uses: a/b@{SHA}\n        with: {{{KEYS}, aws-session-token: '${{{{ secrets.T }}}}'}}\n", "permissions: {}", None),
        (f"      - uses: a/b@{SHA}\n        with: {{role-to-assume: 'arn:aws:iam::111122223333:role/x'}}\n", "permissions: {}", None),
        ("      - run: ls\n        env: {AWS_ACCESS_KEY_ID: '${{ steps.role.outputs.id }}'}\n", "permissions: {}", None),
    ],
)
def test_keys_that_do_not_end_are_found_where_they_are_handed_over(steps: str, head: str, severity: Severity | None) -> None:
    keys = _ours(job(steps, head=head), "long-lived-keys")
    assert [one.severity for one in keys] == ([severity] if severity else [])
    assert not any("AKIA" in one.message + one.key for one in keys), "a key that stands there is not repeated"


def test_a_job_without_permissions_is_told_once_and_by_us(tmp_path: Path) -> None:
    text = job(CHECKOUT, head="env: {}", own="timeout-minutes: 5")
    assert found(ask(tmp_path, text)) == ["missing-permissions:6"]
    assert found(ask(tmp_path, job(CHECKOUT, head="env: {}"))) == []


def test_what_is_only_called_has_the_rights_of_its_caller() -> None:
    text = job(CHECKOUT, head="env: {}", own="timeout-minutes: 5", on="workflow_call")
    assert not _ours(text, "missing-permissions")
    assert _ours(text.replace("on: workflow_call", "on: [workflow_call, push]"), "missing-permissions")


def test_keys_are_found_where_a_job_hands_them_to_a_workflow() -> None:
    call = f"name: it\non: push\npermissions: {{}}\njobs:\n  it:\n    uses: a/b/.github/workflows/x.yml@{SHA}\n"
    (one,) = _ours(f"{call}    secrets: {{AWS_SECRET_ACCESS_KEY: '${{{{ secrets.KEY }}}}'}}\n", "long-lived-keys")
    assert one.location
    assert one.location.line == 7


def test_a_comment_that_ignores_is_honoured_and_shown_unless_the_policy_says_otherwise(tmp_path: Path) -> None:
    text = job('      - run: echo "${{ github.head_ref }}" # zizmor: ignore[template-injection]\n')
    (honoured,) = ask(tmp_path, text).findings
    assert (honoured.rule, honoured.suppressed) == ("workflows/template-injection", f"# zizmor: ignore[template-injection] at {FILE}:10")
    (ignored,) = ask(tmp_path, text, suppressions="ignore").findings
    assert (ignored.rule, ignored.suppressed, ignored.identity) == ("workflows/template-injection", "", honoured.identity)
    with pytest.raises(ConfigError, match="suppressions"):
        ask(tmp_path, text, suppressions="maybe")


def test_a_comment_does_not_silence_what_concerns_shipping(tmp_path: Path) -> None:
    outcome = ask(tmp_path, job("      - uses: actions/setup-node@v4 # zizmor: ignore[unpinned-uses]\n"))
    assert [(one.rule, one.suppressed) for one in outcome.findings] == [("workflows/unpinned-action", "")]


def test_no_configuration_of_the_project_lowers_a_finding(tmp_path: Path) -> None:
    text = job('      - run: echo "${{ github.head_ref }}"\n')
    quiet = "rules: {template-injection: {disable: true}}\n"
    outcome = ask(tmp_path, {FILE: text, "zizmor.yml": quiet, ".github/zizmor.yml": quiet, ".gitignore": ".github\n"})
    assert found(outcome) == ["template-injection:10"]


def test_what_git_ignores_above_the_folder_for_temporary_files_is_read(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", ".gitignore": "*.yml\nwork/\n"})
    assert found(ask(tmp_path, job('      - run: echo "${{ github.head_ref }}"\n'))) == ["template-injection:10"]


def test_a_finding_stays_the_same_when_lines_move_and_two_equal_ones_are_two(tmp_path: Path) -> None:
    step = '      - run: echo "${{ github.head_ref }}"\n'
    before = [one.identity for one in ask(tmp_path, job(step + step)).findings]
    after = [one.identity for one in ask(tmp_path, "# more\n\n" + job(step + CHECKOUT + step)).findings]
    assert len(set(before)) == 2
    assert before == after


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("on: push\njobs: [\n", "Not YAML"),
        ("- a\n", "Not a mapping"),
        ("", "Not a mapping"),
        ("on: push\non: push\njobs: {}\n", "Key `on` stands twice"),
        ("on: push\n---\non: push\n", "A second document"),
        ("a: b\n", "zizmor could not read the workflows: failed to load .github/workflows/test.yml as workflow"),
        ("on: push\njobs: " + "[" * 60 + "]" * 60, "Nested more than 50 deep"),
        ("on: push\na: &a [" + "x, " * 900 + "]\nb: &b [" + "*a, " * 900 + "]\n", "More than 100,000 values"),
        ("on: &a [*a]\n", "names nothing before it"),
        ("? [a]\n: b\n", "A key must be text"),
        ("on: push\x00\n", "Control character"),
        ("# " + "x" * 1_100_000, "Larger than 1 MiB"),
    ],
)
def test_what_cannot_be_read_is_not_an_answer(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ShipsafeError, match=reason):
        ask(tmp_path, {FILE: text, ".github/workflows/good.yml": GOOD})


@pytest.mark.parametrize(
    "word",
    ["sudo pip install ", "gpg ", "git fetch ", "sam deploy ", "aws_access_key_id ", "aws_access_key_id ${{ secrets ", "\n", "  ", "# "],
)
def test_a_hostile_script_is_looked_through_once(word: str) -> None:
    script = word * (900_000 // len(word))
    scalar = Node(value=script, line=1, column=1)
    step = Node(value={"run": scalar}, line=1, column=1)
    table = Node(value={"steps": Node(value=(step, Node(value={"run": Node(value="shipsafe sign", line=1, column=1)}, line=1, column=1)),
                                      line=1, column=1)}, line=1, column=1)  # fmt: skip
    on = Node(value="pull_request_target", line=1, column=1)
    root = Node(value={"on": on, "jobs": Node(value={"it": table}, line=1, column=1)}, line=1, column=1)
    file = File(path=FILE, shown=FILE, text="", root=root)
    began = time.process_time()
    for look in (rights.together, targets.checked_out, aws_keys.long_lived):
        list(look(file))
    assert time.process_time() - began < 30  # mostly one second; with a square in it these would be hours


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    asked = inquiry(tmp_path, {"elsewhere.yml": GOOD, ".github/workflows/a.yml": GOOD})
    (tmp_path / "project" / FILE).symlink_to(tmp_path / "project" / "elsewhere.yml")
    with pytest.raises(IncompleteError, match="It is a link"):
        GATE.run(asked)


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 3000, "a\\0b"])
def test_a_name_that_no_file_can_have_is_never_a_crash(tmp_path: Path, name: str) -> None:
    asked = inquiry(tmp_path, {FILE: job(f'{CHECKOUT}      - uses: "./{name}"\n')})
    with suppress(IncompleteError):  # as the Python that runs it has it: nobody can say, or there is no such file
        assert found(GATE.run(asked)) == ["self-repository:12"]
    with suppress(IncompleteError):
        assert GATE.inputs(asked)


def test_a_folder_that_cannot_be_listed_is_no_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = inquiry(tmp_path, {FILE: GOOD})

    def refuse(folder: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert GATE.arises(asked.project)
    for look in (GATE.run, GATE.inputs):
        with pytest.raises(IncompleteError, match="cannot be listed: Permission denied"):
            look(asked)


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    asked = inquiry(tmp_path, {"real/workflows/test.yml": GOOD})
    (tmp_path / "project" / ".github").symlink_to(tmp_path / "project" / "real")
    assert GATE.arises(asked.project)
    with pytest.raises(IncompleteError, match="It is a link"):
        GATE.run(asked)


@pytest.mark.parametrize(("files", "arises"), [({}, False), ({".github/workflows/README.md": ""}, False), ({FILE: GOOD}, True),
                                               ({".github/workflows/a.yaml": GOOD}, True)])  # fmt: skip
def test_it_arises_where_there_is_a_workflow(tmp_path: Path, files: dict[str, str], *, arises: bool) -> None:
    assert GATE.arises(inquiry(tmp_path, files).project) is arises


def test_a_project_that_lies_deeper_has_those_of_its_repository_where_they_are_required(tmp_path: Path) -> None:
    files = {"project/template.yaml": "", ".git/HEAD": "", FILE: job('      - run: echo "${{ github.head_ref }}"\n      - uses: a/b@v1\n')}
    asked = inquiry(write(tmp_path / "repository", files), {}, required=True)
    assert not GATE.arises(asked.project), "without being required it is not asked"
    places = {(one.rule, one.location.path if one.location else "") for one in GATE.run(asked).findings}
    assert places == {(f"workflows/{rule}", f"../{FILE}") for rule in ("template-injection", "unpinned-action")}
    assert GATE.inputs(asked) is not None
    own = inquiry(tmp_path / "repository", {FILE: GOOD}, required=True)
    assert GATE.run(own).findings == (), "its own come first"


def test_where_there_is_none_it_is_not_asked(tmp_path: Path) -> None:
    asked = inquiry(tmp_path, {}, required=True)
    assert GATE.run(asked) == Outcome.not_asked("workflows", "project", "There is no workflow in .github/workflows of this project.")
    assert GATE.inputs(asked) is None


def test_without_zizmor_it_is_not_asked_and_where_it_is_required_unanswered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(zizmor, "distribution", missing)
    outcome = ask(tmp_path, GOOD)
    assert outcome.state is State.NOT_ASKED
    assert outcome.reason == "zizmor is not installed beside shipsafe. Install it: `pip install 'shipsafe[workflows]'`."
    assert ask(tmp_path, GOOD, required=True).state is State.UNANSWERED
    assert GATE.inputs(inquiry(tmp_path, {FILE: GOOD})) is None, "what could not be asked is not kept"


def test_its_question_is_what_the_files_hold(tmp_path: Path) -> None:
    first = GATE.inputs(inquiry(tmp_path / "a", {FILE: GOOD}))
    assert first == GATE.inputs(inquiry(tmp_path / "b", {FILE: GOOD, "src/app.py": "", ".github/dependabot.yml": "x"}))
    assert first != GATE.inputs(inquiry(tmp_path / "c", {FILE: f"{GOOD}# more\n"}))
    assert first != GATE.inputs(inquiry(tmp_path / "d", {FILE: GOOD, "action.yml": "name: x\n"}))


def test_an_audit_that_nobody_here_knows_still_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remark = zizmor.Remark(audit="brand-new", summary="something new", path=FILE, line=3, column=1, about="it is `so`\x1b[31m", text="x",
                           severity="high", confidence="unknown")  # fmt: skip
    other = replace(remark, severity="unheard-of", line=4)
    monkeypatch.setattr(zizmor, "audit", lambda *_, **__: (remark, other))
    one, two = ask(tmp_path, GOOD).findings
    assert (one.rule, one.severity, one.confidence) == ("workflows/other", Severity.HIGH, None)
    assert one.message == "Brand-new: something new: it is `so`\N{REPLACEMENT CHARACTER}[31m."
    assert two.severity is Severity.UNSCORED


def _ours(text: str, rule: str) -> list[Finding]:
    """What one of our own rules finds in a workflow: without zizmor, which says nothing of it."""
    file = File(path=FILE, shown=FILE, text=text, root=read(text, name=FILE))
    return [one for look in _LOOKS for one in look(file) if one.rule == f"workflows/{rule}"]
