"""What people do today, as lists of commands: the usual chain, the clever chain, and `sam build`.

Both chains build for the function's platform and Python, take the same locks, ask the same advisories, and end with a zip, an SBOM and
reports of pip-audit and bandit for each function. Steps run one after the other, as in the scripts that people have.

    usual     per function: pip install -t, pip-audit -r requirements.txt, bandit -r, cyclonedx-py environment, zip -r -9
    clever    per function: uv pip install --target, pip-audit --path, cyclonedx-py requirements, zip -r -6; bandit -r once
    sam       sam build, which installs and copies: no audit, no lint, no SBOM, no zip
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Step
from bench.projects import RUNTIME, Project, Unit
from bench.tools import Tools

_GLIBCS = ("manylinux2014", "manylinux_2_17", "manylinux_2_24", "manylinux_2_26", "manylinux_2_27", "manylinux_2_28", "manylinux_2_34")
_FOUND_OR_NOT = (0, 1)  # bandit ends with 1 for any finding, also for one that nobody minds


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The commands for each unit, in the order of the project's units, and those that are run once for all."""

    per_unit: Sequence[Sequence[Step]]
    once: Sequence[Step] = ()


def usual(project: Project, out: Path, tools: Tools, osv: str) -> Chain:
    """The chain that most tutorials describe. `out` is an empty folder, `osv` the address of the advisory server."""
    return Chain(per_unit=[_usual(unit, out / unit.name, tools, osv) for unit in project.units])


def clever(project: Project, out: Path, tools: Tools, osv: str) -> Chain:
    """The chain of somebody who has thought about it."""
    bandit = Step(argv=[tools.chains / "bandit", "-q", "-r", project.root, "-f", "json", "-o", out / "bandit.json"], cwd=project.root,
                     accepted=_FOUND_OR_NOT)  # fmt: skip
    return Chain(per_unit=[_clever(unit, out / unit.name, tools, osv) for unit in project.units], once=[bandit])


def sam(root: Path, out: Path, command: Path, python: Path) -> Chain:
    """`sam build`, with the interpreter of the runtime first on the path."""
    argv: list[str | Path] = [command, "build", "--template", root / "template.yaml", "--build-dir", out / "sam", "--parallel"]
    path = f"{python.parent}:/usr/local/bin:/usr/bin:/bin"
    env = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1", "PATH": path}
    return Chain(per_unit=[], once=[Step(argv=argv, cwd=root, env=env)])


def _usual(unit: Unit, out: Path, tools: Tools, osv: str) -> list[Step]:
    target = out / "tree" / unit.prefix if unit.prefix else out / "tree"
    commands = [_plain(["mkdir", "-p", target])]
    if unit.requirements:
        platforms = [flag for one in _GLIBCS for flag in ("--platform", f"{one}_{unit.machine}")]
        pip: list[str | Path] = [tools.chains / "pip", "install", "-q", "-t", target, *platforms, "--implementation", "cp",
                                 "--python-version", RUNTIME, "--only-binary=:all:", "-r", unit.requirements]  # fmt: skip
        commands += [
            Step(argv=pip, cwd=Path("/"), env=tools.pip),
            Step(argv=[tools.chains / "pip-audit", "-r", unit.requirements, *_audit(osv, out)], cwd=Path("/"), env=tools.pip),
        ]
    commands += [
        Step(argv=[tools.chains / "bandit", "-q", "-r", unit.code, "-f", "json", "-o", out / "bandit.json"], cwd=out.parent,
                accepted=_FOUND_OR_NOT),
    ]  # fmt: skip
    if unit.requirements:
        # The command describes the packages on an interpreter's path; this is how it is shown a folder that pip installed into.
        commands.append(Step(argv=[tools.chains / "cyclonedx-py", "environment", "-o", out / "bom.json", tools.bare], cwd=out.parent,
                                env={"PYTHONPATH": str(target)}))  # fmt: skip
    return [*commands, _copy(unit, target), _zip(out, "-9")]


def _clever(unit: Unit, out: Path, tools: Tools, osv: str) -> list[Step]:
    target = out / "tree" / unit.prefix if unit.prefix else out / "tree"
    commands = [_plain(["mkdir", "-p", target])]
    if unit.requirements:
        commands += [
            _plain(uv_install(tools, unit, target)),
            _plain([tools.chains / "pip-audit", "--path", target, *_audit(osv, out)]),
            _plain([tools.chains / "cyclonedx-py", "requirements", "-o", out / "bom.json", unit.requirements]),
        ]
    return [*commands, _copy(unit, target), _zip(out, "-6")]


def uv_install(tools: Tools, unit: Unit, target: Path) -> list[str | Path]:
    """The arguments with which uv installs for Lambda's platform."""
    return [tools.uv, "pip", "install", "-q", "--target", target, "--python-platform", f"{unit.machine}-manylinux_2_34",
            "--python-version", RUNTIME, "--only-binary", ":all:", "-r", unit.requirements or ""]  # fmt: skip


def _audit(osv: str, out: Path) -> list[str | Path]:
    return ["-s", "osv", "--osv-url", f"{osv}/v1/query", "--progress-spinner", "off", "-f", "json", "-o", out / "audit.json"]


def _copy(unit: Unit, target: Path) -> Step:
    return _plain(["cp", "-r", f"{unit.code}/.", target])


def _zip(out: Path, level: str) -> Step:
    return Step(argv=["zip", "-q", "-r", level, out / "package.zip", "."], cwd=out / "tree")


def _plain(argv: Sequence[str | Path]) -> Step:
    return Step(argv=argv, cwd=Path("/"))
