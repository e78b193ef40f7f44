"""What must hold of a function and of what is told of it, whatever went wrong on the way."""

from collections.abc import Iterator
from dataclasses import replace

from shipsafe.model.deployment import Ending
from tests.faults.place import Function, Ran, Site

_MOST = 2  # versions of the function, and of its layer: those of the first release and those of the second


def harmless(site: Site, start: Function) -> Iterator[str]:
    """What is wrong with what there is, whether a run has ended or not: callers reach what was signed, and nothing was made twice."""
    now, known = site.function(), set(site.codes().values())
    for version in now.reached:
        if now.versions[version][0] not in known:
            yield f"the alias leads to version {version}, which nobody signed"
    if now.alias is None or now.alias[0] not in ("1", "2"):
        yield f"the alias leads to {now.alias}"
    published = [value for number, value in now.versions.items() if number != "$LATEST"]
    if len(set(published)) != len(published) or len(published) > _MOST:
        yield f"a version was made twice: {now.versions}"
    if now.layers > _MOST:
        yield f"{now.layers} versions of the layer"
    if site.jobs() != site.signatures:
        yield f"{site.jobs()} signatures"
    if start.versions["1"] != now.versions["1"]:
        yield "version 1 is another"


def truthful(site: Site, start: Function, ran: Ran, *, before: Function | None = None) -> Iterator[str]:
    """What a run says that is not so. `before`: as it was before a deployment that the run went on with."""
    now, told = site.function(), ran.deployment
    ending = told.ending if told else None
    if ran.code not in (0, 4, 6):
        yield f"exit code {ran.code}"
    if (ran.code == 0) != (ending in (Ending.DEPLOYED, Ending.UNCHANGED) and told is not None and told.error is None):
        yield f"exit {ran.code} of {ending}"
    if told is not None and ending in (Ending.DEPLOYED, Ending.UNCHANGED):
        there = now.versions.get(told.version, ("", ()))[0]
        if now.alias != (told.version, {}) or there != site.codes()["second"]:
            yield f"it says {ending}, and the alias leads to {now.alias}"
    if ending is Ending.ROLLED_BACK and now.alias != (before or start).alias:
        yield f"it says {ending}, and the alias leads to {now.alias}"
    if ending in (Ending.REFUSED, None) and replace(now, layers=0, tags={}) != replace(start, layers=0, tags={}):
        yield f"it says that nothing was changed, and there is {now}, where there was {start}"
    if ending is Ending.UNFINISHED and (told is None or told.error is None or "shipsafe deploy" not in told.error.remedy):
        yield "it does not say what to run"


def ended(site: Site, again: Ran) -> Iterator[str]:
    """What is wrong after a run at which nothing went wrong."""
    now, codes = site.function(), site.codes()
    if again.code != 0:
        yield f"the next run does not end it: {again}"
        return
    if now.alias != ("2", {}) or now.versions["2"][0] != codes["second"] or now.versions["$LATEST"] != now.versions["2"]:
        yield f"there is {now}"
    if now.tags.get("shipsafe:step", "done 2") != "done 2":
        yield f"the tags say {now.tags['shipsafe:step']}"
    if (found := records(site)) != ["2"]:
        yield f"recorded are deployments of the versions {found}"


def records(site: Site) -> list[str]:
    """The versions that the bundle says went live; one whose record was lost gets it from the next run, to which it is unchanged."""
    from shipsafe.evidence.envelope import read_bundle, statement_of  # noqa: PLC0415 - securesystemslib, for those who look

    bundle = site.release / "Pay.intoto.jsonl"
    said = [statement_of(one, shown=bundle.name) for one in read_bundle(bundle.read_bytes(), shown=bundle.name)]
    told = [dict(one.predicate) for one in said if one.kind == "urn:shipsafe:deployment:v1"]
    return [str(one["version"]) for one in told if one["ending"] in (Ending.DEPLOYED, Ending.UNCHANGED)]
