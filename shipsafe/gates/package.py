"""What ships will start, fits, and holds nothing that should not leave the house.

Asked of the staged tree, file by file, without running any of it. Functions in other languages are asked what applies to them.

Bad:  a `.env`, a library for another processor, a handler that is not there.
Good: what the function needs, for its runtime, locked.

Reference: AWS, "Lambda quotas" and "Working with .zip file archives for Python Lambda functions".
"""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version

from shipsafe.adapters.files import disk_errors
from shipsafe.gates.prebuilt import PACKAGE_RULES, package_findings
from shipsafe.gates.size import TOO_LARGE, size_findings
from shipsafe.model.finding import Effect, Finding, Rule
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.project import Function, Subject, unsaid
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Origin, ProblemKind, Source, StagedTree
from shipsafe.packing.handler import Answer, find
from shipsafe.packing.platform_fit import examine
from shipsafe.packing.runtimes import MACHINES, lookup
from shipsafe.packing.secret_files import published_secret_in, repository_of, secret_in
from shipsafe.packing.startup_hooks import hook_in

_ID = "package"
_SHOWN = 5  # files named in a reason; the rest are counted
_PACKAGES = "https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"

HANDLER_MISSING = Rule(
    id="package/handler-missing",
    severity=Severity.HIGH,
    summary="The handler is not in the package.",
    remedy="Correct `Handler`, or add the function to its module.",
    why="Lambda looks for the handler when the first event comes. What is missing then fails in production, not in the build. It is "
    "looked for by parsing; nothing is imported.",
    bad="Handler: main.run      # and there is only app.py",
    good="Handler: app.handler   # app.py has `def handler(event, context)`",
    references=("https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html",),
)
WRONG_PLATFORM = Rule(
    id="package/wrong-platform",
    severity=Severity.HIGH,
    summary="Native code in the package was built for another processor, system, GLIBC or Python.",
    remedy="Install the dependency for the function's runtime and architecture, or correct `Architectures` and `Runtime`.",
    why="A library for another platform fails when it is imported, with an error that names neither. It usually comes from a build "
    "on a laptop, or from a library that was copied into the code.",
    bad="Architectures: [arm64]   # and _pixels.so is for x86_64",
    good="Architectures: [x86_64]",
    references=(_PACKAGES,),
)
SECRET_FILE = Rule(
    id="package/secret-file",
    severity=Severity.CRITICAL,
    summary="The package holds a file of secrets.",
    remedy="Take it out of the code folder or name it in .shipsafeignore, and replace the secret: it was about to be shipped.",
    why="Everybody who may read the function's code, its bucket or an old version of it can read the file, for ever.",
    bad="src/pay/.env",
    good="Environment:\n  Variables:\n    TOKEN: '{{resolve:secretsmanager:payments:SecretString:token}}'",
    references=("https://cwe.mitre.org/data/definitions/538.html",),
)
STARTUP_HOOK = Rule(
    id="package/startup-hook",
    severity=Severity.HIGH,
    summary="A file runs code whenever Python starts.",
    remedy="Leave the file out with .shipsafeignore, replace the dependency that brings it, or waive it with the reason why it is needed.",
    why="`.pth` files, `sitecustomize` and `usercustomize` run before the handler, in every function that has them on its path, and "
    "no import mentions them. Malicious releases have used them to run without being called.",
    bad="legacy.pth:\n  import legacy_startup",
    good="app.py:\n  import legacy_startup",
    references=("https://docs.python.org/3/library/site.html",),
)
ESCAPING_LINK = Rule(
    id="package/escaping-link",
    severity=Severity.HIGH,
    summary="A link in the code leads out of the project; it is not shipped.",
    remedy="Put the file into the project, or remove the link.",
    why="What it leads to differs from machine to machine, and may be a file that nobody meant to ship.",
    bad="settings.json -> /etc/app/settings.json",
    good="settings.json",
    references=("https://cwe.mitre.org/data/definitions/59.html",),
)
NAME_COLLISION = Rule(
    id="package/name-collision",
    severity=Severity.MEDIUM,
    summary="Two files want the same path in the package.",
    remedy="Rename one of them.",
    why="One file hides the other: code replaces a file of a dependency, or two names differ only in case and become one file on "
    "another system. What runs is then not what either author wrote.",
    bad="requests/__init__.py in the code, and requests in requirements.txt",
    good="http_helpers/__init__.py",
    references=("https://docs.python.org/3/tutorial/modules.html#the-module-search-path",),
)
UNLOCKED = Rule(
    id="package/unlocked",
    severity=Severity.MEDIUM,
    summary="Dependencies are installed without a lock or hashes.",
    remedy="Lock them: `uv pip compile --generate-hashes requirements.in -o requirements.txt`, or `uv lock`.",
    why="Without exact versions and hashes, the next build can ship other code than the one that was audited, chosen by whoever "
    "answers for the index on that day.",
    bad="requests>=2.30",
    good="requests==2.32.5 \\\n    --hash=sha256:...",
    references=("https://packaging.python.org/en/latest/specifications/pylock-toml/",),
)
_BY_PROBLEM = {
    ProblemKind.ESCAPING_LINK: ESCAPING_LINK,
    ProblemKind.NAME_COLLISION: NAME_COLLISION,
    ProblemKind.UNLOCKED: UNLOCKED,
}


def run(inquiry: Inquiry) -> Outcome:
    """Ask about the staged tree of one function or layer.

    Raises:
        IncompleteError: a staged file cannot be read.
    """
    tree, subject = inquiry.staged, inquiry.subject
    findings: list[Finding] = []
    notes = list(tree.notes)
    unread: list[str] = []
    if subject.runtime is None:
        unread += [why for field in ("runtime", "runtimes") if (why := unsaid(subject, field))]
    with disk_errors(tree.root):
        findings += _problems(tree, subject, unread)
        findings += package_findings(inquiry)
        findings += _handler(inquiry, notes, unread)
        natives = _platform(tree, subject, findings, notes, unread)
        findings += _secrets(tree, subject)
        findings += _hooks(tree, subject)
    findings += size_findings(inquiry, notes)
    if unread:
        more = f" And {len(unread) - _SHOWN} more." if len(unread) > _SHOWN else ""
        return Outcome.unanswered(_ID, subject.subject, " ".join(unread[:_SHOWN]) + more, findings, notes=notes)
    evidence = {
        "files": len(tree.entries),
        "unzipped": tree.size,
        "unzipped_with_layers": sum(one.size for one in (tree, *inquiry.layer_trees)),
        "native": natives,
        "content_digest": tree.content_digest,
    }
    return Outcome.answered(_ID, subject.subject, findings, notes=notes, evidence=evidence)


def _inputs(_: Inquiry) -> object:
    """Nothing but the trees and the subject, and who reads native code."""
    return {"pyelftools": version("pyelftools")}


def _problems(tree: StagedTree, subject: Subject, unread: list[str]) -> Iterator[Finding]:
    """What staging saw."""
    for problem in tree.problems:
        if problem.kind is ProblemKind.UNREADABLE:
            unread.append(problem.message)
        elif problem.kind in _BY_PROBLEM:
            yield _finding(_BY_PROBLEM[problem.kind], subject, problem.message, problem.location, problem.key)


def _handler(inquiry: Inquiry, notes: list[str], unread: list[str]) -> Iterator[Finding]:
    function = inquiry.subject
    if not isinstance(function, Function):
        return
    if function.runtime is None:
        return
    if function.handler is None:
        unread.append(unsaid(function, "handler") or f"The handler of {function.name} is not known: the template names none.")
        return
    runtime = lookup(function.runtime)
    found = find(function.runtime, function.handler, inquiry.staged, inquiry.layer_trees, python=runtime.python if runtime else None)
    if found.answer is Answer.MISSING and not found.module_found and _has_layers_elsewhere(inquiry, function):
        notes.append(f"{found.message} It may be in a layer that is not part of this project.")
    elif found.answer in (Answer.MISSING, Answer.UNREAD):
        place = function.places.get("handler", function.location)
        if found.entry is not None and found.entry.location is not None:
            place = replace(found.entry.location, line=found.line or found.entry.location.line)
        finding = _finding(HANDLER_MISSING, function, found.message, place, function.handler)
        yield finding if found.answer is Answer.MISSING else replace(finding, effect=Effect.INCOMPLETE)
    elif found.answer is Answer.UNKNOWN:
        notes.append(found.message)


def _platform(tree: StagedTree, subject: Subject, findings: list[Finding], notes: list[str], unread: list[str]) -> int:
    """Look at native code, and give the number of native files."""
    runtime = lookup(subject.runtime or "")
    fit = examine(tree.entries, architectures=_architectures(subject), runtime=runtime)
    if fit.natives and not subject.architectures and (why := unsaid(subject, "architectures")):
        unread.append(why)
    findings += [_finding(WRONG_PLATFORM, subject, f"{one.entry.path} {one.reason}.", one.entry.location, one.key) for one in fit.misfits]
    unread += fit.unread
    if fit.spare:
        notes.append(f"{fit.spare} native files are for other platforms, beside others that fit; they only take room.")
    if fit.natives and runtime is None:
        notes.append(f"What GLIBC {subject.runtime or 'the runtime'} has is not known, so that was not compared.")
    return fit.natives


def _has_layers_elsewhere(inquiry: Inquiry, function: Function) -> bool:
    """Whether the function uses a layer whose files are not here."""
    here = {tree.subject for tree in inquiry.layer_trees}
    return any(ref.local is None or f"layer:{ref.local}" not in here for ref in function.layers)


def _architectures(subject: Subject) -> tuple[str, ...]:
    """The processors that are right; a layer that names none may be meant for either, and so may a function of which nobody says it."""
    if subject.architectures:
        return subject.architectures
    chosen = None if isinstance(subject, Function) else subject.build_architecture
    return (chosen,) if chosen else tuple(MACHINES)


def _secrets(tree: StagedTree, subject: Subject) -> Iterator[Finding]:
    published = {path for one in tree.distributions if one.source is not Source.LOCAL for path in one.paths}
    repositories: set[str] = set()
    for entry in tree.entries:
        if entry.origin is Origin.CODE and entry.path not in published:
            what = secret_in(entry)
            repository = repository_of(entry.path)
            if repository and repository in repositories:
                continue  # one finding for a repository, not one for each of its objects
            repositories |= {repository} if repository else set()
            if what:
                yield _finding(SECRET_FILE, subject, f"{entry.path} {what}.", entry.location, entry.path)
        elif what := published_secret_in(entry):
            message = f"{entry.path} {what}; its publisher has made it public."
            yield replace(_finding(SECRET_FILE, subject, message, entry.location, entry.path), severity=Severity.LOW)


def _hooks(tree: StagedTree, subject: Subject) -> Iterator[Finding]:
    owners = {path: distribution.name for distribution in tree.distributions for path in distribution.paths}
    for entry in tree.entries if subject.is_python else ():
        if hook := hook_in(entry):
            owner = owners.get(entry.path)
            brought = f" {owner} brings it." if owner else ""
            found = _finding(STARTUP_HOOK, subject, f"{entry.path} {hook.what}.{brought}", entry.location, entry.path)
            yield found if hook.runs else replace(found, severity=Severity.LOW)


def _finding(rule: Rule, subject: Subject, message: str, location: Location | None, key: str) -> Finding:
    return Finding(
        rule=rule.id,
        subject=subject.subject,
        message=message,
        remedy=rule.remedy,
        severity=rule.severity,
        location=location or subject.location,
        key=key,
        effect=rule.effect,
        references=rule.references,
    )


GATE = Gate(
    id=_ID,
    title="Will it start, does it fit, and does it hold nothing that should stay here?",
    rules=(HANDLER_MISSING, WRONG_PLATFORM, TOO_LARGE, SECRET_FILE, STARTUP_HOOK, ESCAPING_LINK, NAME_COLLISION, UNLOCKED, *PACKAGE_RULES),
    run=run,
    inputs=_inputs,
)
