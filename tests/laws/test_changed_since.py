"""What `--changed-since` leaves out would have answered as before, and what it asks answers as in a run that asks everything.

Each full run has a cache of its own, so that an answer that was kept under too small a question could not hide a difference.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipsafe.adapters.timeline import Timeline
from shipsafe.flows.build import build
from shipsafe.flows.request import Request
from shipsafe.model.outcome import Outcome
from shipsafe.model.record import RunRecord
from shipsafe.reports.live import silent_progress
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import write

Files = Mapping[str, str]
Edit = Callable[[Files], Files]
TODAY = date(2026, 11, 21)
WHEELS = {
    f"{name} {version}": wheel(name, version) for name, version in (("alpha", "1.0"), ("alpha", "2.0"), ("beta", "1.0"), ("gamma", "1.0"))
}
CODE = "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['x'], shell=True)\n"
FUNCTION = """  {name}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      MemorySize: 128
      CodeUri: src/{folder}/
      Layers: [{layer}]
"""
STRANGER = "arn:aws:lambda:eu-west-1:999988887777:layer:tools:3"
TEMPLATE = "".join([
    "Transform: AWS::Serverless-2016-10-31\nResources:\n",
    FUNCTION.format(name="Pay", folder="pay", layer="!Ref Common"),
    FUNCTION.format(name="Audit", folder="audit", layer=STRANGER),
    FUNCTION.format(name="Stock", folder="both", layer=""),
    FUNCTION.format(name="Report", folder="both", layer=""),
    "  Common:\n    Type: AWS::Serverless::LayerVersion\n    Metadata: {BuildMethod: python3.13}\n",
    "    Properties: {ContentUri: layer/, CompatibleRuntimes: [python3.13]}\n",
])  # fmt: skip
POLICY = """shared-lock = "locks/uv.lock"
[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"
[indexes]
default = "{url}"
mirrors-pypi = ["{url}"]
"""
GATES = {"dependencies", "lint", "package", "sbom"}  # `layers` reads the template alone and is always asked


def locked(*names: str) -> str:
    """A lock of those releases and of the repository's own package."""
    own = '[[package]]\nname = "models"\nversion = "1"\nsource = { editable = "../libs/models" }\n'
    entries = [
        f'[[package]]\nname = "{name.split()[0]}"\nversion = "{name.split()[1]}"\nsource = {{ registry = "https://pypi.org/simple" }}\n'
        f'wheels = [{{ url = "https://pypi.org/files/{WHEELS[name][0]}", hash = "{sha256(WHEELS[name][1])}" }}]\n'
        for name in names
    ]
    return "".join(['version = 1\nrevision = 3\nrequires-python = ">=3.12"\n', *entries, own])


def advisory(name: str, fixed: str) -> str:
    """A record about one distribution."""
    return json.dumps({
        "id": f"PYSEC-0000-{name}", "modified": "2026-01-01T00:00:00Z", "summary": "Bad.", "severity": [],
        "affected": [{"package": {"ecosystem": "PyPI", "name": name},
                      "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}],
        "database_specific": {"severity": "HIGH"}})  # fmt: skip


def project(url: str) -> Files:
    """Four functions, two of them of the same code, a layer, a lock that they share, a package of the repository's own."""
    return {
        "template.yaml": TEMPLATE,
        "shipsafe.toml": POLICY.format(url=url),
        "pyproject.toml": '[project]\nname = "all"\nversion = "1"\n[tool.bandit]\nskips = ["B101"]\n',
        "locks/uv.lock": locked("alpha 1.0", "beta 1.0"),
        "advisories/beta.json": advisory("beta", "0.5"),
        "src/pay/app.py": CODE, "src/pay/requirements.txt": "alpha\n",
        "src/audit/app.py": CODE, "src/audit/requirements.txt": "beta\nmodels\n",
        "src/both/app.py": CODE,
        "layer/common.py": CODE,
        "libs/models/pyproject.toml": '[project]\nname = "models"\nversion = "1"\n[build-system]\nrequires = ["flit_core"]\n'
                                      'build-backend = "flit_core.buildapi"\n',
        "libs/models/models.py": CODE,
    }  # fmt: skip


def edit(name: str, old: str, new: str) -> Edit:
    """One text for another; nothing where an earlier edit has taken it out."""
    return lambda files: {**files, name: files[name].replace(old, new)} if name in files else files


def without(name: str) -> Edit:
    return lambda files: {path: text for path, text in files.items() if path != name}


def also(name: str, text: str) -> Edit:
    return lambda files: {**files, name: files.get(name, "") + text}


def put(name: str, text: str) -> Edit:
    return lambda files: {**files, name: text}


ALL = {"function:Pay", "function:Audit", "function:Stock", "function:Report", "layer:Common"}
BOTH, LAYERED = {"function:Stock", "function:Report"}, {"function:Pay", "layer:Common"}
EVAL = "    eval(event)\n"
# An edit, and of what it changes an answer: all else must not be asked.
EDITS: dict[str, tuple[Edit, set[str]]] = {
    "code": (also("src/pay/app.py", EVAL), {"function:Pay"}),
    "code that moves": (edit("src/audit/app.py", "import subprocess\n", "import subprocess\n\n"), {"function:Audit"}),
    "a file more": (put("src/pay/more.py", CODE), {"function:Pay"}),
    "code that two share": (also("src/both/app.py", EVAL), BOTH),
    "a package of ours": (also("libs/models/models.py", "def other(event):\n    eval(event)\n"), {"function:Audit"}),
    "a mended function": (put("src/audit/app.py", "def handler(event, context):\n    return 1\n"), {"function:Audit"}),
    "a release in the lock": (put("locks/uv.lock", locked("alpha 2.0", "beta 1.0")), {"function:Pay"}),
    "the order of the lock": (put("locks/uv.lock", "# moved\n" + locked("beta 1.0", "alpha 1.0")), set()),
    "a lock entry for nobody": (put("locks/uv.lock", locked("gamma 1.0", "alpha 1.0", "beta 1.0")), set()),
    "a need": (also("src/pay/requirements.txt", "beta\n"), {"function:Pay"}),
    "a need dropped": (without("src/pay/requirements.txt"), {"function:Pay"}),
    "the template's lines": (edit("template.yaml", "Resources:\n", "# moved\nResources:\n"), set()),
    "what no gate reads": (edit("template.yaml", "MemorySize: 128", "MemorySize: 256"), set()),
    "a handler": (edit("template.yaml", "app.handler\n      MemorySize: 128\n      CodeUri: src/pay/",
                       "app.gone\n      MemorySize: 128\n      CodeUri: src/pay/"), {"function:Pay"}),
    "all runtimes": (edit("template.yaml", "Runtime: python3.13\n", "Runtime: python3.12\n"), ALL - {"layer:Common"}),
    "another's layer": (edit("template.yaml", "tools:3", "tools:4"), {"function:Audit"}),
    "a function more": (edit("template.yaml", "  Audit:\n", FUNCTION.format(name="New", folder="pay", layer="") + "  Audit:\n"),
                        {"function:New"}),
    "a layer": (also("layer/common.py", EVAL), LAYERED),
    "what a layer needs": (put("layer/requirements.txt", "alpha\n"), LAYERED),
    "what lint skips": (edit("pyproject.toml", "B101", "B602"), ALL),
    "who supplies": (edit("pyproject.toml", "version", 'authors = [{name = "ACME"}]\nversion'), ALL),
    "a waiver": (also("shipsafe.toml", '[[waivers]]\nrule = "lint/B602"\nsubject = "Pay"\nreason = "r"\nowner = "o"\n'
                                       "expires = 2026-12-01\n"), ALL),
    "what blocks": (edit("shipsafe.toml", "shared-lock", 'gates.lint.fail-on = "low"\nshared-lock'), ALL),
    "what suppresses": (edit("shipsafe.toml", "shared-lock", 'gates.lint.suppressions = "ignore"\nshared-lock'), ALL),
    "advisories": (put("advisories/alpha.json", advisory("alpha", "2.0")), ALL),
    "an advisory": (put("advisories/beta.json", advisory("beta", "1.5")), ALL),
    "nothing": (lambda files: files, set()),
}  # fmt: skip


@pytest.fixture(scope="module", name="url")
def _url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A loopback index, and a cache of uv's own."""
    with pytest.MonkeyPatch.context() as patch, index(*WHEELS.values()) as url:
        patch.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("uv")))
        yield url


def run(folder: Path, **options: str) -> RunRecord:
    """One run in a folder, with an empty cache."""
    with TemporaryDirectory() as cache, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPSAFE_CACHE_DIR", cache)
        return build(Request(path=folder, today=TODAY, **options), silent_progress(), Timeline())  # type: ignore[arg-type]


def commit(folder: Path) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "a"), ("EMAIL", "a@example.com"), ("DATE", "1700000000 +0000"))
    }
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "then"]):
        subprocess.run(["git", *words], cwd=folder, env=environment, check=True)


def full(files: Files, known: dict[str, RunRecord]) -> RunRecord:
    """Everything asked of these files; the same files are asked once a session."""
    name = json.dumps(files, sort_keys=True)
    if name not in known:
        with TemporaryDirectory() as folder:
            commit(write(Path(folder) / "project", files))
            known[name] = run(Path(folder) / "project")
    return known[name]


def partial(then: Files, now: Files) -> RunRecord:
    """What has changed, asked."""
    with TemporaryDirectory() as folder:
        root = write(Path(folder) / "project", then)
        commit(root)
        for gone in then.keys() - now.keys():
            (root / gone).unlink()
        return run(write(root, now), changed_since="HEAD")


def by_place(record: RunRecord) -> dict[tuple[str, str], Outcome]:
    return {(outcome.subject, outcome.gate): outcome for outcome in record.outcomes}


def found(outcome: Outcome) -> object:
    """The answer without places, as somebody knows a finding again."""
    return (outcome.state, sorted((replace(one, location=None) for one in outcome.findings), key=lambda one: one.identity))


def blocks(record: RunRecord) -> set[str]:
    return {finding.identity for finding in record.verdict.blocking}


def unasked(record: RunRecord) -> dict[str, set[str]]:
    """Subject -> gates that were not asked because nothing has changed."""
    gates: dict[str, set[str]] = {}
    for outcome in record.outcomes:
        if outcome.unchanged_since:
            gates.setdefault(outcome.subject, set()).add(outcome.gate)
    return gates


def check_law(then: Files, now: Files, known: dict[str, RunRecord]) -> RunRecord:
    before, after, asked = full(then, known), full(now, known), partial(then, now)
    told, old, new = by_place(asked), by_place(before), by_place(after)
    assert told.keys() == new.keys()
    for place, outcome in told.items():
        if outcome.unchanged_since:
            assert found(old[place]) == found(new[place]), (place, "was not asked")
            assert not outcome.findings
        else:
            assert outcome == new[place], place
    # Whatever blocks now and did not then is found.
    assert blocks(after) - blocks(before) <= blocks(asked) <= blocks(after)
    return asked


KNOWN: dict[str, RunRecord] = {}


@settings(max_examples=16, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_not_asked_would_have_answered_as_before(data: st.DataObject, url: str) -> None:
    then, now = project(url), project(url)
    for name in data.draw(st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=3, unique=True)):
        now = EDITS[name][0](now)
    check_law(then, now, KNOWN)


@pytest.mark.parametrize("name", EDITS)
def test_only_what_an_edit_concerns_is_asked(name: str, url: str) -> None:
    then = project(url)
    change, concerned = EDITS[name]
    asked = check_law(then, change(then), KNOWN)
    subjects = {outcome.subject for outcome in asked.outcomes}
    assert {subject for subject in subjects if unasked(asked).get(subject, set()) != GATES} <= concerned, unasked(asked)
    if name not in ("what lint skips", "who supplies", "advisories", "an advisory"):  # these concern one gate of all subjects
        assert {subject for subject in subjects if not unasked(asked).get(subject)} == concerned
