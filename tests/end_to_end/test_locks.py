"""A workspace from the command line: each function ships its member's closure, and the repository's own packages are asked as code."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.program import Ended, shipsafe
from tests.packing.loopback import index, wheel
from tests.packing.staging import write
from tests.packing.test_locks import uv

TEMPLATE = """Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: functions/pay/}
  Stock:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: functions/stock/}
"""
POLICY = """[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"
[indexes]
default = "{url}"
mirrors-pypi = ["{url}"]
[[select]]
function = "Stock"
groups = ["{group}"]
"""
ADVISORY = {
    "id": "PYSEC-0000-1", "modified": "2026-01-01T00:00:00Z", "summary": "Bad.", "severity": [],
    "affected": [{"package": {"ecosystem": "PyPI", "name": "vendored"}, "ranges": [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}],
    "database_specific": {"severity": "HIGH"},
}  # fmt: skip
CODE = "import acme_models\n\n\ndef handler(event, context):\n    return acme_models.load(event)\n"
MODELS = "import subprocess\n\n\ndef load(event):\n    return subprocess.run(event['command'], shell=True)\n"


def project(name: str, version: str, needs: str, more: str = "") -> str:
    return (
        f'[project]\nname = "{name}"\nversion = "{version}"\nrequires-python = ">=3.11"\ndependencies = [{needs}]\n{more}'
        "[tool.uv.sources]\nacme-models = { workspace = true }\nvendored = { path = "
        '"../../vendored" }\n[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n'
    )


@pytest.fixture
def local_index(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Two releases, and a cache of uv's own."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("uv-cache")))
    with index(wheel("middle", "1.0", requires=["leaf"]), wheel("leaf", "1.0")) as url:
        yield url


@pytest.fixture
def root(tmp_path: Path, local_index: str) -> Path:
    """Two functions, a library of ours that both use, and a copy of something public that only one uses."""
    no_sources = project("vendored", "1.0", "").partition("[tool.uv.sources]")[0]
    folder = write(tmp_path / "project", {
        ".git/HEAD": "",
        "template.yaml": TEMPLATE,
        "shipsafe.toml": POLICY.format(url=local_index, group="lambda"),
        "advisories/PYSEC-0000-1.json": json.dumps(ADVISORY),
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["functions/*", "libraries/*"]\n',
        "functions/pay/pyproject.toml": project("pay", "1", '"acme-models", "vendored"'),
        "functions/pay/app.py": CODE,
        "functions/stock/pyproject.toml": project("stock", "1", '"acme-models"', '[dependency-groups]\nlambda = ["leaf"]\n'),
        "functions/stock/app.py": CODE,
        "libraries/models/pyproject.toml": project("acme-models", "0.5", '"middle"'),
        "libraries/models/src/acme_models/__init__.py": MODELS,
        "vendored/pyproject.toml": no_sources,
        "vendored/src/vendored/__init__.py": "",
    })  # fmt: skip
    uv(folder, "lock", "--default-index", local_index)
    return folder


def run(root: Path, *words: str) -> Ended:
    return shipsafe(*words, cwd=root)


def test_the_repositorys_own_packages_are_asked_as_code_and_as_distributions(root: Path) -> None:
    ended = run(root, "check", "--format", "json")
    found = {(one["rule"], one["subject"], one["location"]["path"], one.get("package")) for one in ended.report["findings"]}
    source = "libraries/models/src/acme_models/__init__.py"
    assert {one for one in found if one[0] == "lint/B602"} == {
        ("lint/B602", "function:Pay", source, None), ("lint/B602", "function:Stock", source, None)}  # fmt: skip
    assert ("dependencies/vulnerable", "function:Pay", "uv.lock", "vendored") in found
    assert not any(rule in ("dependencies/unaudited", "package/unlocked", "package/handler-missing") for rule, *_ in found)
    assert ended.code == 1


def test_nobody_asks_an_index_how_old_the_repositorys_own_packages_are(root: Path) -> None:
    write(root, {"shipsafe.toml": (root / "shipsafe.toml").read_text() + '[gates.dependencies]\ncooldown = "7d"\n'})
    findings = run(root, "check", "--format", "json").report["findings"]
    assert {one["package"] for one in findings if one["rule"] == "dependencies/unaudited"} == {"middle", "leaf"}


def test_a_secret_in_a_local_package_is_no_publishers_choice(root: Path) -> None:
    write(root, {"libraries/models/src/acme_models/.env": "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n"})
    findings = run(root, "check", "--format", "json").report["findings"]
    secret = next(one for one in findings if one["rule"] == "package/secret-file")
    assert (secret["severity"], secret["location"]["path"]) == ("critical", "libraries/models/src/acme_models/.env")


def test_each_archive_has_its_members_closure_and_the_bill_says_so(root: Path) -> None:
    write(root, {"libraries/models/src/acme_models/__init__.py": "def load(event):\n    return event\n", "vendored/pyproject.toml":
                 (root / "vendored/pyproject.toml").read_text().replace("1.0", "2.0")})  # fmt: skip
    lock, old = (root / "uv.lock").read_text(), 'name = "vendored"\nversion = "1.0"'
    (root / "uv.lock").write_text(lock.replace(old, old.replace("1.0", "2.0")))
    ended = run(root, "build", "--out", "out")
    assert ended.code == 0, ended.out + ended.err
    with zipfile.ZipFile(root / "out/Stock.zip") as stock, zipfile.ZipFile(root / "out/Pay.zip") as pay:
        assert {"app.py", "acme_models/__init__.py", "acme_models-0.5.dist-info/RECORD", "middle.py", "leaf.py"} <= set(stock.namelist())
        assert not any(name.startswith("vendored") for name in stock.namelist())
        assert "vendored/__init__.py" in pay.namelist()
    bill = json.loads(next((root / "out").glob("*Stock*cdx*.json")).read_text())
    models = next(one for one in bill["components"] if one["name"] == "acme-models")
    assert (models["purl"], models["version"]) == ("pkg:generic/acme-models@0.5", "0.5")
    assert {"name": "shipsafe:source", "value": "local"} in models["properties"]
    assert models["bom-ref"] in next(one["dependsOn"] for one in bill["dependencies"] if one["ref"] == "function:Stock")


def test_a_group_that_is_not_there_ends_the_run_with_the_names_that_are(root: Path) -> None:
    text = (root / "shipsafe.toml").read_text().replace('"lambda"', '"lamda"')
    write(root, {"shipsafe.toml": text})
    ended = run(root, "check")
    assert ended.code == 2
    assert "uv.lock: There is no group 'lamda' in uv.lock; it has lambda." in ended.err


def test_a_choice_for_a_function_that_is_not_there_is_said(root: Path) -> None:
    write(root, {"shipsafe.toml": (root / "shipsafe.toml").read_text() + '[[select]]\nfunction = "Stok"\ngroups = ["lambda"]\n'})
    hint = "No function and no layer fits [[select]] 'Stok' of the policy. Did you mean 'Stock'?"
    assert hint in run(root, "check", "--format", "json").report["hints"]
