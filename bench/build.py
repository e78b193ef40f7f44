"""Measure `shipsafe build` against what people use today, in one go and alternating, and print a table.

    uv run --frozen bench/build.py                                            everything: about an hour
    uv run --frozen bench/build.py --only orders --repeat 3
    uv run --frozen bench/build.py --only fifty --sample 10 --json fifty.json
    uv run --frozen bench/build.py --join *.json --results bench/RESULTS.md --chart docs/images/bench.svg

README.md beside this file says what is measured and why it is fair.
"""

import argparse
import os
import shutil
import signal
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
from bench.deploy import deploy  # noqa: E402 - likewise
from bench.figures import Part, Results  # noqa: E402 - likewise
from bench.fresh import fresh  # noqa: E402 - likewise
from bench.measure import BenchError, adopt  # noqa: E402 - likewise
from bench.ours import Setting  # noqa: E402 - likewise
from bench.signing import signing  # noqa: E402 - likewise
from bench.tools import ROOT, commit, default_work, machine, prepare, versions  # noqa: E402 - likewise
from bench.verify import verify  # noqa: E402 - likewise
from bench.who_ships import who_ships  # noqa: E402 - likewise

Say = Callable[[str], None]
_COMMAND = "uv run --frozen bench/build.py"


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
    "scale": lambda setting, say: alone.scale(setting, (50, 100, 500), say=say),
    "fresh": lambda setting, say: fresh(setting, say=say),
    "signing": lambda setting, say: signing(setting, say=say),
    "verify": lambda setting, say: verify(setting, say=say),
    "who-ships": lambda setting, say: who_ships(setting, say=say),
    "deploy": lambda setting, say: deploy(setting, say=say),
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/build.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=list(_PARTS), help="only this part; may be repeated")
    parser.add_argument("--repeat", type=_positive, default=1, metavar="N", help="rounds; in each, shipsafe runs three times (default: 1)")
    parser.add_argument("--sample", type=_positive, metavar="N", help="run the usual chain on N functions, scale to all, and say so")
    parser.add_argument("--alone", action="store_true", help="leave the chains and sam out, for working on shipsafe itself")
    parser.add_argument("--join", type=Path, nargs="+", metavar="FILE.json", help="measure nothing: join what earlier runs wrote")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON, after each part")
    parser.add_argument("--chart", type=Path, metavar="FILE.svg", help="also draw the contest")
    parser.add_argument("--results", type=Path, metavar="FILE.md", help="also write the page of results")
    parser.add_argument("--advisories", type=Path, metavar="ZIP|FOLDER", help="OSV records that everybody asks")
    parser.add_argument("--work", type=Path, default=default_work(), metavar="FOLDER", help="where the contenders' tools are kept")
    parser.add_argument("--date", default=datetime.now(UTC).date().isoformat(), help="the date on the page (default: today)")
    parser.add_argument(
        "--remark", default="", metavar="WORDS", help="what a reader of the page must know of this run, such as a busy machine"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be 1 or more"
        raise argparse.ArgumentTypeError(message)
    return number


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def _advisories(chosen: Path | None) -> tuple[Path, str]:
    """The records that were named, else all of PyPI's where they lie beside the repository, else those of the example; and which."""
    if chosen is not None:
        return chosen.resolve(), chosen.name
    shared = ROOT.parent / "shared" / "data" / "advisories" / "PyPI-all.zip"
    if shared.exists():
        return shared, "../shared/data/advisories/PyPI-all.zip"
    return ROOT / "examples" / "orders" / "advisories", "examples/orders/advisories"


def main() -> int:
    """Measure, print, write. Ends with 1 when something could not be measured; a figure that is not reached is no failure of the bench."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended, and the folder is removed
    try:
        results = _joined(arguments) if arguments.join else _measured(arguments)
        print(tables.text(results.parts))
    except BenchError as error:
        print(f"The bench stopped: {error}", file=sys.stderr)
        return 1
    return int(any(part.failure for part in results.parts))


def _joined(arguments: argparse.Namespace) -> Results:
    results = tables.join([tables.from_json(file.read_text(encoding="utf-8")) for file in arguments.join], list(_PARTS))
    _write(arguments, results)
    return results


def _measured(arguments: argparse.Namespace) -> Results:
    """Run the parts. What was measured so far is written after each, for an hour is long."""
    adopt()
    arguments.work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=arguments.work)).resolve()
    os.environ["TMPDIR"] = str(folder)  # one file system for everybody, so that whoever links instead of copying can
    try:
        _say("preparing the tools")
        tools = prepare(arguments.work.resolve())
        source, which = _advisories(arguments.advisories)
        export = advisory_server.pack_export(source, folder / "advisories.zip")
        facts = {"date": arguments.date, "commit": commit(), "rounds": str(arguments.repeat), "sample": str(arguments.sample or "all"),
                 "advisories": f"{which}: {advisory_server.Advisories.read(export).count} records",
                 **({"remark": arguments.remark} if arguments.remark else {})}  # fmt: skip
        results = Results(machine=machine(), versions=versions(tools))
        with advisory_server.serve(export) as server:
            setting = Setting(
                tools=tools,
                folder=folder,
                advisories=export,
                server=server,
                repeat=arguments.repeat,
                sample=arguments.sample,
                contest=not arguments.alone,
            )
            for name in arguments.only or _PARTS:
                load = os.getloadavg()[0]  # before it: a part makes a load of its own
                part = replace(_part(name, setting), name=name, facts={**facts, "load before": f"{load:.1f}"})
                if len(arguments.only or _PARTS) > 1:
                    print(tables.text([part]), flush=True)
                results = replace(results, parts=[*results.parts, part])
                _write(arguments, results)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def _part(name: str, setting: Setting) -> Part:
    try:
        return _PARTS[name](setting, _say)
    except BenchError as error:
        return Part(name=name, failure=str(error))


def _write(arguments: argparse.Namespace, results: Results) -> None:
    if arguments.json:
        arguments.json.write_text(tables.as_json(results), encoding="utf-8")
    if arguments.chart:
        arguments.chart.write_text(chart(results.rows, title="Wall time of a build"), encoding="utf-8")
    if arguments.results:
        picture = os.path.relpath(arguments.chart, arguments.results.parent) if arguments.chart else None
        arguments.results.write_text(tables.markdown(results, command=_COMMAND, chart=picture), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
