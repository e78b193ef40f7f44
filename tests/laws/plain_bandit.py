"""Bandit as its own command line uses it: one run over a folder, with one configuration, and nothing shared between two runs.

A process of a fork server: the question names the folder, the configuration file in it or null, and whether `# nosec` counts.
"""

import os
from typing import Any

from bandit.core.config import BanditConfig  # type: ignore[import-untyped]  # has no types
from bandit.core.manager import BanditManager  # type: ignore[import-untyped]  # has no types

from shipsafe.adapters.forkserver import serve


def run(question: dict[str, Any]) -> dict[str, Any]:
    """Issues and skipped files of one run."""
    os.chdir(question["folder"])
    config = BanditConfig(question["config"])
    profile = {"include": set(config.get_option("tests") or ()), "exclude": set(config.get_option("skips") or ())}
    manager = BanditManager(config, "file", profile=profile, ignore_nosec=not question["honour"])
    manager.discover_files(["."], recursive=True)
    manager.run_tests()
    issues = [
        (one.fname.removeprefix("./"), one.lineno, one.col_offset, one.test_id, one.severity.lower(), one.confidence.lower(), one.text)
        for one in manager.get_issue_list()
    ]
    return {"issues": sorted(issues), "unread": sorted(name.removeprefix("./") for name, _ in manager.get_skipped())}


if __name__ == "__main__":
    serve(run)
