"""The contest: the two chains, `sam build` and `shipsafe build` on one project, alternating, in one go.

A round runs ours, usual, ours, clever, ours, sam, so that a change in what else the machine does meets everybody. Each of our runs is
cold: an empty cache folder of shipsafe and a new output folder. The download caches of uv and pip are warm for everybody: before
anything counts, each dependency set goes through both chains and through shipsafe once.

Then ours alone, warm: nothing changed; and with one changed file, where only that function's archive may differ.
"""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import chains
from bench.figures import Part, Row, Target, at_most, overlap, times_faster
from bench.measure import BenchError, Spent, Step, middle, spend
from bench.ours import NAME, Built, Setting, build, cold_build, row
from bench.projects import Project, edit, with_runtime

_COLD_RUNS = 3  # of ours, in each round
_SMALL = 10  # units up to which `sam build` is warmed up, too
_CHAINS = {"usual chain": (chains.usual, True), "clever chain": (chains.clever, False)}  # and whether `--sample` shortens it
_LEFT_OUT = "left out of this run"
MEMORY = 400  # MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """What is to be reached on one project; None where nothing is said of it. Times of the chains over ours; seconds."""

    usual: float
    clever: float
    warm: float | None = None
    changed: float | None = None


def compare(setting: Setting, project: Project, goals: Goals, *, say: Callable[[str], None]) -> Part:
    """Measure one project."""
    say(f"{project.name}: warming the download caches")
    _warm_up(setting, project)
    runs: dict[str, list[Spent]] = {"usual chain": [], "clever chain": [], "sam build": []}
    cold: list[Built] = []
    no_sam = _why_no_sam(setting)
    for number in range(setting.repeat):
        for name, found in runs.items():
            say(f"{project.name}: round {number + 1} of {setting.repeat}: shipsafe build, then {name if setting.contest else 'nobody'}")
            cold.append(cold_build(setting, project))
            if name == "sam build":
                no_sam = no_sam or _sam(setting, project, found)
            elif setting.contest:
                found.append(_run_chain(setting, project, *_CHAINS[name]))
    notes = {"usual chain": _extrapolated(setting, project), "clever chain": "", "sam build": no_sam or _of_sam()}
    if not setting.contest:
        notes = dict.fromkeys(runs, _LEFT_OUT)
    rows = [
        Row(project=project.name, contender=name, mode="cold", spent=middle(spent) if spent else None, runs=len(spent), note=notes[name])
        for name, spent in runs.items()
    ]
    rows.append(row(project.name, "cold", cold))
    say(f"{project.name}: shipsafe build, warm")
    rows += _warm(setting, project)
    return Part(name=project.name, rows=rows, targets=_targets(project, goals, rows))


def _run_chain(setting: Setting, project: Project, chain: Callable[..., chains.Chain], sampled: bool) -> Spent:  # noqa: FBT001 - a row of _CHAINS
    """A chain in an empty folder, scaled to all units when only some were run."""
    out = setting.place(f"{project.name}-chain")
    made = chain(project, out, setting.tools, setting.server)
    spent = run_sampled(made, setting.sample if sampled else None, run=lambda steps: spend(steps, log=setting.log))
    shutil.rmtree(out)
    return spent


def run_sampled(chain: chains.Chain, sample: int | None, *, run: Callable[[Sequence[Step]], Spent]) -> Spent:
    """What the chain takes: the first `sample` units scaled to all of them, and what is run once."""
    some = chain.per_unit[:sample]
    spent = run([step for steps in some for step in steps])
    return spent.times(len(chain.per_unit) / len(some)) + run(chain.once)


def _extrapolated(setting: Setting, project: Project) -> str:
    total = len(project.units)
    return f"extrapolated from {setting.sample} of {total}" if setting.sample and setting.sample < total else ""


def _of_sam() -> str:
    return f"runtime set to {_runtime()}, the Python of this machine; installs and copies only"


def _why_no_sam(setting: Setting) -> str:
    return setting.tools.missing.get("sam", "") or (_LEFT_OUT if setting.sample or not setting.contest else "")


def _runtime() -> str:
    return f"python3.{sys.version_info.minor}"


def _sam(setting: Setting, project: Project, found: list[Spent]) -> str:
    """Run `sam build` and add what it took; or say why it could not: it does not know every wheel that Lambda runs."""
    folder = setting.place(f"{project.name}-sam")
    root = with_runtime(project, folder, _runtime())
    chain = chains.sam(root, folder, setting.tools.others["sam"], setting.tools.chains / "python")
    try:
        found.append(spend(chain.once, log=setting.log))
    except BenchError as error:
        return f"cannot build it for {_runtime()}: {str(error).strip().splitlines()[-1]}"
    finally:
        shutil.rmtree(folder)
    return ""


def _warm_up(setting: Setting, project: Project) -> None:
    """Every dependency set through each chain that will meet it, once, and through shipsafe."""
    for chain, sampled in _CHAINS.values() if setting.contest else ():
        place = setting.place("warm-up")
        made = chain(project, place, setting.tools, setting.server)
        seen: set[bytes] = set()
        for unit, steps in list(zip(project.units, made.per_unit, strict=True))[: setting.sample if sampled else None]:
            lock = unit.requirements.read_bytes() if unit.requirements else b""
            if lock not in seen:
                seen.add(lock)
                spend(steps, log=setting.log)
        shutil.rmtree(place)
    if len(project.units) <= _SMALL and not _why_no_sam(setting):
        _sam(setting, project, [])
    cold_build(setting, project)


def _warm(setting: Setting, project: Project) -> list[Row]:
    """The same cache and output folder again and again: nothing changed, then one file."""
    place = setting.place(f"{project.name}-warm")
    cache, out = place / "cache", place / "out"
    archives = build(setting, project, cache=cache, out=out).archives
    again, changed = [], []
    for number in range(max(setting.repeat, _COLD_RUNS)):
        again.append(build(setting, project, cache=cache, out=out))
        edit(project, number)
        built = build(setting, project, cache=cache, out=out)
        _only_one_differs(archives, built.archives)
        archives = built.archives
        changed.append(built)
    shutil.rmtree(place)
    return [row(project.name, "nothing changed", again), row(project.name, "one file changed", changed)]


def _only_one_differs(before: dict[str, str], after: dict[str, str]) -> None:
    differing = [name for name in before if after[name] != before[name]]
    if len(differing) != 1:
        raise BenchError(f"One file was edited, and these archives differ: {', '.join(differing) or 'none'}.")


def find(rows: Sequence[Row], contender: str, mode: str = "cold") -> Row:
    """The row of a contender in a mode."""
    return next(row for row in rows if row.contender == contender and row.mode == mode)


def _targets(project: Project, goals: Goals, rows: Sequence[Row]) -> list[Target]:
    ours = find(rows, NAME)
    targets = [
        times_faster(f"{project.name}, cold, against the usual chain", goals.usual, find(rows, "usual chain"), ours),
        times_faster(f"{project.name}, cold, against the clever chain", goals.clever, find(rows, "clever chain"), ours),
        overlap(f"{project.name}, cold: legs overlap", ours),
    ]
    for mode, goal in (("nothing changed", goals.warm), ("one file changed", goals.changed)):
        spent = find(rows, NAME, mode).spent
        if goal is not None and spent:
            targets.append(at_most(f"{project.name}, {mode}", goal, spent.wall, "s"))
    return [*targets, memory_target(project.name, ours.spent)]


def memory_target(name: str, spent: Spent | None) -> Target:
    """Peak memory of the process tree."""
    return at_most(f"{name}, cold: peak memory", MEMORY, spent.peak / 1e6 if spent and spent.peak else None, "MB")


def workplace(setting: Setting, name: str) -> Path:
    """A new folder for a project."""
    return setting.place(f"project-{name}")
