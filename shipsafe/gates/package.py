"""What ships will start, fits, and holds nothing that should not leave the house.

Asked of the staged tree, file by file, without running any of it. Functions in other languages are asked what applies to them.

Bad:  a `.env`, a library for another processor, a handler that is not there.
Good: what the function needs, for its runtime, locked.

Reference: AWS, "Lambda quotas" and "Working with .zip file archives for Python Lambda functions".
"""

from collections.abc import Iterator

from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.project import Function, Subject
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Entry, ProblemKind, StagedTree
from shipsafe.packing.handler import Answer, find_python
from shipsafe.packing.native import Kind, inspect, python_abi
from shipsafe.packing.runtimes import Runtime, lookup
from shipsafe.packing.tripwires import secret, startup_hook

_UNZIPPED = 262_144_000  # bytes, layers included
_QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_PACKAGES = "https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"
_NODE = (".js", ".mjs", ".cjs")

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
TOO_LARGE = Rule(
    id="package/too-large",
    severity=Severity.HIGH,
    summary="The package and its layers are larger than Lambda takes.",
    remedy="Leave out what is not needed at run time (.shipsafeignore), or split the function.",
    why="Lambda refuses more than 250 MB unzipped, layers included. The 50 MB for direct uploads do not matter here: packages are "
    "deployed through S3.",
    references=(_QUOTAS,),
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
    """Ask about the staged tree of one function or layer."""
    tree, subject = inquiry.staged, inquiry.subject
    findings: list[Finding] = []
    notes: list[str] = []
    unread = [problem.message for problem in tree.problems if problem.kind is ProblemKind.UNREADABLE]
    findings += [
        _finding(rule, subject, problem.message, problem.location, problem.key)
        for problem in tree.problems
        if (rule := _BY_PROBLEM.get(problem.kind))
    ]
    findings += _handler(inquiry, notes, unread)
    findings += _native(tree, subject, unread)
    for entry in tree.entries:
        if what := secret(entry):
            findings.append(_finding(SECRET_FILE, subject, f"{entry.path} is {what}.", entry.location, entry.path))
        if what := startup_hook(entry):
            message = f"{entry.path} is {what}, which runs when Python starts."
            findings.append(_finding(STARTUP_HOOK, subject, message, entry.location, entry.path))
    findings += _size(inquiry)
    if unread:
        return Outcome.unanswered("package", subject.subject, " ".join(unread[:5]), findings, notes=notes)
    evidence = {"files": len(tree.entries), "unzipped": tree.size, "content_digest": tree.content_digest}
    return Outcome.answered("package", subject.subject, findings, notes=notes, evidence=evidence)


def _size(inquiry: Inquiry) -> Iterator[Finding]:
    trees = (inquiry.staged, *inquiry.layer_trees)
    total = sum(tree.size for tree in trees)
    if total > _UNZIPPED:
        parts = ", ".join(f"{tree.subject.partition(':')[2]} {tree.size / 1e6:.0f} MB" for tree in trees)
        message = f"{total / 1e6:.0f} MB unzipped ({parts}); Lambda takes {_UNZIPPED / 1e6:.0f} MB."
        yield _finding(TOO_LARGE, inquiry.subject, message, inquiry.subject.location, "unzipped")


def _handler(inquiry: Inquiry, notes: list[str], unread: list[str]) -> Iterator[Finding]:
    function = inquiry.subject
    if not isinstance(function, Function):
        return
    if function.handler is None:
        reason = next((one.reason for one in function.unresolved if one.field == "handler"), "the template names none")
        unread.append(f"The handler of {function.name} is not known: {reason.rstrip('.')}.")
        return
    place = function.places.get("handler", function.location)
    if function.is_python:
        yield from _python_handler(inquiry, function, function.handler, place, notes)
    elif (function.runtime or "").startswith("nodejs"):
        module = function.handler.rpartition(".")[0]
        paths = {entry.path for entry in inquiry.staged.entries}
        if not any(f"{module}{end}" in paths for end in _NODE) and not _has_foreign_layers(function):
            message = f"{function.handler} needs {module}.js, .mjs or .cjs, which is not in the package."
            yield _finding(HANDLER_MISSING, function, message, place, function.handler)
    else:
        notes.append(f"Whether {function.handler} is there is not looked at for {function.runtime}.")


def _python_handler(inquiry: Inquiry, function: Function, handler: str, place: Location, notes: list[str]) -> Iterator[Finding]:
    layers = [entry for tree in inquiry.layer_trees for entry in tree.entries]
    answer, entry, detail = find_python(handler, (*inquiry.staged.entries, *layers), ("", "python/"))
    message, where = "", place
    if answer is Answer.NO_MODULE:
        if _has_foreign_layers(function):
            notes.append(f"{detail}.py is not in the package; it may be in a layer that is not here.")
            return
        message = f"{handler} needs {detail}.py, which is not in the package."
    elif answer is Answer.NO_NAME:
        message = f"{entry.path if entry else handler} has no {detail!r} at its top level."
    elif answer is Answer.BROKEN:
        message, where = f"{entry.path if entry else handler} cannot be parsed: {detail}.", (entry and entry.location) or place
    elif answer is Answer.MALFORMED:
        message = f"{handler!r} is not of the form module.function."
    elif answer is Answer.UNCLEAR:
        notes.append(f"Whether {handler} is there cannot be told by parsing.")
    if message:
        yield _finding(HANDLER_MISSING, function, message, where, handler)


def _has_foreign_layers(function: Function) -> bool:
    return any(ref.local is None for ref in function.layers)


def _native(tree: StagedTree, subject: Subject, unread: list[str]) -> Iterator[Finding]:
    runtime = lookup(subject.runtime or "")
    architectures = subject.architectures or ("x86_64",)
    for entry in tree.entries:
        native = inspect(entry.source)
        if native is None:
            continue
        if native.kind is not Kind.ELF:
            yield _platform(subject, entry, f"{entry.path} is {native.kind}, native code for another system.")
            continue
        if native.problem:
            unread.append(f"{entry.path}: {native.problem}.")
            continue
        yield from _misfits(entry, native.machine, native.glibc, subject, architectures, runtime)


def _misfits(
    entry: Entry,
    machine: str | None,
    glibc: tuple[int, int] | None,
    subject: Subject,
    architectures: tuple[str, ...],
    runtime: Runtime | None,
) -> Iterator[Finding]:
    if machine not in architectures:
        yield _platform(subject, entry, f"{entry.path} is for {machine}; {subject.name} runs on {', '.join(architectures)}.")
    if runtime and glibc and glibc > runtime.glibc:
        message = f"{entry.path} needs GLIBC {_dotted(glibc)}; {runtime.name} has {_dotted(runtime.glibc)}."
        yield _platform(subject, entry, message)
    python = python_abi(entry.path)
    if runtime and python and runtime.python and python != runtime.python:
        yield _platform(subject, entry, f"{entry.path} is for Python {python}; {subject.name} runs {runtime.python}.")


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _platform(subject: Subject, entry: Entry, message: str) -> Finding:
    return _finding(WRONG_PLATFORM, subject, message, entry.location, f"{entry.path} {message}")


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
    id="package",
    title="Will it start, does it fit, and does it hold nothing that should stay here?",
    rules=(HANDLER_MISSING, WRONG_PLATFORM, TOO_LARGE, SECRET_FILE, STARTUP_HOOK, ESCAPING_LINK, NAME_COLLISION, UNLOCKED),
    run=run,
)
