"""Write every file that the code already knows: rule pages, the policy reference, command pages, configs/, parts of the README.

    python docs/generate.py            write them
    python docs/generate.py --check    say which are not what the code says, and fail

What is generated never depends on the machine, the day or a terminal.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from ghes import ghes
from requirements import requirement_files

from shipsafe import __version__
from shipsafe.cli.app import COMMANDS, command_tree
from shipsafe.evidence.predicates import schemas
from shipsafe.gates import all_gates
from shipsafe.local.operations import operations_markdown
from shipsafe.model.pipeline import HOME
from shipsafe.policy import generated_configs, reference_markdown
from shipsafe.reports.rule_page import rules_markdown
from shipsafe.starting.answers import Release
from shipsafe.starting.workflow_text import four_lines

ROOT = Path(__file__).resolve().parents[1]
_WIDTH = 100
# Written by hand, but for the name of our repository in them; every guide is such a file, too.
_NAMING = ("CONTRIBUTING.md", "actions/setup/install")
_NAMED = re.compile(r"((?:github|githubusercontent)\.com/|uses: |--repo |workflow = \"|from `)[\w.-]+/shipsafe\b(?![.-])")
_PREDICATES = """\
# What shipsafe states

`shipsafe build` writes `NAME.intoto.jsonl` beside each `NAME.zip`: envelopes ([DSSE](https://github.com/secure-systems-lab/dsse)), one on a
line, each with one [in-toto statement](https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) whose subject is the unsigned
zip. `--key` signs them; without it they are written unsigned, and a policy with `[attest] unsigned = "refuse"` takes none of them.

| predicate | stated by | says |
|---|---|---|
| [`https://slsa.dev/provenance/v1`][slsa] | builder | who built it, from which commit, with which dependencies |
| [`https://cyclonedx.org/bom`][cyclonedx] | builder | what is in it: the document of `NAME.cdx.json`, byte for byte |
| `urn:shipsafe:gates:v1` | builder, signer | what the gates answered, and what became of each finding |
| `urn:shipsafe:signing:v1` | signer | where it was signed, by which job, and until when that holds |
| `urn:shipsafe:deployment:v1` | deployer | where it went live, how, and what `verify` said of it then |
| `urn:shipsafe:override:v1` | overrider | who let it through although its gates did not, why, and until when |

A version never loses a field and never gives one another meaning; whoever reads a predicate ignores the fields that it does not know.
What breaks that gets a new version. Equal inputs and equal keys give equal bytes: there is no time of day in what a builder states.

[slsa]: https://slsa.dev/spec/v1.0/provenance
[cyclonedx]: https://cyclonedx.org/docs/1.6/json/
"""


def pages() -> Iterator[tuple[str, str]]:
    """Path, relative to the repository, and text of every generated file."""
    index = ["# Rules", "", "Generated from the code; `shipsafe explain RULE` prints the same text offline.", ""]
    for gate in all_gates():
        index += [f"## {gate.id}: {gate.title}", "", "| rule | severity | what is wrong |", "|---|---|---|"]
        for rule in gate.rules:
            path = f"{rule.id}.md"
            yield f"docs/rules/{path}", rules_markdown(rule)
            if gate.id == "lint":
                yield f"examples/rules/lint/src/{rule.id.removeprefix('lint/')}.py", f"{rule.bad}\n"
            index.append(f"| [`{rule.id}`]({path}) | {rule.severity} | {rule.summary} |")
        index.append("")
    yield "docs/rules/README.md", "\n".join(index)
    yield "docs/policy.md", reference_markdown()
    yield from ((name, naming(ROOT / name)) for name in _NAMING)
    for file in (ROOT / "docs/guides").glob("*.md"):
        yield f"docs/guides/{file.name}", naming(file)
    yield "docs/guides/local-operations.md", operations_markdown()
    for path, text in command_pages():
        yield path, text
    for file in (ROOT / "configs/ci").glob("*.yml"):
        yield f"configs/ci/{file.name}", naming(file)
    for name in ("bitbucket-pipelines.yml", "codebuild.yml"):  # `init` writes them, and a wheel has no configs/
        yield f"shipsafe/starting/data/{name}", naming(ROOT / "configs/ci" / name)
    yield from generated_configs().items()
    yield ".github/workflows/pipeline-ghes.yml", ghes((ROOT / ".github/workflows/pipeline.yml").read_text())
    yield "configs/report.schema.json", (files("shipsafe.reports") / "data" / "report.schema.json").read_text(encoding="utf-8")
    yield "configs/audit.schema.json", (files("shipsafe.reports") / "data" / "audit.schema.json").read_text(encoding="utf-8")
    yield "configs/verification.schema.json", (files("shipsafe.reports") / "data" / "verification.schema.json").read_text(encoding="utf-8")
    yield "configs/deployments.schema.json", (files("shipsafe.reports") / "data" / "deployments.schema.json").read_text(encoding="utf-8")
    yield "configs/ship.schema.json", (files("shipsafe.reports") / "data" / "ship.schema.json").read_text(encoding="utf-8")
    for file in (files("shipsafe.signing") / "data" / "iam").iterdir():
        yield f"configs/iam/{file.name}", file.read_text(encoding="utf-8")
    yield from predicate_pages()
    yield from requirement_files(ROOT)
    yield "README.md", readme((ROOT / "README.md").read_text())


def naming(file: Path) -> str:
    """The text of a file, which names our repository as the one constant does."""
    return _NAMED.sub(lambda found: found[1] + HOME, file.read_text(encoding="utf-8"))


def predicate_pages() -> Iterator[tuple[str, str]]:
    """The schema of each predicate of ours, and a page about what shipsafe states."""
    parts = [_PREDICATES]
    for name, text in schemas().items():
        schema = json.loads(text)
        yield f"docs/predicates/{name}.json", text
        parts += [f"## {schema['title']}", "", f"[`{schema['$id']}`]({name}.json). {schema['description']}", "", "| field | |", "|---|---|"]
        parts += [f"| `{field}` | {about} |" for field, about in _fields(schema)]
        parts.append("")
    yield "docs/predicates/README.md", "\n".join(parts)


def _fields(schema: dict[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    """What can stand in a predicate, down to what the schema describes."""
    for name, value in schema.get("properties", {}).items():
        if about := value.get("description"):
            yield f"{inside}{name}", about
        yield from _fields(value, f"{inside}{name}.")


def command_pages() -> Iterator[tuple[str, str]]:
    """One page per command, with the help of its subcommands."""
    tree = command_tree()
    for name, entry in COMMANDS.items():
        command = tree.get_command(None, name)
        parts = [f"# shipsafe {name}", "", entry.summary, "", "```text", _help(command, f"shipsafe {name}"), "```", ""]
        for sub in getattr(command, "commands", {}).values():
            parts += [f"## shipsafe {name} {sub.name}", "", "```text", _help(sub, f"shipsafe {name} {sub.name}"), "```", ""]
        yield f"docs/commands/{name}.md", "\n".join(parts)


def _help(command: object, path: str) -> str:
    context = command.make_context(path, [], resilient_parsing=True, terminal_width=_WIDTH, max_content_width=_WIDTH)
    return command.get_help(context).rstrip()


def readme(text: str) -> str:
    """The README with its generated parts written again; each stands between `<!-- NAME -->` and `<!-- /NAME -->`."""
    tree = command_tree()
    pipeline = f"```yaml\n{four_lines('.', Release(commit='SHA', tag=f'v{__version__}'))}```"
    parts = {"help": f"```text\n{_help(tree, 'shipsafe')}\n```", "gates": _gate_table(), "pipeline": pipeline}
    for name, part in parts.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        text, count = pattern.subn(lambda found, part=part: found[1] + part + found[2], text)
        if count != 1:
            sys.exit(f"README.md: the part {name!r} is not there exactly once")
    return text


def _gate_table() -> str:
    rows = ["| gate | asks | rules |", "|---|---|--:|"]
    rows += [f"| `{gate.id}` | {gate.title} | {len(gate.rules)} |" for gate in all_gates()]
    return "\n".join(rows)


def stale() -> list[str]:
    """Generated files that are not what the code says, and rule and command pages that nothing generates any more."""
    expected = dict(pages())
    wrong = [path for path, text in expected.items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text]
    kept = [*(ROOT / "docs/rules").rglob("*.md"), *(ROOT / "docs/commands").glob("*.md"), *(ROOT / "docs/predicates").iterdir()]
    return sorted(wrong + [name for file in kept if (name := file.relative_to(ROOT).as_posix()) not in expected])


def main() -> None:
    """Write, or check."""
    if sys.argv[1:] == ["--check"]:
        if wrong := stale():
            sys.exit("Not what the code says (run `just docs`):\n" + "\n".join(wrong))
        return
    for path in stale():
        text = dict(pages()).get(path)
        if text is None:
            (ROOT / path).unlink()
            continue
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)


if __name__ == "__main__":
    main()
