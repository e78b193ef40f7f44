"""What a deployment says while it goes on, told as what becomes of each function: every line that it says begins with the name of one.

orders:live: 40 % of the calls go to version 8     ->     orders, live, 7 -> 8, 40 %, watched
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from threading import Lock

from shipsafe.deploy.plan import FunctionPlan
from shipsafe.model.deployment import WHOLE, Deployment, Ending
from shipsafe.reports.ship.view import Moving, View

_SHARE = re.compile(r"(?P<percent>\d{1,3}) % of the calls go to version (?P<version>\S+)")
_WELL = (Ending.DEPLOYED, Ending.UNCHANGED, Ending.HANDED_OVER)
_SHORT = {"code": "new code", "configuration": "new configuration", "publishing a version": "publishing"}


class Told:
    """Who is told each line of `deployed`, and tells a view. May be told by several threads."""

    def __init__(self, view: View, plans: Iterable[FunctionPlan]) -> None:
        self._view = view
        self._lock = Lock()
        self._rows = {
            one.name: Moving(function=one.name, alias=one.wanted.alias, before=one.before, version=one.version, state="waits")
            for one in plans
        }
        for row in self._rows.values():
            view.move(row)

    def say(self, line: str) -> None:
        """One line; one that is about no function is a remark."""
        head, _, rest = line.partition(": ")
        with self._lock:
            row = self._rows.get(head.partition(":")[0])
            if row is None:
                self._view.say(line)
                return
            self._rows[row.function] = row = _further(row, rest)
            self._view.move(row)

    def end(self, deployments: Iterable[Deployment]) -> None:
        """How each ended."""
        for one in deployments:
            row = self._rows[one.function]
            percent = {Ending.DEPLOYED: WHOLE, Ending.ROLLED_BACK: 0}.get(one.ending, row.percent) if row.percent is not None else None
            words = {Ending.UNCHANGED: "as it was", Ending.ROLLED_BACK: f"back at version {one.before or 'none'}"}
            state = words.get(one.ending, str(one.ending))
            self._view.move(replace(row, version=one.version, percent=percent, state=state, bad=one.ending not in _WELL, done=True))


def _further(row: Moving, said: str) -> Moving:
    share = _SHARE.match(said)
    if share:
        percent = int(share["percent"])
        return replace(row, percent=percent, version=share["version"], state="watched" if percent < WHOLE else "all calls")
    back = said.startswith("going back")
    return replace(row, state=_SHORT.get(said.partition(":")[0], said), bad=row.bad or back)
