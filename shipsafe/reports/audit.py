"""An audit for people: a block of lines for each release, or Markdown with a table of them.

Everything in it may come from whoever could write into the store: it is escaped where it is shown.
"""

from collections.abc import Iterable, Iterator

from shipsafe.model.audit import Audit, AuditedRelease, Built, Checked, Decided, Deployed, Standing, WaivedFinding
from shipsafe.model.override import Override
from shipsafe.model.signing import SignedArtifact
from shipsafe.reports.escape import for_markdown
from shipsafe.reports.tally import count

_WIDTH = 9  # of the word before a line
_COMMIT = 12  # characters of a commit in a table


def text_lines(audit: Audit) -> Iterator[str]:
    """The audit, as a person reads it; what prints the lines escapes them."""
    yield f"Evidence in {audit.store}{_days(audit)}: {count(len(audit.releases), 'release')}{_left_out(audit)}"
    yield f"policy: {audit.policy or 'none of the project'} ({audit.policy_digest})"
    yield from audit.notes
    for release in audit.releases:
        yield ""
        yield f"{release.name or 'a zip that nothing names'}  sha256:{release.sha256}"
        yield from (f"  {word:<{_WIDTH}} {line}" for word, line in _facts(release))
    yield ""
    yield f"{summary(audit)} exit {int(audit.exit_code)}"


def summary(audit: Audit) -> str:
    """How the statements stand, in one sentence."""
    checked = [one for release in audit.releases for one in release.statements]
    counts = {standing: sum(one.standing is standing for one in checked) for standing in Standing}
    words = {
        Standing.VOUCHED: "vouched for by trusted keys",
        Standing.UNVOUCHED: "that nobody vouches for",
        Standing.REFUSED: "refused",
        Standing.UNREAD: "that could not be read",
    }
    said = ", ".join(f"{counts[standing]} {word}" for standing, word in words.items() if counts[standing])
    return f"{count(len(checked), 'statement')}: {said}." if checked else "There is nothing to audit."


def _facts(release: AuditedRelease) -> Iterator[tuple[str, str]]:
    """Lines with the word before them: what is told, and what is missing."""
    yield from (("built", built(one)) for one in release.built)
    if not release.built:
        yield "built", "no provenance that counts"
    yield from (("decided", decided(one)) for one in release.decided)
    if not release.decided:
        yield "decided", "no statement of the gates that counts"
    yield from (("override", overridden(one)) for one in release.overridden)
    yield from (("waived", waived(one)) for one in waivers(release))
    yield from (("signed", signed(one)) for one in release.signed)
    if not release.signed:
        yield "signed", "no signing record that counts"
    yield from (("deployed", deployed(one)) for one in release.deployed)
    for one in release.statements:
        yield str(one.standing) if one.problem else "stated", checked(one)


def built(one: Built) -> str:
    """Commit, whether the tree was changed, where from and by whom."""
    state = {True: ", changed since", False: "", None: ", changed or not is not known"}[one.dirty]
    return f"commit {one.commit or 'not known'}{state}, {one.source or 'no source named'}, by {one.builder or 'nobody named'}"


def decided(one: Decided) -> str:
    """The decision, who asked, and under which policy."""
    return f"{one.decision or 'nothing'}, asked by the {one.asked_by or 'unknown'}, under policy {one.policy_digest or 'not named'}"


def overridden(one: Override) -> str:
    """Who let it through although its gates did not, why, and what."""
    more = f" and {len(one.over) - 1} more" if len(one.over) > 1 else ""
    return f"{one.sentence} It lets through: {one.over[0] if one.over else 'nothing that it names'}{more}"


def waivers(release: AuditedRelease) -> tuple[WaivedFinding, ...]:
    """Each waived finding once, although builder and signer both tell it."""
    return tuple(dict.fromkeys(one for decision in release.decided for one in decision.waived))


def waived(one: WaivedFinding) -> str:
    """What was allowed, until when, why, and who answers for it."""
    until = f" until {one.expires}" if one.expires else ""
    fixed = " until fixed" if one.until_fixed else ""
    return f"{one.rule} at {one.subject}{until}{fixed}: {one.reason or 'no reason'} ({one.owner or 'no owner'})"


def signed(one: SignedArtifact) -> str:
    """When, where, by which job of which profile version, and what came of it."""
    when, until = f"{one.signed_at:%Y-%m-%d %H:%M} UTC", f"{one.expires:%Y-%m-%d}"
    return (
        f"{when} at {one.target}: account {one.account}, {one.region}, {one.profile_version}, job {one.job}, "
        f"CodeSha256 {one.code_sha256}, until {until}, root: {one.trust}"
    )


def deployed(one: Deployed) -> str:
    """What runs where, as far as the record says it."""
    what = (one.function, one.version and f"version {one.version}", one.alias and f"alias {one.alias}", one.account, one.region, one.at)
    how = (
        one.stage and f"stage {one.stage}",
        one.ending not in ("", "deployed") and one.ending,
        one.override and f"OVERRIDDEN: {one.override}",
    )
    parts = (*what, *how)
    return ", ".join(part for part in parts if part) or "a record that names nothing"


def checked(one: Checked) -> str:
    """Whose word a statement is, or why it does not count."""
    who = {
        Standing.VOUCHED: f"vouched for by {', '.join(one.by)}",
        Standing.UNVOUCHED: "nobody vouches for it, and the policy takes it",
    }.get(one.standing, f"{one.problem} ({one.shown})")
    return f"{one.kind}{f' of the {one.role}' if one.role else ''}: {who}"


def markdown(audit: Audit) -> str:
    """A table of releases, then what was waived, and what does not count."""
    lines = [f"## Releases in {for_markdown(audit.store)}{_days(audit)}", "", f"{for_markdown(summary(audit))}{_left_out(audit)}", ""]
    lines += [*(f"{for_markdown(note)}" for note in audit.notes), ""]
    if audit.releases:
        lines += ["| release | commit | builder | verdict | waivers | signed | deployed | evidence |", "|---|---|---|---|---|---|---|---|"]
        lines += [_row(release) for release in audit.releases]
    lines += _section("Overridden", (f"{release.name}: {overridden(one)}" for release in audit.releases for one in release.overridden))
    lines += _section("Waivers", (f"{release.name}: {waived(one)}" for release in audit.releases for one in waivers(release)))
    problems = (
        f"{release.name or release.sha256}: {checked(one)}" for release in audit.releases for one in release.statements if one.problem
    )
    lines += _section("Does not count", problems)
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(release: AuditedRelease) -> str:
    cells = (
        [f"{release.name or '?'} {release.sha256[:_COMMIT]}"],
        [f"{one.commit[:_COMMIT] or '?'}{ {True: ' (changed)', None: ' (?)'}.get(one.dirty, '') }" for one in release.built],
        [one.builder for one in release.built],
        [f"{one.decision} ({one.asked_by})" for one in release.decided],
        [str(len(waivers(release)))],
        [f"{one.signed_at:%Y-%m-%d} {one.account} {one.region} {one.profile_version.rpartition(':')[2]}" for one in release.signed],
        [f"{one.function} {one.version} {one.at}" for one in release.deployed],
        [str(release.standing)],
    )
    return f"| {' | '.join('<br>'.join(map(for_markdown, cell)) or '-' for cell in cells)} |"


def _section(title: str, found: Iterable[str]) -> list[str]:
    lines = [f"- {for_markdown(one, 1000)}" for one in found]
    return ["", f"### {title}", "", *lines] if lines else []


def _days(audit: Audit) -> str:
    since = f" from {audit.since}" if audit.since else ""
    return f"{since}{f' until {audit.until}' if audit.until else ''}"


def _left_out(audit: Audit) -> str:
    return f" ({audit.left_out} signed on other days, or never)" if audit.left_out else ""
