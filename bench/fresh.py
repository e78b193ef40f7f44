"""A fresh runner: nothing cached, nothing installed, until the first verdict on `examples/orders`.

What counts: `uv tool install` of shipsafe's wheel with all that it needs from the package index (uv's cache is empty), pulling the
advisories from the loopback server, and the build itself, which downloads what the functions need. The wheel is built before that, for
a runner gets it from an index; uv and a Python are there. Downloads pass whatever network the machine has.
"""

import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PathDistribution
from pathlib import Path

from bench import projects
from bench.compare import workplace
from bench.figures import Part, Row, at_most
from bench.measure import BenchError, Step, middle, spend
from bench.ours import Setting, packed
from bench.tools import ROOT

_SECONDS = 20
_WEIGHT = 160  # MB, and
_DISTRIBUTIONS = 72  # with uv, without shipsafe itself: the plan of the house


def fresh(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """Measure it `repeat` times, and weigh what was installed."""
    say("fresh runner: building the wheel")
    wheels = setting.place("wheel")
    spend([Step(argv=[setting.tools.uv, "build", "--quiet", "--wheel", "--out-dir", wheels, ROOT], cwd=ROOT)], log=setting.log)
    wheel = next(wheels.glob("*.whl"), None)
    if wheel is None:
        raise BenchError("uv built no wheel.")
    legs: dict[str, list[float]] = {}
    runs, weight, count = [], 0, 0
    for number in range(setting.repeat):
        say(f"fresh runner: round {number + 1} of {setting.repeat}")
        place = setting.place("fresh")
        spents = {name: spend([step], log=setting.log) for name, step in _steps(setting, wheel, place).items()}
        packed(projects.orders(setting.place("fresh-names"), setting.advisories), place / "out")
        runs.append(sum(spents.values(), start=spend([], log=setting.log)))
        for name, spent in spents.items():
            legs.setdefault(name, []).append(spent.wall)
        weight, count = weigh(place / "tool" / "shipsafe")
        shutil.rmtree(place)
    spent = middle(runs)
    note = ", ".join(f"{name} {sorted(walls)[len(walls) // 2]:.1f} s" for name, walls in legs.items())
    return Part(
        name="fresh",
        rows=[Row(project="fresh runner", contender="shipsafe", mode="first verdict", spent=spent, runs=len(runs), note=note)],
        targets=[
            at_most("fresh runner: first verdict on orders", _SECONDS, spent.wall, "s"),
            at_most("default install: weight", _WEIGHT, weight / 1e6, "MB"),
            at_most("default install: distributions besides shipsafe", _DISTRIBUTIONS, count, ""),
        ],
    )


def _steps(setting: Setting, wheel: Path, place: Path) -> dict[str, Step]:
    project = projects.orders(workplace(setting, "fresh"), setting.advisories)
    policy = project.root / "shipsafe.toml"
    source = next(line for line in policy.read_text(encoding="utf-8").splitlines() if line.startswith("source = "))
    policy.write_text(policy.read_text(encoding="utf-8").replace(source, 'source = "snapshot"'), encoding="utf-8")
    cache, tool, commands = place / "cache", place / "tool", place / "bin"
    env = {"XDG_CACHE_HOME": str(cache), "UV_CACHE_DIR": str(cache / "uv"), "PIP_CACHE_DIR": str(cache / "pip"),
           "SHIPSAFE_CACHE_DIR": str(cache / "shipsafe"), "SHIPSAFE_CONFIG_DIR": str(place / "config"),
           "UV_TOOL_DIR": str(tool), "UV_TOOL_BIN_DIR": str(commands)}  # fmt: skip
    install: list[str | Path] = [setting.tools.uv, "tool", "install", "--quiet", "--python", sys.executable, wheel]
    shipsafe = commands / "shipsafe"
    return {
        "install": Step(argv=install, cwd=place, env=env),
        "advisories": Step(argv=[shipsafe, "advisories", "pull", "--from", f"{setting.server}/all.zip"], cwd=place, env=env),
        "build": Step(argv=[shipsafe, "build", project.root, "--out", place / "out", "-q"], cwd=place, env=env),
    }


def weigh(venv: Path) -> tuple[int, int]:
    """Bytes of an environment's packages and programs as they were installed, and how many distributions besides shipsafe there are.

    Byte code that a run has written since is not counted: an installer does not write it.
    """
    site = next(venv.glob("lib/python3.*/site-packages"))
    files = [path for folder in (site, venv / "bin") for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    names = {str(PathDistribution(info).metadata["Name"]).lower() for info in site.glob("*.dist-info")}
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc"), len(names - {"shipsafe"})
