"""The package gate: what ships starts, fits, runs where it is meant to, and holds nothing that should stay at home."""

import ast
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.gates.package import GATE
from shipsafe.gates.size import zipped_note
from shipsafe.model.artifact import Archive
from shipsafe.model.finding import Effect, Finding
from shipsafe.model.gate import Inquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.project import LayerRef, Subject, Unresolved
from shipsafe.model.severity import Severity
from shipsafe.model.tree import PROGRAM_MODE, Distribution, Entry, Origin, Problem, ProblemKind, Source, StagedTree
from tests.gates.asking import HANDLER, TEMPLATE, function, inquiry, layer, rules
from tests.packing.elf import ARM64, X86_64, elf
from tests.packing.trees import entry, tree

_APP = b"def handler(event, context):\n    return {}\n"
_FOREIGN = LayerRef(text="arn", arn="arn:aws:lambda:eu-west-1:464622532012:layer:Datadog:1", version=1)
_KEY = b"-----BEGIN RSA PRIVATE KEY-----\n" + b"MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MaC8w5d3kX\n" * 3
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\n" + b"MIIDdTCCAl2gAwIBAgILBAAAAAABFUtaw5QwDQYJKoZIhvcNAQEFBQAwVzELMAkG\n" * 3


def _ask(folder: Path, files: dict[str, bytes], subject: Subject | None = None, *layers: StagedTree) -> Outcome:
    return GATE.run(inquiry(folder, subject or function(), tree(folder / "tree", {"app.py": _APP, **files}), *layers))


def _only(outcome: Outcome) -> Finding:
    [finding] = outcome.findings
    return finding


def test_a_plain_function_is_fine(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {"data.json": b"{}"})
    assert outcome.state is State.ANSWERED
    assert outcome.findings == ()
    assert outcome.evidence["files"] == 2
    assert str(outcome.evidence["content_digest"]).startswith("sha256:")


# The handler.


@pytest.mark.parametrize(
    "source",
    [
        b"def handler(e, c): ...",
        b"async def handler(e, c): ...",
        b"class handler: ...",
        b"handler = make()",
        b"handler: object = make()",
        b"one, (handler, *rest) = make()",
        b"from orders import handler",
        b"from orders import main as handler",
        b"import handler",
        b"import handler.deep",
        b"try:\n    from fast import handler\nexcept ImportError:\n    from slow import handler",
        b"if True:\n    def handler(e, c): ...",
        b"with open('x') as handler: ...",
        b"for handler in things: ...",
        b"print(handler := make())",
        b"match x:\n    case [handler]: ...",
        b"\xef\xbb\xbfdef handler(e, c): ...",
        b"# coding: latin-1\nname = '\xe9'\ndef handler(e, c): ...",
    ],
)
def test_whatever_binds_the_name_at_the_top_is_a_handler(tmp_path: Path, source: bytes) -> None:
    outcome = _ask(tmp_path, {"app.py": source})
    assert (outcome.findings, outcome.notes) == ((), ())


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"def other(e, c): ...",
        b"def make():\n    def handler(e, c): ...",
        b"class Api:\n    def handler(self): ...",
        b"make = lambda: (handler := 1)",
        b"print(handler)",
        b"things = [handler for handler in things]",
        b"api.handler = make()",
        b"'''\ndef handler(e, c): ...\n'''",
    ],
)
def test_a_name_that_is_bound_elsewhere_is_none(tmp_path: Path, source: bytes) -> None:
    finding = _only(_ask(tmp_path, {"app.py": source}))
    assert finding.rule == "package/handler-missing"
    assert finding.message == "app.py has no 'handler'."
    assert finding.location == Location(path="src/app.py")


@pytest.mark.parametrize("handler", ["api/orders.handler", "api.orders.handler", "api/v1.handler", "pkg.handler"])
def test_modules_are_found_as_lambda_finds_them(tmp_path: Path, handler: str) -> None:
    files = {"api/orders.py": _APP, "api/v1/__init__.py": _APP, "pkg/__init__.py": _APP, "pkg.py": b""}
    assert _ask(tmp_path, files, function(handler)).findings == ()


def test_a_missing_module_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    finding = _only(_ask(tmp_path, {"orders.py": _APP}, function("order.handler")))
    assert finding.message == "There is no order.py for handler order.handler. Did you mean orders.handler?"
    assert finding.location == HANDLER
    assert finding.severity is Severity.HIGH


@pytest.mark.parametrize("handler", ["handler", "app.", ".handler", ""])
def test_a_handler_that_is_none_is_said(tmp_path: Path, handler: str) -> None:
    assert "is not of the form MODULE.FUNCTION" in _only(_ask(tmp_path, {}, function(handler))).message


def test_a_syntax_error_is_one_clear_message_with_its_line(tmp_path: Path) -> None:
    source = b"import os\n\ndef handler(event, context:\n    return 1\n"
    finding = _only(_ask(tmp_path, {"app.py": source}, function(runtime="python3.9")))
    assert finding.message == "app.py line 3 cannot be parsed: '(' was never closed."
    assert finding.location == Location(path="src/app.py", line=3)
    assert finding.effect is Effect.FAIL


def test_syntax_that_a_newer_python_may_know_is_not_called_wrong(tmp_path: Path) -> None:
    assert sys.version_info < (3, 99)
    newer = f"python3.{sys.version_info.minor + 1}"
    finding = _only(_ask(tmp_path, {"app.py": b"try: x\nexcept A, B as c: y\n"}, function(runtime=newer)))
    assert finding.effect is Effect.INCOMPLETE
    assert f"run `uvx --python 3.{sys.version_info.minor + 1} shipsafe check`" in finding.message


@pytest.mark.parametrize("source", [b"\0", b"x = " + b"(" * 5000, b"-" * 100_000 + b"1", b"\xff\xfe\xff"])
def test_a_file_that_breaks_parsers_is_a_finding_too(tmp_path: Path, source: bytes) -> None:
    assert "app.py" in _only(_ask(tmp_path, {"app.py": source}, function(runtime="python3.9"))).message


def test_a_deep_but_valid_file_is_looked_into_without_recursion(tmp_path: Path) -> None:
    source = b"x = " + b"+".join([b"1"] * 3000) + b"\ndef handler(e, c): ...\n"
    try:
        ast.parse(source)
    except RecursionError:
        return  # this Python's parser itself refuses it; that is the test above
    assert _ask(tmp_path, {"app.py": source}).findings == ()


@pytest.mark.parametrize("source", [b"from orders import *", b"def __getattr__(name): ..."])
def test_what_parsing_cannot_tell_is_a_note(tmp_path: Path, source: bytes) -> None:
    outcome = _ask(tmp_path, {"app.py": source})
    assert outcome.findings == ()
    assert "was not found out" in outcome.notes[0]


def test_a_compiled_module_is_a_note(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {"fast.cpython-311-x86_64-linux-gnu.so": elf()}, function("fast.handler"))
    assert outcome.findings == ()
    assert outcome.notes == ("The module of handler fast.handler is compiled and was not looked into.",)


def test_a_handler_in_a_dependency_is_found(tmp_path: Path) -> None:
    files = {"datadog_lambda/handler.py": _APP}
    assert _ask(tmp_path, files, function("datadog_lambda.handler.handler")).findings == ()


@pytest.mark.parametrize("path", ["python/shared.py", "python/lib/python3.11/site-packages/shared.py"])
def test_a_handler_in_a_layer_of_the_project_is_found(tmp_path: Path, path: str) -> None:
    common = tree(tmp_path / "layer", {path: _APP}, subject="layer:Common")
    subject = function("shared.handler", "python3.11", LayerRef(text="!Ref Common", local="Common"))
    assert _ask(tmp_path, {}, subject, common).findings == ()


def test_a_layer_is_looked_at_only_where_python_imports_from(tmp_path: Path) -> None:
    common = tree(tmp_path / "layer", {"shared.py": _APP}, subject="layer:Common")
    subject = function("shared.handler", "python3.11", LayerRef(text="!Ref Common", local="Common"))
    assert rules(_ask(tmp_path, {}, subject, common)) == ["handler-missing"]


def test_a_module_that_may_be_in_a_layer_from_elsewhere_is_a_note(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {}, function("datadog.handler", "python3.11", _FOREIGN))
    assert outcome.findings == ()
    assert "It may be in a layer that is not part of this project." in outcome.notes[0]


def test_a_missing_function_is_found_whatever_the_layers(tmp_path: Path) -> None:
    """Code comes before layers on the path: the module is the one that is here."""
    assert rules(_ask(tmp_path, {}, function("app.run", "python3.11", _FOREIGN))) == ["handler-missing"]


def test_a_handler_that_could_not_be_resolved_is_unanswered(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {}, function(None, unresolved=(Unresolved(field="handler", reason="Handler has no value."),)))
    assert outcome.state is State.UNANSWERED
    assert outcome.reason == "The handler of App is not known: Handler has no value."


@pytest.mark.parametrize("name", ["index.js", "index.mjs", "index.cjs", "node_modules/index/package.json"])
def test_a_node_handler_needs_its_file(tmp_path: Path, name: str) -> None:
    assert _ask(tmp_path, {name: b"exports.handler = 1"}, function("index.handler", "nodejs22.x")).findings == ()


@pytest.mark.parametrize(
    ("handler", "files", "message"),
    [
        ("src/index.handler", {"index.js": b""}, "There is no src/index.js, .mjs or .cjs for handler src/index.handler."),
        (
            "index.handler",
            {"index.ts": b""},
            "index.ts is TypeScript, which Lambda does not run; there is no index.js for handler index.handler.",
        ),
        ("index", {}, "The handler 'index' is not of the form FILE.FUNCTION."),
    ],
)
def test_a_node_handler_without_its_file_is_missing(tmp_path: Path, handler: str, files: dict[str, bytes], message: str) -> None:
    assert _only(_ask(tmp_path, files, function(handler, "nodejs22.x"))).message == message


def test_a_custom_runtime_needs_an_executable_bootstrap(tmp_path: Path) -> None:
    subject = function("any", "provided.al2023")
    assert "no `bootstrap`" in _only(_ask(tmp_path / "1", {}, subject)).message
    assert "not executable" in _only(_ask(tmp_path / "2", {"bootstrap": b"#!"}, subject)).message
    staged = tree(tmp_path / "3", {"bootstrap": b"#!"}, programs=frozenset({"bootstrap"}))
    assert GATE.run(inquiry(tmp_path, subject, staged)).findings == ()


def test_other_languages_are_not_judged_and_it_says_so(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {}, function("com.example.App::handle", "java21"))
    assert outcome.findings == ()
    assert outcome.notes == ("Whether com.example.App::handle is there is not looked at for java21.",)


def test_a_layer_has_no_handler(tmp_path: Path) -> None:
    outcome = GATE.run(inquiry(tmp_path, layer(), tree(tmp_path / "tree", {"python/x.py": b""}, subject="layer:Common")))
    assert outcome.findings == ()


# The platform.


def test_native_code_for_the_right_platform_is_fine(tmp_path: Path) -> None:
    files = {"x/_x.cpython-311-x86_64-linux-gnu.so": elf(versions=("GLIBC_2.26",)), "x/_y.abi3.so": elf(), "lib/z.so.1": elf()}
    outcome = _ask(tmp_path, files)
    assert outcome.findings == ()
    assert outcome.evidence["native"] == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x/_x.so", elf(ARM64), "x/_x.so is built for arm64; the function runs on x86_64."),
        ("x/_x.so", elf(versions=("GLIBC_2.34",)), "x/_x.so needs GLIBC 2.34; python3.11 has 2.26."),
        (
            "x/_x.cpython-313-x86_64-linux-gnu.so",
            elf(),
            "x/_x.cpython-313-x86_64-linux-gnu.so is built for Python 3.13; python3.11 runs Python 3.11.",
        ),
        ("x/_x.pypy310-pp73-x86_64-linux-gnu.so", elf(), None),
        ("x/_x.cpython-311-darwin.so", b"\xcf\xfa\xed\xfe" + bytes(99), "is Mach-O, native code for macOS; Lambda runs Linux."),
        ("x/_x.cp311-win_amd64.pyd", b"MZ" + bytes(99), "is PE, native code for Windows; Lambda runs Linux."),
    ],
)
def test_native_code_that_cannot_work_is_found(tmp_path: Path, name: str, content: bytes, message: str | None) -> None:
    finding = _only(_ask(tmp_path, {name: content}))
    assert finding.rule == "package/wrong-platform"
    assert finding.location == Location(path=f"src/{name}")
    assert message is None or finding.message.endswith(message)


def test_each_reason_is_a_finding_of_its_own(tmp_path: Path) -> None:
    files = {"_x.cpython-312-aarch64-linux-gnu.so": elf(ARM64, versions=("GLIBC_2.99",))}
    outcome = _ask(tmp_path, files)
    assert rules(outcome) == ["wrong-platform"] * 3
    assert len({finding.identity for finding in outcome.findings}) == 3


def test_builds_for_other_platforms_beside_one_that_fits_are_a_note(tmp_path: Path) -> None:
    files = {
        "index.js": b"",
        "node_modules/bcrypt/prebuilds/linux-x64/bcrypt.node": elf(),
        "node_modules/bcrypt/prebuilds/linux-arm64/bcrypt.node": elf(ARM64),
        "node_modules/bcrypt/prebuilds/darwin-x64/bcrypt.node": b"\xcf\xfa\xed\xfe" + bytes(99),
        "fat/_x.cpython-311-x86_64-linux-gnu.so": elf(),
        "fat/_x.cpython-312-x86_64-linux-gnu.so": elf(),
    }
    outcome = _ask(tmp_path, files, function("index.handler", "nodejs22.x"))
    assert outcome.findings == ()
    assert outcome.notes == ("2 native files are for other platforms, beside others that fit; they only take room.",)
    python = _ask(tmp_path, files)
    assert python.findings == ()
    assert python.notes == ("3 native files are for other platforms, beside others that fit; they only take room.",)


def test_a_build_that_fits_in_another_package_excuses_nothing(tmp_path: Path) -> None:
    assert rules(_ask(tmp_path, {"a/_x.so": elf(), "b/_x.so": elf(ARM64)})) == ["wrong-platform"]


def test_data_that_looks_like_native_code_is_left_alone(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {"tests/sample.elf": elf(ARM64), "pip/t64.exe": b"MZ" + bytes(99)})
    assert (outcome.findings, outcome.evidence["native"]) == ((), 0)


def test_a_program_without_an_ending_is_looked_at(tmp_path: Path) -> None:
    staged = tree(tmp_path / "tree", {"bootstrap": elf(ARM64)}, programs=frozenset({"bootstrap"}))
    outcome = GATE.run(inquiry(tmp_path, function("any", "provided.al2023"), staged))
    assert _only(outcome).message == "bootstrap is built for arm64; the function runs on x86_64."


def test_a_damaged_library_is_unanswered(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {"x.so": elf()[:90]})
    assert outcome.state is State.UNANSWERED
    assert outcome.reason.startswith("x.so says that it is native code, but it is damaged")


def test_a_layer_is_held_to_the_architectures_that_it_names(tmp_path: Path) -> None:
    staged = tree(tmp_path / "tree", {"python/x.so": elf(X86_64)}, subject="layer:Common")
    assert GATE.run(inquiry(tmp_path, layer(), staged)).findings == (), "it names none: either is right"
    assert rules(GATE.run(inquiry(tmp_path, layer(architectures=("arm64",)), staged))) == ["wrong-platform"]
    assert rules(GATE.run(inquiry(tmp_path, layer(build_architecture="arm64"), staged))) == ["wrong-platform"]


# Secrets.


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".env", b"TOKEN=abc\n"),
        (".env.production", b"TOKEN=abc\n"),
        ("config/prod.env", b"export TOKEN=abc\n"),
        (".aws/credentials", b"[default]\naws_secret_access_key = abc\n"),
        (".netrc", b"machine x login y password z\n"),
        (".pypirc", b"[pypi]\nusername = __token__\npassword = pypi-abc\n"),
        (".npmrc", b"//registry.npmjs.org/:_authToken=npm_abc\n"),
        (".git-credentials", b"https://me:secret@example.com\n"),
        (".docker/config.json", b'{"auths": {"x": {"auth": "YWJj"}}}'),
        ("id_rsa", b"anything"),
        ("keys/server.pem", _KEY),
        ("keys/server.key", _KEY.replace(b"RSA ", b"")),
        ("chain.pem", _CERTIFICATE + _KEY),
        ("service-account.json", b'{"private_key": "' + _KEY.replace(b"\n", b"\\n") + b'"}'),
        ("store.p12", b"\x30\x82"),
        ("terraform.tfstate", b"{}"),
        ("infra/plan.json", b'{"format_version":"1.2","terraform_version":"1.13.4","planned_values":{}}'),
        (".git/config", b"[core]"),
    ],
)
def test_a_secret_is_found_and_never_quoted(tmp_path: Path, path: str, content: bytes) -> None:
    finding = _only(_ask(tmp_path, {path: content}))
    assert (finding.rule, finding.severity, finding.key) == ("package/secret-file", Severity.CRITICAL, path)
    assert finding.message.startswith(f"{path} ")
    assert not any(secret in finding.message for secret in ("abc", "MIIE", "secret@", "YWJj"))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".env.example", b"TOKEN=\n"),
        (".env.sample", b"TOKEN=abc\n"),
        ("example.env", b"TOKEN=abc\n"),
        (".env", b""),
        (".env", b"# nothing here\n"),
        ("environment.py", b"TOKEN = 1\n"),
        ("certifi/cacert.pem", _CERTIFICATE),
        ("keys/public.pem", b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 200),
        (".npmrc", b"registry=https://registry.npmjs.org/\n"),
        (".npmrc", b"//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n"),
        ("pem.py", b"HEADER = '-----BEGIN PRIVATE KEY-----'\n"),
        ("keys.txt", b"A file begins with -----BEGIN PRIVATE KEY----- and so on.\n"),
        ("config.json", b'{"auth": "none"}'),
        (".gitignore", b"*.pyc"),
    ],
)
def test_what_is_public_or_empty_is_no_secret(tmp_path: Path, path: str, content: bytes) -> None:
    assert _ask(tmp_path, {path: content}).findings == ()


def test_a_repository_is_one_finding(tmp_path: Path) -> None:
    files = {".git/config": b"x", ".git/HEAD": b"x", ".git/objects/ab/cd": b"x", "sub/.git/config": b"x"}
    assert [finding.key for finding in _ask(tmp_path, files).findings] == [".git/config", "sub/.git/config"]


def test_repositories_of_other_tools_hold_a_history_too(tmp_path: Path) -> None:
    findings = _ask(tmp_path, {".hg/hgrc": b"x", ".hg/store/00changelog.i": b"x", "lib/.svn/wc.db": b"x", ".git": b"gitdir: x"}).findings
    assert [finding.message for finding in findings] == [
        ".hg/hgrc belongs to a Mercurial repository, with its whole history.",
        "lib/.svn/wc.db belongs to a Subversion repository, with its whole history.",
    ]


def _dependency(folder: Path, path: str, content: bytes) -> Entry:
    return entry(folder, path, content, origin=Origin.DEPENDENCY)


def test_a_key_that_a_dependency_publishes_is_low(tmp_path: Path) -> None:
    """It is public already; in its tests it is expected."""
    staged = tree(tmp_path / "tree", {"app.py": _APP})
    more = (
        _dependency(staged.root, "lib/server.key", _KEY),
        _dependency(staged.root, "lib/test/server.key", _KEY),
        _dependency(staged.root, "lib/.env", b"TOKEN=abc"),
        _dependency(staged.root, "certifi/cacert.pem", _CERTIFICATE),
    )
    finding = _only(GATE.run(inquiry(tmp_path, function(), replace(staged, entries=staged.entries + more))))
    assert finding.message == "lib/server.key holds a private key; its publisher has made it public."
    assert finding.severity is Severity.LOW


def test_a_dependency_that_lies_in_the_code_is_still_a_dependency(tmp_path: Path) -> None:
    staged = tree(tmp_path / "tree", {"app.py": _APP, "lib/server.key": _KEY})
    lib = Distribution(name="lib", version="1.0", source=Source.BUNDLED, paths=("lib/server.key",))
    finding = _only(GATE.run(inquiry(tmp_path, function(), replace(staged, distributions=(lib,)))))
    assert finding.severity is Severity.LOW


# What runs at the start.


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("legacy.pth", b"import legacy_startup\n"),
        ("x.pth", b"lib\n\nimport os; os.system('id')\n"),
        ("x.pth", b"\xef\xbb\xbfimport os\n"),
        ("x.pth", b"import\tos\n\0\0\0"),
        ("sitecustomize.py", b""),
        ("usercustomize.py", b""),
        ("sitecustomize/__init__.py", b""),
        ("python/sitecustomize.py", b""),
        ("python/lib/python3.11/site-packages/x.pth", b"import x\n"),
        ("sitecustomize.cpython-311-x86_64-linux-gnu.so", elf()),
    ],
)
def test_code_that_runs_at_the_start_is_found(tmp_path: Path, path: str, content: bytes) -> None:
    finding = _only(_ask(tmp_path, {path: content}))
    assert (finding.rule, finding.severity) == ("package/startup-hook", Severity.HIGH)


def test_a_pth_file_that_only_adds_folders_is_low(tmp_path: Path) -> None:
    assert _only(_ask(tmp_path, {"x.pth": b"lib\n"})).severity is Severity.LOW


@pytest.mark.parametrize("path", ["models/resnet.pth", "pkg/sitecustomize.py", "model.pth", "x.pth.txt", "sitecustomized.py"])
def test_data_and_modules_that_python_does_not_obey_are_left_alone(tmp_path: Path, path: str) -> None:
    assert _ask(tmp_path, {path: b"PK\x03\x04\0\0weights"}).findings == ()


def test_the_dependency_that_brings_a_hook_is_named(tmp_path: Path) -> None:
    staged = tree(tmp_path / "tree", {"app.py": _APP})
    hook = _dependency(staged.root, "distutils-precedence.pth", b"import os; enabled = 1\n")
    lib = Distribution(name="setuptools", version="80.0", source=Source.INDEX, paths=("distutils-precedence.pth",))
    outcome = GATE.run(inquiry(tmp_path, function(), replace(staged, entries=(*staged.entries, hook), distributions=(lib,))))
    assert _only(outcome).message == "distutils-precedence.pth runs code whenever Python starts. setuptools brings it."


# Size, and what staging saw.


def _sized(folder: Path, size: int, subject: str = "function:App") -> StagedTree:
    """A tree that says it is that large: its sizes are what is counted."""
    staged = tree(folder, {"app.py": _APP}, subject=subject)
    big = replace(staged.entries[0], path="numpy/data.txt", size=size)
    return replace(staged, entries=(*staged.entries, big))


def test_250_mb_are_counted_with_layers(tmp_path: Path) -> None:
    subject = function("app.handler", "python3.11", LayerRef(text="!Ref Common", local="Common"))
    code, common = _sized(tmp_path / "1", 200_000_000), _sized(tmp_path / "2", 62_000_000, "layer:Common")
    assert GATE.run(inquiry(tmp_path, subject, code, common)).findings == ()
    more = _sized(tmp_path / "3", 62_144_000, "layer:Common")
    finding = _only(GATE.run(inquiry(tmp_path, subject, code, more)))
    assert finding.rule == "package/too-large"
    expected = "251 MB unzipped (App 191 MB, Common 60 MB); Lambda takes 250 MB. The largest: numpy 250 MB, app.py 1 MB."
    assert finding.message == expected
    assert finding.location == TEMPLATE


def test_layers_from_elsewhere_are_not_forgotten(tmp_path: Path) -> None:
    outcome = _ask(tmp_path, {}, function("app.handler", "python3.11", _FOREIGN))
    assert outcome.notes == ("The size of layers from elsewhere is not known; 250 MB are left for them.",)


def test_50_mb_zipped_are_a_note() -> None:
    archive = Archive(
        subject="function:App", path=Path("a.zip"), sha256="", sha512="", code_sha256="", content_digest="", size=52_428_800,
        unzipped=0, entries=1, compressor="",
    )  # fmt: skip
    assert zipped_note(archive) is None
    note = zipped_note(replace(archive, size=60_000_000))
    assert note == "58 MB zipped is more than the 50 MB that Lambda takes directly; deploy it through S3."


@pytest.mark.parametrize("kind", [ProblemKind.ESCAPING_LINK, ProblemKind.NAME_COLLISION, ProblemKind.UNLOCKED])
def test_what_staging_saw_is_a_finding(tmp_path: Path, kind: ProblemKind) -> None:
    place = Location(path="src/requirements.txt", line=3)
    problem = Problem(kind=kind, key="k", message="What staging saw.", location=place)
    staged = replace(tree(tmp_path / "tree", {"app.py": _APP}), problems=(problem,))
    finding = _only(GATE.run(inquiry(tmp_path, function(), staged)))
    assert (finding.rule, finding.message, finding.location, finding.key) == (f"package/{kind}", "What staging saw.", place, "k")


def test_what_staging_could_not_read_is_unanswered(tmp_path: Path) -> None:
    problems = tuple(Problem(kind=ProblemKind.UNREADABLE, key=str(n), message=f"x{n} may not be read.") for n in range(7))
    staged = replace(tree(tmp_path / "tree", {"app.py": _APP, ".env": b"A=b"}), problems=problems)
    outcome = GATE.run(inquiry(tmp_path, function(), staged))
    assert outcome.state is State.UNANSWERED
    assert outcome.reason.startswith("x0 may not be read. x1 may")
    assert outcome.reason.endswith(" And 2 more.")
    assert rules(outcome) == ["secret-file"], "what was found before is still told"


def test_every_rule_has_its_page() -> None:
    ids = {rule.id.partition("/")[2] for rule in GATE.rules}
    assert ids == {
        "handler-missing",
        "wrong-platform",
        "too-large",
        "secret-file",
        "startup-hook",
        "escaping-link",
        "name-collision",
        "unlocked",
        "modified-dependency",
        "lock-mismatch",
        "compiled-python",
        "prebuilt",
    }
    for rule in GATE.rules:
        assert rule.why
        assert rule.remedy
        assert rule.references
        assert rule.bad
        assert rule.good


def test_a_content_that_several_functions_ship_is_read_once(tmp_path: Path) -> None:
    """What the first function found out holds for the second, but where the name decides."""
    files = {"_a.so": elf(ARM64), "_b.pyd": b"MZ" + bytes(20), "data/_b.bin": b"MZ" + bytes(20)}
    key = _KEY + str(tmp_path).encode()  # a content that no other test has
    paths = ("lib/server.pem", "lib/server.py", "lib/tests/server.pem")

    def ask(folder: Path) -> tuple[Inquiry, Outcome]:
        staged = tree(folder / "tree", {"app.py": _APP, **files})
        own = (replace(one, mode=PROGRAM_MODE) if one.path.endswith(".bin") else one for one in staged.entries)
        entries = (*own, *(_dependency(folder, path, key) for path in paths))
        asked = inquiry(folder, function(), replace(staged, entries=tuple(sorted(entries, key=lambda one: one.path))))
        return asked, GATE.run(asked)

    asked, first = ask(tmp_path / "first")
    assert [(rule, finding.key) for rule, finding in zip(rules(first), first.findings, strict=True)] == [
        ("wrong-platform", "_a.so:machine"),
        ("wrong-platform", "_b.pyd:system"),
        ("secret-file", "lib/server.pem"),
    ]
    for one in asked.staged.entries:
        if one.path != "app.py":
            one.source.unlink()
    assert GATE.run(asked) == first
    assert ask(tmp_path / "second")[1].findings == first.findings
