"""The projects that are measured, written anew for each run: the same bytes for the same arguments, on any machine.

    orders   a copy of `examples/orders`: three functions and a layer, arm64
    fifty    50 functions of 3 to 6 own modules each, with 10 distinct dependency sets in turn (`bench/sets/`)
    heavy    one function with pandas and pyarrow, just below Lambda's 250 MB (`bench/requirements-heavy.txt`)

Every lock is complete, has hashes, and holds for Python 3.11 and later: `pip-audit -r` resolves with the Python that it runs on.
"""

import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.source import modules
from bench.tools import HERE, ROOT

RUNTIME = "3.13"
ADVISORY_DATE = "2026-11-01"
_SETS = HERE / "sets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One thing that ships: a function or a layer.

    Attributes:
        code: its folder, absolute.
        requirements: its hash-locked requirements file, absolute; None when it needs nothing.
        machine: `x86_64` or `aarch64`, as wheels are tagged.
        prefix: folder within the zip (`python` for a layer).
    """

    name: str
    code: Path
    requirements: Path | None
    machine: str = "x86_64"
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is built. `edited` is the file that a person edits, for the run with one changed file."""

    name: str
    root: Path
    units: Sequence[Unit]
    edited: Path


def orders(folder: Path, advisories: Path) -> Project:
    """The example, with the advisories that everybody asks instead of its own three."""
    root = folder / "orders"
    shutil.copytree(ROOT / "examples" / "orders", root, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    policy = (root / "shipsafe.toml").read_text(encoding="utf-8")
    line = next(line for line in policy.splitlines() if line.startswith("source = "))
    (root / "shipsafe.toml").write_text(policy.replace(line, _source(advisories)), encoding="utf-8")
    report = root / "src" / "export_report"
    exported = folder / "orders-export_report.txt"  # pip cannot install a pylock.toml by its name alone; this is the same lock
    exported.write_text(as_requirements((report / "pylock.toml").read_text(encoding="utf-8")), encoding="utf-8")
    shared = root / "layers" / "shared"
    create = root / "src" / "create_order"
    return Project(
        name="orders",
        root=root,
        units=(
            Unit(name="CreateOrder", code=create, requirements=create / "requirements.txt", machine="aarch64"),
            Unit(name="ExportReport", code=report, requirements=exported, machine="aarch64"),
            Unit(name="Notify", code=root / "src" / "notify", requirements=None),
            Unit(name="Shared", code=shared, requirements=shared / "requirements.txt", machine="aarch64", prefix="python"),
        ),
        edited=create / "app.py",
    )


def fifty(folder: Path, advisories: Path, *, count: int = 50) -> Project:
    """`count` functions; the dependency sets come in turn, so that the first ten functions have one of each."""
    name = f"functions-{count}"
    root = folder / name
    locks = sorted(_SETS.glob("*.txt"))
    units = []
    for number in range(count):
        lock = locks[number % len(locks)]
        unit = f"{lock.stem.title()}{number:03d}"
        code = root / "src" / f"{lock.stem}_{number:03d}"
        code.mkdir(parents=True)
        for path, text in modules(number, needs=imports_of(lock.stem)).items():
            (code / path).write_text(text, encoding="utf-8")
        shutil.copyfile(lock, code / "requirements.txt")
        units.append(Unit(name=unit, code=code, requirements=code / "requirements.txt"))
    _write_project(root, units, advisories)
    return Project(name=name, root=root, units=units, edited=units[-1].code / "app.py")


def heavy(folder: Path, advisories: Path) -> Project:
    """One function that reads Parquet files."""
    root = folder / "heavy"
    code = root / "src" / "analyse"
    code.mkdir(parents=True)
    for path, text in modules(0, needs=("pandas", "pyarrow")).items():
        (code / path).write_text(text, encoding="utf-8")
    shutil.copyfile(HERE / "requirements-heavy.txt", code / "requirements.txt")
    unit = Unit(name="Analyse", code=code, requirements=code / "requirements.txt")
    _write_project(root, [unit], advisories)
    return Project(name="heavy", root=root, units=(unit,), edited=code / "app.py")


def imports_of(name: str) -> tuple[str, ...]:
    """The modules of a dependency set that its functions import: one for each line of its `.in` file."""
    modules_ = {"python-dateutil": "dateutil", "pyjwt": "jwt", "pyyaml": "yaml", "pillow": "PIL",
                "aws-lambda-powertools": "aws_lambda_powertools"}  # fmt: skip
    wanted = (_SETS / f"{name}.in").read_text(encoding="utf-8").split()
    return tuple(modules_.get(one, one) for one in wanted)


def as_requirements(pylock: str) -> str:
    """A pylock.toml without markers, as a requirements file with hashes."""
    lines = []
    for package in tomllib.loads(pylock)["packages"]:
        found = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        hashes = "".join(f" \\\n    --hash=sha256:{one['hashes']['sha256']}" for one in found)
        lines.append(f"{package['name']}=={package['version']}{hashes}\n")
    return "".join(lines)


def edit(project: Project, number: int) -> None:
    """Change one file as a person would: one more function at its end."""
    with project.edited.open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef revision_{number}() -> int:\n    return {number}\n")


def with_runtime(project: Project, folder: Path, runtime: str) -> Path:
    """A copy of the project for another Python: `sam build` wants the interpreter of the runtime on the machine."""
    root = folder / f"{project.name}-{runtime}"
    shutil.copytree(project.root, root)
    template = root / "template.yaml"
    template.write_text(template.read_text(encoding="utf-8").replace(f"python{RUNTIME}", runtime), encoding="utf-8")
    for unit in project.units:  # it builds from requirements.txt and knows no other lock
        if unit.requirements:
            shutil.copyfile(unit.requirements, root / unit.code.relative_to(project.root) / "requirements.txt")
    return root


def _write_project(root: Path, units: Sequence[Unit], advisories: Path) -> None:
    resources = "".join(
        f"  {unit.name}:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        f"      CodeUri: {unit.code.relative_to(root).as_posix()}/\n      Handler: app.handler\n"
        for unit in units
    )
    (root / "template.yaml").write_text(
        'AWSTemplateFormatVersion: "2010-09-09"\nTransform: AWS::Serverless-2016-10-31\n\n'
        f"Globals:\n  Function:\n    Runtime: python{RUNTIME}\n    Timeout: 30\n    MemorySize: 512\n    Architectures: [x86_64]\n\n"
        f"Resources:\n{resources}",
        encoding="utf-8",
    )
    policy = f'extends = "baseline"\n\n[advisories]\n{_source(advisories)}\nmax-age = "off"\nlabel = "the bench\'s advisories"\n'
    (root / "shipsafe.toml").write_text(policy, encoding="utf-8")


def _source(advisories: Path) -> str:
    return f'source = {{ path = "{advisories}", date = {ADVISORY_DATE} }}'
