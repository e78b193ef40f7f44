"""Rules about what another tool built, for the gates `package` and `dependencies`.

What shipsafe builds it installs from wheels whose hashes the lock has. Of what another tool built two things can be seen as it lies:
whether a file is still what its distribution's RECORD says, and whether the versions are those of the lock. Neither proves where a file
came from, so a policy may ask for more, or refuse such builds altogether:

    prebuilt = "prove"       # compares every file with the source and with the wheels of the lock
    prebuilt = "refuse"      # `strict` says so
"""

from collections.abc import Iterable, Iterator

from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import Inquiry
from shipsafe.model.location import Location
from shipsafe.model.project import Function, Subject
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Entry, Origin, ProblemKind, Source, StagedTree

_SHOWN = 5
_COMPILED = (".pyc", ".pyo")
_LAYER = "python/"  # of a layer, what Python has on its path
_GUIDE = "https://packaging.python.org/en/latest/specifications/recording-installed-packages/"

REFUSED = Rule(
    id="package/prebuilt",
    severity=Severity.HIGH,
    summary="The package was built by another tool, which the policy refuses.",
    remedy="Let shipsafe build it: leave --prebuilt out, or point the function's code at its source.",
    why='Whoever could write to the folder of a build could change what ships. `prebuilt = "prove"` takes only builds of which every '
    "file is the source's or a verified wheel's, and `refuse`, which `strict` says, takes none; a waiver says which one is trusted, by "
    "whom and until when.",
    bad="shipsafe build --prebuilt .aws-sam/build      # under `strict`",
    good="shipsafe build",
    references=("https://slsa.dev/spec/v1.1/threats",),
)
MODIFIED = Rule(
    id="package/modified-dependency",
    severity=Severity.HIGH,
    summary="A file of a dependency is not the one that was published.",
    remedy="Find out who changed it; build again from a clean folder. Where it is patched on purpose, waive it with the reason.",
    why="Every wheel lists its files with their hashes. A file that differs was changed after the installation: by a patch that the next "
    "update loses, or by somebody who hides code where nobody reads it. It is linted as code.",
    bad="requests/api.py          # RECORD: sha256=Xk0...   the file: sha256=9fQ...",
    good="requests/api.py          # as published",
    references=(_GUIDE,),
)
LOCK_MISMATCH = Rule(
    id="package/lock-mismatch",
    severity=Severity.HIGH,
    summary="The build holds other dependencies than the lock.",
    remedy="Build again from the lock, and delete what an older build has left.",
    why="The lock is what was reviewed. A build with another version, or with a distribution that the lock does not know, was made of "
    "something else: an old checkout, a tool that reads another file, or a hand that added to it.",
    bad="requirements.txt: jinja2==3.1.6      # and jinja2-3.1.2.dist-info in the build",
    good="requirements.txt: jinja2==3.1.6      # and jinja2-3.1.6.dist-info in the build",
    references=("https://packaging.python.org/en/latest/specifications/pylock-toml/",),
)
COMPILED = Rule(
    id="package/compiled-python",
    severity=Severity.HIGH,
    summary="The package holds compiled Python that nobody can look into.",
    remedy="Zip it again without: `zip -x '*.pyc'`, `pip install --no-compile`, or let shipsafe build it, which leaves it out.",
    why="Python runs a compiled file in the place of the source beside it, as long as a few bytes at its beginning say that they belong "
    "together; what was linted need not be what runs. What a wheel itself brings, and its RECORD names with a hash, is the wheel's.",
    bad="__pycache__/app.cpython-313.pyc      # in the zip, beside app.py",
    good="app.py                               # Lambda compiles it when it starts",
    references=("https://docs.python.org/3/reference/import.html#pyc-invalidation",),
)
UNPROVEN = Rule(
    id="dependencies/unproven",
    severity=Severity.LOW,
    summary="Another tool installed the dependencies, and nothing proves that they are the index's.",
    remedy='Let shipsafe install them where it can, or compare them with the wheels of the lock: `prebuilt = "prove"` in shipsafe.toml.',
    why="Advisories are asked about the versions that the metadata names. The wheels are gone, so their hashes cannot be compared with "
    "those of the lock, and whoever could write to the build could write its metadata, too.",
    bad="shipsafe build --prebuilt .aws-sam/build",
    good="shipsafe build",
    references=(_GUIDE,),
)
PACKAGE_RULES = (REFUSED, MODIFIED, LOCK_MISMATCH, COMPILED)
_BY_PROBLEM = {
    ProblemKind.MODIFIED: MODIFIED,
    ProblemKind.LOCK_MISMATCH: LOCK_MISMATCH,
    ProblemKind.NOT_INSTALLED: LOCK_MISMATCH,
}
# Lambda's Python runtimes have these, so tools leave them out on purpose.
# https://docs.aws.amazon.com/lambda/latest/dg/python-package.html, "Runtime dependencies in Python"
_IN_RUNTIME = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})


def package_findings(inquiry: Inquiry) -> Iterator[Finding]:
    """What the gate `package` says of a build: whether it is refused, what was changed, and what is not as locked."""
    subject, tree = inquiry.subject, inquiry.staged
    if subject.is_python and (subject.code.prebuilt or tree.prebuilt):
        yield from _refused(inquiry)
    if subject.is_python:
        yield from _compiled(subject, tree)
    elsewhere = _in_layers(inquiry)
    for problem in tree.problems:
        if problem.kind not in _BY_PROBLEM or (problem.kind is ProblemKind.NOT_INSTALLED and problem.key in elsewhere):
            continue
        rule = _BY_PROBLEM[problem.kind]
        severity = (
            Severity.MEDIUM if problem.kind is ProblemKind.NOT_INSTALLED and _may_be_elsewhere(problem.key, subject) else rule.severity
        )
        yield _finding(rule, subject, problem.message, problem.key, location=problem.location, severity=severity)


def _refused(inquiry: Inquiry) -> Iterator[Finding]:
    subject, tree, policy = inquiry.subject, inquiry.staged, inquiry.policy
    built = f"{subject.name} was built by another tool: {subject.code.path}"
    if policy.refuses_prebuilt or (policy.proves_prebuilt and tree.prebuilt):  # of a zip that was not named nothing is compared
        yield _finding(REFUSED, subject, f"{built}.", "prebuilt")
    elif policy.proves_prebuilt and tree.unproven:
        files = f"{len(tree.unproven)} of its files are neither the source's nor those of a wheel whose hash stands in the lock"
        yield _finding(REFUSED, subject, f"{built}, and {files}: {_some(tree.unproven)}.", "prebuilt")


def _compiled(subject: Subject, tree: StagedTree) -> Iterator[Finding]:
    """One finding for each top-level folder or file: there may be thousands."""
    found: dict[str, list[Entry]] = {}
    for entry in tree.entries:
        if entry.origin is Origin.CODE and entry.path.endswith(_COMPILED):
            prefix = _LAYER if entry.path.startswith(_LAYER) else ""
            top, slash, _ = entry.path.removeprefix(prefix).partition("/")
            found.setdefault(f"{prefix}{top}{slash}", []).append(entry)
    for top, entries in found.items():
        message = f"Nobody can look into compiled Python, and no RECORD names it: {_some(entry.path for entry in entries)}."
        yield _finding(COMPILED, subject, message, top, location=entries[0].location)


def unproven(tree: StagedTree, subject: Subject) -> Iterator[Finding]:
    """One finding for all distributions that another tool installed."""
    names = [f"{one.name} {one.version}" for one in tree.distributions if one.source is Source.PREBUILT]
    if not names:
        return
    agrees = f"; the versions are those of {tree.agrees_with}" if tree.agrees_with else ""
    message = f"Another tool installed {_some(names)}{agrees}, and nothing proves that the files are the index's."
    yield _finding(UNPROVEN, subject, message, "prebuilt")


def unidentified(inquiry: Inquiry) -> Iterator[tuple[Distribution, str]]:
    """Distributions of the lock that may be in the build without their metadata, and the reason why nobody can look them up."""
    elsewhere = _in_layers(inquiry)
    for problem in inquiry.staged.problems:
        if problem.kind is ProblemKind.UNIDENTIFIED and problem.key not in elsewhere:
            one = Distribution(name=problem.key, version=None, source=Source.PREBUILT, location=problem.location)
            yield one, problem.message


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _in_layers(inquiry: Inquiry) -> set[str]:
    """What the function has in a layer of the project need not be in it."""
    return {one.name for layer in inquiry.layer_trees for one in layer.distributions}


def _may_be_elsewhere(name: str, subject: Subject) -> bool:
    """Whether what is not in the package may be in the runtime, or in a layer that is not here; a layer may rely on its functions."""
    if not isinstance(subject, Function):
        return True
    return name in _IN_RUNTIME or any(ref.local is None for ref in subject.layers)


def _finding(
    rule: Rule, subject: Subject, message: str, key: str, *, location: Location | None = None, severity: Severity | None = None
) -> Finding:  # fmt: skip
    return Finding(
        rule=rule.id,
        subject=subject.subject,
        message=message,
        remedy=rule.remedy,
        severity=severity or rule.severity,
        location=location or subject.location,
        key=key,
        references=rule.references,
    )
