"""Measure `shipsafe build` against what people use today, in one go and alternating, and print a table.

    .tools/bin/uv run --frozen --group bench python bench/build.py
    .tools/bin/uv run --frozen --group bench python bench/build.py --only orders --repeat 3
    .tools/bin/uv run --frozen --group bench python bench/build.py --only fifty --sample 10

README.md beside this file says what is measured and why it is fair.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository instead of this folder: `bench` is a package

from bench import advisory_server, alone, projects, tables  # noqa: E402 - only now can it be found
from bench.chart import chart  # noqa: E402 - likewise
from bench.compare import Goals, compare, workplace  # noqa: E402 - likewise
from bench.figures import Part, Results  # noqa: E402 - likewise
from bench.fresh import fresh  # noqa: E402 - likewise
from bench.measure import BenchError  # noqa: E402 - likewise
from bench.ours import Setting  # noqa: E402 - likewise
from bench.tools import ROOT, default_work, machine, prepare, versions  # noqa: E402 - likewise

Say = Callable[[str], None]
_COMMAND = ".tools/bin/uv run --frozen --group bench python bench/build.py"


def _orders(setting: Setting, say: Say) -> Part:
    return compare(setting, projects.orders(workplace(setting, "orders"), setting.advisories), Goals(usual=6, clever=2, warm=0.4), say=say)


def _fifty(setting: Setting, say: Say) -> Part:
    goals = Goals(usual=40, clever=8, warm=1.0, changed=1.5)
    return compare(setting, projects.fifty(workplace(setting, "fifty"), setting.advisories), goals, say=say)


def _heavy(setting: Setting, say: Say) -> Part:
    return compare(setting, projects.heavy(workplace(setting, "heavy"), setting.advisories), Goals(usual=10, clever=2), say=say)


_PARTS: dict[str, Callable[[Setting, Say], Part]] = {
    "startup": lambda setting, say: alone.startup(setting, say=say),
    "orders": _orders,
    "heavy": _heavy,
    "packing": lambda setting, say: alone.packing(setting, say=say),
    "fifty": _fifty,
    "memory": lambda setting, say: alone.memory(setting, say=say),
    "scale": lambda setting, say: alone.scale(setting, (50, 500), say=say),
    "fresh": lambda setting, say: fresh(setting, say=say),
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/build.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=list(_PARTS), help="only this part; may be repeated")
    parser.add_argument("--repeat", type=_positive, default=1, metavar="N", help="rounds; in each, shipsafe runs three times (default: 1)")
    parser.add_argument("--sample", type=_positive, metavar="N", help="run N functions of a chain and scale to all; the table says so")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    parser.add_argument("--chart", type=Path, metavar="FILE.svg", help="also draw the contest")
    parser.add_argument("--results", type=Path, metavar="FILE.md", help="also write the page of results")
    parser.add_argument("--advisories", type=Path, metavar="ZIP|FOLDER", help="OSV records that everybody asks")
    parser.add_argument("--work", type=Path, default=default_work(), metavar="FOLDER", help="where the contenders' tools are kept")
    parser.add_argument("--date", default=datetime.now(UTC).date().isoformat(), help="the date on the page (default: today)")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be 1 or more"
        raise argparse.ArgumentTypeError(message)
    return number


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def _advisories(chosen: Path | None) -> Path:
    """The records that were named, else all of PyPI's where they lie beside the repository, else those of the example."""
    if chosen is not None:
        return chosen.resolve()
    shared = ROOT.parent / "shared" / "data" / "advisories" / "PyPI-all.zip"
    return shared if shared.exists() else ROOT / "examples" / "orders" / "advisories"


def main() -> int:
    """Measure, print, write. Ends with 1 when a measurement failed: figures that were not reached are not a failure of the bench."""
    arguments = _arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=arguments.work)).resolve()
    os.environ["TMPDIR"] = str(folder)  # one file system for everybody, so that whoever links instead of copying can
    try:
        results = _measure(arguments, folder)
    except BenchError as error:
        print(f"The bench stopped: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(tables.text(results))
    _write(arguments, results)
    return 0


def _measure(arguments: argparse.Namespace, folder: Path) -> Results:
    _say("preparing the tools")
    tools = prepare(arguments.work.resolve())
    source = _advisories(arguments.advisories)
    export = advisory_server.pack_export(source, folder / "advisories.zip")
    count = advisory_server.Advisories.read(export).count
    results = Results(
        date=arguments.date,
        machine=machine(),
        versions=versions(tools),
        settings={"rounds": str(arguments.repeat), "sample": str(arguments.sample or "all"), "advisories": str(count)},
    )
    with advisory_server.serve(export) as server:
        setting = Setting(tools=tools, folder=folder, advisories=export, server=server, repeat=arguments.repeat, sample=arguments.sample)
        for name, measure in _PARTS.items():
            if arguments.only and name not in arguments.only:
                continue
            part = measure(setting, _say)
            results = replace(results, rows=(*results.rows, *part.rows), targets=(*results.targets, *part.targets),
                              remarks=(*results.remarks, *part.remarks))  # fmt: skip
            print(tables.text(Results(date="", machine={}, versions={}, settings={}, rows=part.rows, targets=part.targets)), flush=True)
    return results


def _write(arguments: argparse.Namespace, results: Results) -> None:
    if arguments.json:
        arguments.json.write_text(tables.as_json(results), encoding="utf-8")
    if arguments.chart:
        arguments.chart.write_text(chart(results.rows, title="Wall time of a cold build"), encoding="utf-8")
    if arguments.results:
        picture = os.path.relpath(arguments.chart, arguments.results.parent) if arguments.chart else None
        words = [f"--{name} {value}" for name in ("repeat", "sample") if (value := getattr(arguments, name)) not in (None, 1)]
        words += [f"--only {name}" for name in arguments.only or ()]
        arguments.results.write_text(tables.markdown(results, command=" ".join([_COMMAND, *words]), chart=picture), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
