"""Reading a file once says what three plain runs of bandit say: with nothing turned off, with the project's options, with `# nosec`."""

import importlib.util
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shipsafe.adapters.bandit import SERVER
from shipsafe.adapters.bandit_settings import BanditSettings, settings_for
from shipsafe.adapters.forkserver import ForkServer

PLAIN = ForkServer([sys.executable, "-P", "-W", "ignore", Path(__file__).with_name("plain_bandit.py")], name="plain bandit")
RULES = json.loads((Path(__file__).resolve().parents[2] / "shipsafe/gates/data/bandit-rules.json").read_text(encoding="utf-8"))["rules"]
KNOWN = [rule["id"] for rule in RULES]
PATIENCE = 600  # seconds: how busy the machine is says nothing about bandit

STATEMENTS = (
    'subprocess.run("ls " + name, shell=True)',
    "subprocess.run(['ls', name])",
    "subprocess.run(\n    name,\n    shell=True,\n)",
    "import subprocess",
    "import subprocess, pickle, telnetlib, ftplib",  # one forbidden name after the other: bandit reports the first
    "import telnetlib, subprocess as sp",
    "from xml.etree import ElementTree, cElementTree",
    "from xml import sax, dom",
    "import xml.etree.cElementTree, xml.sax, xmlrpc",
    '__import__("pickle")',
    'importlib.import_module("telnetlib")',
    "import importlib, pickle as p",
    "p.loads(pickle.loads(x))",
    "yaml.load(random.random())",
    "hashlib.md5(hashlib.sha1(x).digest())",
    "hashlib.new('md5', usedforsecurity=False)",
    "assert hashlib.md5(x), eval(y)",
    "password = 'hunter2'",
    "connect(password='hunter2', timeout=None, verify=False)",
    "def login(password='hunter2', path='/tmp/a'): pass",
    "x = '/tmp/a' '/mnt/shared/b'",
    "requests.get(url, verify=False)",
    "try:\n    go()\nexcept Exception:\n    pass",
    "for x in y:\n    try:\n        go()\n    except KeyError:\n        continue",
    "ssl.wrap_socket(ssl_version=ssl.PROTOCOL_SSLv2)",
    "def f(version=ssl.PROTOCOL_SSLv3): pass",
    "dsa.generate_private_key(key_size=512)",
    'os.system("chown root " + x)',
    'os.popen("/bin/chmod *")',
    "os.execl(path, a)",
    "cursor.execute('select %s from t' % x)",
    "markupsafe.Markup(f'<b>{x}</b>')",
    "jinja2.Environment(autoescape=False)",
    "s.bind(('0.0.0.0', 80))",
    "x = '\\d'",
    "class A:\n    key = 'secret'\n    def run(self): exec(self.key)",
    "if True:\n\n    assert a",
    "x = 1",
    "# \u202e",
    "def f(:",
)
COMMENTS = ("", "", "", "  # why", "  # nosec", "  #nosec", "  # nosec: B602,B404", "  # nosec B101", "  # nosec assert_used, B999",
            "  # NOSEC", "  # type: ignore # nosec B105 # more", "  # nosec subprocess_popen_with_shell_equals_true")  # fmt: skip
NAMES = ("app.py", "test_app.py", "tests/test_deep.py", "pkg/__init__.py", "pkg/mod.py")
OPTIONS: tuple[dict[str, Any], ...] = (
    {"assert_used": {"skips": ["*/test_*.py", "./app.py"]}},
    {"hardcoded_tmp_directory": {"tmp_dirs": ["/mnt/shared"]}},
    {"shell_injection": {"subprocess": [], "shell": ["os.system"], "no_shell": []}},
    {"shell_injection": {"subprocess": ["requests.get"], "shell": [], "no_shell": ["os.execl"]}},
    {"try_except_pass": {"check_typed_exception": True}},
    {"try_except_continue": {"check_typed_exception": True}},
    {"ssl_with_bad_version": {"bad_protocol_versions": ["PROTOCOL_SSLv3"]}},
    {"ssl_with_bad_defaults": {"bad_protocol_versions": ["PROTOCOL_SSLv3"]}},
    {"weak_cryptographic_key": {"weak_key_size_dsa_high": 256, "weak_key_size_dsa_medium": 300}},
    {"hardcoded_tmp_directory": {"tmp_dirs": 5}},  # lets the test crash
)


@st.composite
def sources(draw: st.DrawFn) -> str:
    """A module: statements that bandit's tests speak of, with comments anywhere in them."""
    lines = []
    for statement in draw(st.lists(st.sampled_from(STATEMENTS[:-1]), max_size=8)):
        lines += [line + draw(st.sampled_from(COMMENTS)) for line in statement.split("\n")]
    if draw(st.integers(0, 15)) == 0:
        lines.append(STATEMENTS[-1])
    return "\n".join([*lines, ""])


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any] | None:
    """A table [tool.bandit], or none."""
    if draw(st.integers(0, 3)) == 0:
        return None
    ids = st.lists(st.sampled_from([*KNOWN, "B602", "B404", "B403", "B101", "B105"]), unique=True, max_size=12)
    table: dict[str, Any] = {}
    if draw(st.booleans()):
        table["skips"] = draw(ids)
    if draw(st.integers(0, 2)) == 0:
        table["tests"] = [one for one in draw(ids) if one not in table.get("skips", ())]
    if draw(st.integers(0, 2)) == 0:
        table["exclude_dirs"] = draw(st.lists(st.sampled_from(["tests", "./pkg/*", "*/app.py", "mod"]), max_size=2))
    for options in draw(st.lists(st.sampled_from(OPTIONS), max_size=2)):
        table |= options
    return table


def as_toml(table: Mapping[str, Any]) -> str:
    """The table in a pyproject.toml. Strings, numbers, true and lists of them are written as in JSON."""
    plain = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    inner = [
        line
        for key, values in table.items()
        if isinstance(values, dict)
        for line in (f"[tool.bandit.{key}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items()))
    ]
    return "\n".join(["[tool.bandit]", *plain, *inner, ""])


def ours(root: Path, names: list[str], bandit: BanditSettings) -> dict[str, dict[str, Any]]:
    """The three runs as the child tells them, in the shape of `plain_bandit`."""
    question = {"folder": str(root), "files": names, "included": [name for name in names if not bandit.excludes(name)]}
    told = SERVER.ask({**question, "known": KNOWN, "config": bandit.table, "honour": True}, timeout=PATIENCE)["runs"]
    told["configured"] = told["configured"] or told["plain"]
    told["honoured"] = told["honoured"] or told["configured"]
    fields = ("path", "line", "column", "test", "severity", "confidence", "text")
    return {
        key: {
            "issues": sorted([issue[field] for field in fields] for issue in run["issues"]),
            "unread": sorted(one["path"] for one in run["unread"]),
        }
        for key, run in told.items()
    }


def check(files: Mapping[str, str], table: Mapping[str, Any] | None) -> None:
    """Compare our one question with three runs of bandit."""
    root = Path(tempfile.mkdtemp())
    try:
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        if table is not None:
            (root / "pyproject.toml").write_text(as_toml(table), encoding="utf-8")
        config = None if table is None else "pyproject.toml"
        asked = {"plain": (None, False), "configured": (config, False), "honoured": (config, True)}
        wanted = {
            key: PLAIN.ask({"folder": str(root), "config": file, "honour": honour}, timeout=PATIENCE)
            for key, (file, honour) in asked.items()
        }
        assert ours(root, sorted(files), settings_for(root, root)) == wanted
    finally:
        shutil.rmtree(root)


@given(st.dictionaries(st.sampled_from(NAMES), sources(), min_size=1, max_size=3), tables())
@settings(max_examples=100, deadline=None)
@example({"app.py": "import subprocess, pickle, telnetlib, ftplib\n"}, {"skips": ["B404"]})
@example({"app.py": "import subprocess, pickle, telnetlib, ftplib\n"}, {"skips": ["B404", "B403"]})
@example({"app.py": "import subprocess, pickle  # nosec B404\n"}, {"tests": ["B403"]})
@example({"app.py": "assert a\n", "test_app.py": "assert a  # nosec\n"}, {"assert_used": {"skips": ["*/test_*.py"]}})
@example({"app.py": "x = '/tmp/a'  # nosec\n"}, {"hardcoded_tmp_directory": {"tmp_dirs": 5}})
@example({"app.py": "assert a\n"}, {"tests": []})
@example({"app.py": "assert a\nimport pickle\n", "pkg/mod.py": "import pickle\n"}, {"tests": ["B001"]})
@example({"app.py": "assert a\nimport pickle\n", "pkg/mod.py": "import pickle\n"}, {"skips": ["B001"]})
def test_one_question_says_what_three_runs_of_bandit_say(files: Mapping[str, str], table: Mapping[str, Any] | None) -> None:
    check(files, table)


def test_the_examples_of_all_rules_are_told_alike_with_each_one_turned_off_in_turn() -> None:
    files = {f"{rule['id'].lower()}_{kind}.py": rule[kind] for rule in RULES for kind in ("bad", "good")}
    check(files, None)
    for rule in RULES[::12]:
        check(files, {"skips": [rule["id"]]})


@pytest.mark.parametrize("package", ["yaml", "requests", "packaging", "stevedore"])
def test_the_code_of_others_is_told_alike(package: str) -> None:
    """Real code has what nobody thinks of: every kind of statement, comments and files that are turned off."""
    place = importlib.util.find_spec(package)
    assert place is not None
    assert place.origin is not None
    folder = Path(place.origin).parent
    files = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))[:25]}
    check(files, {"skips": ["B101"], "try_except_pass": {"check_typed_exception": True}})


@pytest.mark.parametrize("depth", [100, 250, 400, 550, 700, 850, 1100])
def test_what_is_too_deep_for_bandit_is_too_deep_here_and_nothing_else_is(depth: int) -> None:
    deep = {"sum": "+".join(["eval(a)"] * depth), "calls": "a" + "(b)" * depth, "names": "a" + ".b" * depth}
    files = {
        f"{name}_{kind}.py": text.format(deep[name]) for name in deep for kind, text in (("x", "x = {}"), ("f", "def f():\n  return {}"))
    }
    check(files, None)


def test_a_nosec_in_any_encoding_is_seen_as_bandit_sees_it(tmp_path: Path) -> None:
    text = "# -*- coding: {} -*-\nassert 'é'  # nosec\n"
    for encoding in ("latin-1", "utf-8", "utf-16", "utf-7", "cp1252", "rot13", "cp037"):
        data = text.format(encoding).encode("utf-8" if encoding in ("rot13", "utf-16") else encoding)
        (tmp_path / f"in_{encoding.replace('-', '_')}.py").write_bytes(data)
    names = sorted(path.name for path in tmp_path.iterdir())
    told = ours(tmp_path, names, BanditSettings(base=tmp_path))
    wanted = {honour: PLAIN.ask({"folder": str(tmp_path), "config": None, "honour": honour}, timeout=PATIENCE) for honour in (False, True)}
    assert told == {"plain": wanted[False], "configured": wanted[False], "honoured": wanted[True]}
    assert told["honoured"]["issues"] != told["plain"]["issues"]
