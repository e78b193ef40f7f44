"""One file per way of writing a verdict; each ends in its REPORT constant.

A report is found because its file stands in this folder; the files beside it without that constant are what the reports
share. Nothing is imported before somebody asks for a report, and nothing outside our wheel is loaded.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from shipsafe.errors import ConfigError

if TYPE_CHECKING:  # `shipsafe.__main__` comes through here on its way to `escape`
    from shipsafe.model.report import Report


@cache
def all_reports() -> Mapping[str, "Report"]:
    """Every report by its id, in the order of ids."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    reports: list[Report] = [module.REPORT for module in modules if hasattr(module, "REPORT")]
    return MappingProxyType({report.id: report for report in sorted(reports, key=lambda report: report.id)})


def names() -> tuple[str, ...]:
    """The ids of all reports, sorted: what `--format` can be."""
    return tuple(all_reports())


def load(name: str) -> "Report":
    """The report of that id.

    Raises:
        ConfigError: there is none.
    """
    reports = all_reports()
    if name not in reports:
        near = difflib.get_close_matches(name, reports, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise ConfigError(f"There is no report `{name}`.", remedy=f"{hint}Choose one of: {', '.join(reports)}.")
    return reports[name]
