"""The parts that look at shipsafe alone: packing, memory, scale, start-up."""

import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import projects
from bench.chains import uv_install
from bench.compare import memory_target, workplace
from bench.figures import Part, Row, at_most, times_faster
from bench.measure import Spent, Step, middle, spend
from bench.ours import Built, Setting, build, cold_build, row
from bench.pack_once import listed
from bench.projects import Project, edit
from bench.tools import HERE, ROOT

_RUNS = 3
_START_RUNS = 10
_START_GOALS = {"--version": 30, "--help": 120}  # ms of processor time
_HELP_GOALS = {"build --help": 200, "ship --help": 200, "layers vendor --help": 200}  # of ours alone, whose commands have most to load


def packing(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """What `pack` makes of the heavy function's tree against `zip -6` of the same tree; then a second build with one edited file."""
    project = projects.heavy(workplace(setting, "packing"), setting.advisories)
    unit = project.units[0]
    tree = setting.place("packing") / "tree"
    install = uv_install(setting.tools, unit, tree)
    spend([Step(argv=install, cwd=HERE), Step(argv=["cp", "-r", f"{unit.code}/.", tree], cwd=HERE)], log=setting.log)
    unzipped = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
    zipped: list[Spent] = []
    packed: list[Spent] = []
    theirs, ours, listing = setting.folder / "zip-6.zip", setting.folder / "packed.zip", setting.folder / "listing.json"
    listing.write_text(listed(tree), encoding="utf-8")
    for number in range(max(setting.repeat, _RUNS)):
        say(f"packing: round {number + 1}")
        theirs.unlink(missing_ok=True)
        ours.unlink(missing_ok=True)
        zipped.append(spend([Step(argv=["zip", "-q", "-r", "-6", theirs, "."], cwd=tree)], log=setting.log))
        packed.append(spend([Step(argv=[sys.executable, HERE / "pack_once.py", tree, listing, ours], cwd=ROOT)], log=setting.log))
    rows = [
        Row(project="packing", contender="zip -6", mode="first", spent=middle(zipped), runs=len(zipped), note=_size(theirs, unzipped)),
        Row(
            project="packing",
            contender="shipsafe's packing",
            mode="first",
            spent=middle(packed),
            runs=len(packed),
            note=_size(ours, unzipped),
        ),
    ]
    say("packing: the second time")
    place = setting.place("packing-build")
    first = build(setting, project, cache=place / "cache", out=place / "out")
    edit(project, 0)
    second = build(setting, project, cache=place / "cache", out=place / "out")
    rows += [row("packing", mode, [built], note=_compress_legs(built)) for mode, built in (("first", first), ("one file changed", second))]
    return Part(
        name="packing",
        rows=rows,
        targets=[
            times_faster("packing, against zip -6", 4, rows[0], rows[1]),
            at_most("packing, size against zip -6", 1, ours.stat().st_size / theirs.stat().st_size, "of its bytes"),
        ],
    )


def _size(file: Path, unzipped: int) -> str:
    return f"{unzipped / 1e6:.1f} MB become {file.stat().st_size / 1e6:.2f} MB"


def _compress_legs(built: Built) -> str:
    """How long compression took in a build, as its profile tells."""
    if built.profile is None:
        return "this shipsafe writes no profile"
    legs = [leg for leg in built.profile["legs"] if leg["leg"] == "compress"]
    return f"compress: {sum(leg['end'] - leg['start'] for leg in legs):.2f} s" + (", cached" if all(leg["cached"] for leg in legs) else "")


def memory(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """Peak memory of the whole process tree in a cold build of each project."""
    made: Sequence[Project] = (
        projects.orders(workplace(setting, "memory"), setting.advisories),
        projects.fifty(workplace(setting, "memory"), setting.advisories),
        projects.heavy(workplace(setting, "memory"), setting.advisories),
    )
    rows = []
    for project in made:
        say(f"memory: {project.name}")
        place = setting.place("memory")
        built = build(setting, project, cache=place / "cache", out=place / "out")
        rows.append(
            row(
                f"memory: {project.name}",
                "cold",
                [built],
                note=f"the largest unzips to {largest(place / 'out') / 1e6:.1f} MB; at the peak: {built.spent.held}",
            )
        )
        shutil.rmtree(place)
    return Part(name="memory", rows=rows, targets=[memory_target(one.project, one.spent) for one in rows])


def largest(out: Path) -> int:
    """Bytes of the content of the largest archive of a folder."""
    sizes = []
    for path in out.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            sizes.append(sum(entry.file_size for entry in archive.infolist()))
    return max(sizes)


def scale(setting: Setting, sizes: Sequence[int], *, say: Callable[[str], None]) -> Part:
    """Cold builds of ever more functions with the same ten dependency sets: the time per function must not grow."""
    made = {size: projects.fifty(workplace(setting, "scale"), setting.advisories, count=size) for size in sizes}
    say("scale: warming the download caches")
    cold_build(setting, made[min(sizes)])
    runs: dict[int, list[Built]] = {size: [] for size in sizes}
    for number in range(setting.repeat):
        for size, project in made.items():
            say(f"scale: round {number + 1} of {setting.repeat}: {size} functions")
            runs[size].append(cold_build(setting, project))
    rows = {size: row("scale", f"{size} functions", found) for size, found in runs.items()}
    each = {size: found.spent.wall / size for size, found in rows.items() if found.spent}
    small, large = min(sizes), max(sizes)
    return Part(
        name="scale",
        rows=[replace(found, note=f"{each[size] * 1000:.0f} ms a function") for size, found in rows.items()],
        targets=[
            at_most(f"scale: time per function at {large} over {small}", 1, each[large] / each[small], "times"),
            memory_target(f"scale: {large} functions", rows[large].spent),
        ],
    )


def startup(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """Processor time until `--version` and `--help` have answered, everybody in turn; and `--help` of some of our commands."""
    say("start-up")
    tools = setting.tools
    programs = {
        "shipsafe": tools.shipsafe,
        **{name: tools.chains / name for name in ("pip-audit", "bandit", "cyclonedx-py")},
        **tools.others,
    }
    goals = {**_START_GOALS, **_HELP_GOALS}
    asked = [(name, words) for name in programs for words in (goals if name == "shipsafe" else _START_GOALS)]
    runs: dict[tuple[str, str], list[Spent]] = {one: [] for one in asked}
    for number in range(_START_RUNS + 1):
        for (name, words), found in runs.items():
            # No sampler could see a run this short; only its processor time is looked at.
            spent = spend([Step(argv=[programs[name], *words.split()], cwd=HERE)], log=setting.log)
            if number:  # the first one writes byte code
                found.append(spent)
    rows = [
        Row(project="start-up", contender=name, mode=words, spent=middle(spent), runs=len(spent)) for (name, words), spent in runs.items()
    ]
    rows += [Row(project="start-up", contender=name, mode="--help", spent=None, note=why) for name, why in tools.missing.items()]
    targets = [
        at_most(f"start-up: {words}, processor time", goal, middle(runs["shipsafe", words]).cpu * 1000, "ms")
        for words, goal in goals.items()
    ]
    return Part(name="startup", rows=rows, targets=targets)
