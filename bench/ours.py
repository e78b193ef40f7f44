"""`shipsafe build` as the bench runs it, with a cache and an output folder that the bench chooses, and a look at what it left."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Row
from bench.measure import BenchError, Spent, Step, middle, spend
from bench.projects import Project
from bench.tools import Tools

NAME = "shipsafe build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every part of the bench is given.

    Attributes:
        folder: an empty folder of this run; everything is written below it.
        advisories: the zip of OSV records that everybody asks.
        server: address of the server that serves them.
        repeat: how often each contender runs.
        sample: how many units of the usual chain are run and then scaled to all of them; None for all.
        contest: whether the chains and `sam build` run at all.
    """

    tools: Tools
    folder: Path
    advisories: Path
    server: str
    repeat: int
    sample: int | None
    contest: bool = True

    def place(self, name: str) -> Path:
        """A new, empty folder."""
        number = 0
        while (path := self.folder / f"{name}-{number}").exists():
            number += 1
        path.mkdir(parents=True)
        return path

    @property
    def log(self) -> Path:
        """Where programs print to; each overwrites what the one before it left."""
        return self.folder / "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One run of `shipsafe build`. `profile` is what `SHIPSAFE_PROFILE` wrote, None when it writes none."""

    spent: Spent
    archives: dict[str, str]
    profile: dict[str, Any] | None


def cold_build(setting: Setting, project: Project) -> Built:
    """Build it once with an empty cache into a new folder. Both are removed afterwards: fifty functions weigh some hundred MB."""
    place = setting.place(f"{project.name}-cold")
    built = build(setting, project, cache=place / "cache", out=place / "out")
    shutil.rmtree(place)
    return built


def row(project: str, mode: str, runs: Sequence[Built], *, note: str = "") -> Row:
    """The row of some runs, with the profile of the one that took the middle of the time."""
    typical = sorted(runs, key=lambda one: one.spent.wall)[len(runs) // 2]
    return Row(project=project, contender=NAME, mode=mode, spent=middle([one.spent for one in runs]), runs=len(runs), note=note,
               profile=typical.profile)  # fmt: skip


def build(setting: Setting, project: Project, *, cache: Path, out: Path) -> Built:
    """Build a project into `out`, with `cache` as shipsafe's cache folder.

    Raises:
        BenchError: it did not pass, or did not pack every unit.
    """
    profile = setting.folder / "profile.json"
    profile.unlink(missing_ok=True)
    env = {"SHIPSAFE_CACHE_DIR": str(cache), "SHIPSAFE_CONFIG_DIR": str(cache.with_name("config")), "SHIPSAFE_PROFILE": str(profile),
           "SHIPSAFE_UV_CACHE": "trusted"}  # fmt: skip  # warm and believed, as it is for everybody here, also in a pipeline
    step = Step(argv=[setting.tools.shipsafe, "build", project.root, "--out", out, "-q"], cwd=project.root, env=env)
    spent = spend([step], log=setting.log)
    return Built(spent=spent, archives=packed(project, out), profile=json.loads(profile.read_text()) if profile.exists() else None)


def packed(project: Project, out: Path) -> dict[str, str]:
    """Name of each unit -> digest of its archive, as the release manifest says.

    Raises:
        BenchError: a unit is missing, or its zip or SBOM is.
    """
    manifest = json.loads((out / "shipsafe.json").read_text(encoding="utf-8"))
    archives = {one["name"]: one["digests"]["sha256"] for one in manifest["artifacts"]}
    names = [unit.name for unit in project.units]
    missing = [
        name for name in names if name not in archives or not all((out / f"{name}.{kind}").is_file() for kind in ("zip", "cdx.json"))
    ]
    if missing:
        raise BenchError(f"shipsafe did not pack {', '.join(missing)}.")
    return archives
