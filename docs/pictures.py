"""Take the README's pictures: two real runs on the examples, as the terminal shows them. Needs the package registry.

python docs/pictures.py
"""

import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console

from shipsafe.reports.json_report import read
from shipsafe.reports.text import screen

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write docs/images/build-pass.svg and build-fail.svg."""
    for name, picture in (("orders", "build-pass"), ("orders-broken", "build-fail")):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "shipsafe", "build", f"examples/{name}", "--format", "json", "--quiet", "--out", out]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        console = Console(record=True, width=112, force_terminal=True, color_system="truecolor", file=StringIO())
        screen(read(done.stdout), console, quiet=False, verbose=False)
        target = ROOT / "docs" / "images" / f"{picture}.svg"
        target.parent.mkdir(exist_ok=True)
        target.write_text(console.export_svg(title=f"shipsafe build examples/{name}", unique_id=picture))


if __name__ == "__main__":
    main()
