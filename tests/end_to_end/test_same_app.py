"""One application described three times, for SAM, CDK and Terraform: the same verdict, the same findings, the same bytes.

`examples/orders-cdk/cdk.out` was synthesized with aws-cdk-lib. `examples/orders-terraform/plan.json` was written after Terraform's
documentation of its JSON format, because no package registry has Terraform.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.program import shipsafe

pytestmark = pytest.mark.registry

SAM = {"CreateOrder": "CreateOrder", "ExportReport": "ExportReport", "Notify": "Notify", "Shared": "Shared"}
TERRAFORM = {"create_order": "CreateOrder", "export_report.this": "ExportReport", "notify.notify": "Notify", "shared": "Shared"}
NAMES = {"orders": SAM, "orders-cdk": SAM, "orders-terraform": TERRAFORM}
DESCRIPTIONS = ("template.yaml", "cdk.out/Orders.template.json", "plan.json", "modules/report/main.tf", "main.tf")
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return {"SHIPSAFE_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory, cache: Mapping[str, str]) -> Mapping[str, Path]:
    """The output folder of each example."""
    folder = tmp_path_factory.mktemp("built")
    for name in NAMES:
        shutil.copytree(repository / "examples" / name, folder / name)
        done = shipsafe("build", "--out", "dist", cwd=folder / name, env=cache)
        assert done.code == 0, done.out + done.err
    return {name: folder / name / "dist" for name in NAMES}


def digests(output: Path, names: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Name in the SAM template -> digest of the zip and of its content."""
    manifest = json.loads((output / "shipsafe.json").read_text())
    return {names[Path(one["path"]).stem]: (one["digests"]["sha256"], one["digests"]["content_digest"]) for one in manifest["artifacts"]}


@pytest.mark.parametrize("name", ["orders-cdk", "orders-terraform"])
def test_the_same_code_is_the_same_bytes(built: Mapping[str, Path], name: str) -> None:
    assert digests(built[name], NAMES[name]) == digests(built["orders"], SAM)


def broken(folder: Path) -> None:
    """Five faults of five kinds, in code, lock, layers, handler and files; in the copies that CDK made, too."""
    changes: dict[str, Callable[[str], str]] = {
        "notify.py": lambda text: text + "\n\ndef run(command):\n    import subprocess\n\n    subprocess.call(command, shell=True)\n",
        "report.py": lambda text: text.replace("def handler(", "def handle("),
    }
    for name, change in changes.items():
        for file in folder.rglob(name):
            file.write_text(change(file.read_text()))
            if name == "notify.py":
                (file.parent / "server.pem").write_text(KEY)
    record = json.loads((folder / "advisories" / "PYSEC-2026-1471.json").read_text())
    record["affected"] = [{"package": {"ecosystem": "PyPI", "name": "python-dateutil"},
                           "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]  # fmt: skip
    (folder / "advisories" / "PYSEC-2026-1471.json").write_text(json.dumps(record))
    for name in DESCRIPTIONS:
        if (folder / name).is_file():
            text = (folder / name).read_text()
            (folder / name).write_text(text.replace("python313-arm64:18", "python313-arm64"))


def findings(folder: Path, names: Mapping[str, str], cache: Mapping[str, str]) -> set[tuple[str, ...]]:
    """Rule, severity, subject, advisory and, for what lies in code, the place; under the names of the SAM template."""
    done = shipsafe("check", "--format", "json", cwd=folder, env=cache)
    assert done.code == 1, done.out + done.err
    assert {one["state"] for one in done.report["outcomes"]} == {"answered", "not-asked"}

    def place(one: Mapping[str, Any]) -> str:
        where = one.get("location") or {}
        return "" if where.get("path") in DESCRIPTIONS else f"{where.get('path')}:{where.get('line')}"

    def subject(one: Mapping[str, Any]) -> str:
        kind, _, name = one["subject"].partition(":")
        return f"{kind}:{names[name]}"

    return {(one["rule"], one["severity"], subject(one), str(one.get("advisory")), place(one)) for one in done.report["findings"]}


def test_the_same_faults_are_the_same_findings(repository: Path, tmp_path: Path, cache: Mapping[str, str]) -> None:
    found = {}
    for name, names in NAMES.items():
        shutil.copytree(repository / "examples" / name, tmp_path / name)
        broken(tmp_path / name)
        found[name] = findings(tmp_path / name, names, cache)
    assert {"lint/B602", "package/handler-missing", "package/secret-file", "layers/unpinned", "dependencies/vulnerable"} <= {
        rule for rule, *_ in found["orders"]
    }
    assert found["orders-cdk"] == found["orders"]
    assert found["orders-terraform"] == found["orders"]


@pytest.mark.parametrize("name", ["orders-cdk", "orders-terraform"])
def test_the_copies_of_the_application_are_copies(repository: Path, name: str) -> None:
    """Else the three would be compared for nothing."""
    examples = repository / "examples"
    files = [path for part in ("src", "layers", "advisories") for path in (examples / "orders" / part).rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert (examples / name / path.relative_to(examples / "orders")).read_bytes() == path.read_bytes()
    policies = [(examples / one / "shipsafe.toml").read_text().splitlines() for one in ("orders", name)]
    here, there = ([line for line in policy if not line.startswith("region = ")] for policy in policies)
    assert here == there, "the Region is that of the stack, and all else is the same"
