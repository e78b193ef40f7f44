"""The link `provenance`: who built the zip, from what, and whether the release manifest says the same of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shipsafe.errors import ShipsafeError
from shipsafe.evidence.facts import built
from shipsafe.evidence.predicates import check
from shipsafe.evidence.provenance import LOCAL, SAID
from shipsafe.model.audit import Built
from shipsafe.model.chain import Link
from shipsafe.packing.release import Release
from shipsafe.verify import links
from shipsafe.verify.proof import Proof
from shipsafe.verify.zip_contents import Contents

_REMEDY = "Somebody changed the release manifest: find out who, and build again."
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a provenance is held against: a manifest, its entry as it stands there, and the contents; each None where it is not there."""

    release: Release | None
    entry: Mapping[str, Any] | None
    contents: Contents | None
    shown: str


def provenance_link(proof: Proof, about: About) -> Link:
    """The link of one zip; what is vouched for is in `proof`."""
    link = proof.link(links.PROVENANCE)
    if link is None or proof.provenance is None:
        return link or links.broken(links.PROVENANCE, "There is no provenance of it.", path=about.shown)
    statement = proof.provenance.statement
    try:
        check(statement.kind, statement.predicate, shown=about.shown)
    except ShipsafeError as error:
        return links.of_error(links.PROVENANCE, error)
    if other := next(_differences(statement.predicate, about), None):
        what, stated, there = other
        return links.broken(links.PROVENANCE, what, expected=stated[:_LONGEST], found=there[:_LONGEST], remedy=_REMEDY, path=about.shown)
    told = built(statement)
    notes = [*link.notes]
    if not told.commit:
        notes.append("The builder names no commit, so that nothing says which source it was.")
    elif told.dirty is not False:
        notes.append("What was built differs from the commit." if told.dirty else "The builder could not say whether it is the commit.")
    return replace(link, sentence=f"{link.sentence} Built from {_source(told)} by {_builder(told)}.", notes=tuple(notes))


def _source(told: Built) -> str:
    folder = told.source.removeprefix("file:")
    if folder == told.source:  # the URL of a repository names the commit itself
        return told.source or "a source that it does not name"
    where = "a folder" if folder in ("", ".") else f"the folder {folder}"
    return f"{where} at commit {told.commit[:12]}" if told.commit else where


def _builder(told: Built) -> str:
    return f"a builder without a name ({LOCAL})" if told.builder == LOCAL else told.builder


def _differences(predicate: Mapping[str, Any], about: About) -> Iterator[tuple[str, str, str]]:
    yield from _of_contents(predicate, about.contents)
    if about.entry is not None and about.release is not None:
        yield from _of_manifest(predicate, about.entry, about.release)


def _of_contents(predicate: Mapping[str, Any], contents: Contents | None) -> Iterator[tuple[str, str, str]]:
    stated = predicate["buildDefinition"].get("internalParameters", {}).get("contentDigest")
    if contents is not None and contents.zipped.signature is None and stated is not None and stated != contents.content_digest:
        yield "The builder states other contents than lie in the zip.", str(stated), contents.content_digest


def _members(name: str, stated: Any, there: Any) -> Iterator[tuple[str, Any, Any]]:
    """A value with its name, or each member of a mapping with its own."""
    if isinstance(stated, Mapping) and isinstance(there, Mapping):
        yield from ((member, stated.get(member), there.get(member)) for member in {**stated, **there})
    else:
        yield name, stated, there


def _of_manifest(predicate: Mapping[str, Any], entry: Mapping[str, Any], release: Release) -> Iterator[tuple[str, str, str]]:
    """Where the manifest says something else: what it says, the builder has to vouch for."""
    definition = predicate["buildDefinition"]
    outer = definition["externalParameters"]
    artifact = outer["artifact"]
    pairs = [pair for name in SAID for pair in _members(name, artifact.get(name), entry.get(name))]
    pairs.append(("prebuilt", artifact.get("prebuilt"), entry["source"] == "prebuilt"))
    pairs += [(name, outer.get(name), release.document[name]) for name in ("project", "template")]
    pairs.append(("policy", outer.get("policy", {}).get("digest"), release.document["policy"]["digest"]))
    dependencies = definition.get("resolvedDependencies", ())
    commit = next((one["digest"]["gitCommit"] for one in dependencies if "gitCommit" in one.get("digest", {})), None)
    pairs.append(("commit", commit, release.document["source"]["commit"]))
    locks = {(one.get("name"), one.get("digest", {}).get("sha256")) for one in dependencies}
    missing = [lock["path"] for lock in entry["locks"] if (lock["path"], lock["sha256"]) not in locks]
    pairs.append(("locks", [], missing))
    for name, stated, there in pairs:
        if stated != there:
            yield f"The release manifest says of it, as its {name}, something else than the builder states.", str(stated), str(there)
