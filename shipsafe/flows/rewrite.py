"""The last step of `sign`: what was signed is written into what deploys it.

    --rewrite template.yaml=out.yaml --rewrite cdk.out --tfvars shipsafe.auto.tfvars.json --samconfig samconfig.toml

Everything is worked out before the first file is written, so that what cannot be done is said before anything is half done. The project
is read once more, by the same readers as at the build, so that a name means the same function here as there.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shipsafe.adapters.files import read_bounded, write_atomic
from shipsafe.adapters.shown import shown
from shipsafe.adapters.template_text import read_text
from shipsafe.errors import ConfigError
from shipsafe.flows.agreed import agrees_with_template
from shipsafe.flows.assemblies import Copy
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, Project, Subject
from shipsafe.packing.manifest import Told
from shipsafe.readers import read_project
from shipsafe.signing.rewrite.assembly import rewrite_assembly
from shipsafe.signing.rewrite.deployable import Deployable, listed, of_one_place
from shipsafe.signing.rewrite.samconfig import other_environments
from shipsafe.signing.rewrite.samconfig import samconfig as samconfig_text
from shipsafe.signing.rewrite.stacks import Stacks
from shipsafe.signing.rewrite.tfvars import check_name
from shipsafe.signing.rewrite.tfvars import tfvars as tfvars_bytes

_MANIFEST = "manifest.json"
_SAMCONFIG = "samconfig.toml"
_LIMIT = 256 * 1024  # of settings
_SIGNED = ".signed"
_NAMED = 20  # functions in one remark
_SUFFIXES = (".yaml", ".yml", ".json", ".template")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One `--rewrite IN=OUT`: a template and where the result goes, or a cloud assembly and the folder that it is copied to."""

    source: Path
    out: Path

    @property
    def is_assembly(self) -> bool:
        """Whether it is a folder of CDK's."""
        return self.source.is_dir()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What is to be written, and what a person should know of it. Nothing is written until `write`.

    `files`: path -> content. `copies`: folders that are copied, with some files of them changed.
    """

    files: Mapping[Path, bytes] = field(default_factory=dict)
    copies: tuple[Copy, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files and folders that `write` makes or replaces."""
        return (*(copy.out for copy in self.copies), *self.files)

    def write(self) -> None:
        """Write all of it; at any moment, each file is the old one or the new one, and each folder whole or not there.

        Raises:
            IncompleteError: the disk refuses; what was written before stays.
        """
        for copy in self.copies:
            copy.write()
        for path, data in self.files.items():
            write_atomic(path, data)


def read_words(words: Sequence[str]) -> tuple[Word, ...]:
    """What `--rewrite` says, once for each time it is given. Nothing is read of the files yet.

    Raises:
        ConfigError: a word is not `IN=OUT`, there is no such file, a result would lie on its source, or two results on each other.
    """
    found: list[Word] = []
    for text in words:
        source_text, equals, out_text = text.partition("=")
        source = Path(source_text)
        if not source_text or (equals and not out_text):
            raise ConfigError(f"--rewrite {shown(text)} does not name a file and its result.", remedy="Write template.yaml=out.yaml.")
        if not source.exists():
            raise ConfigError("There is no such file or folder to rewrite.", remedy="Check the path.", path=str(source))
        if source.is_dir() and not (source / _MANIFEST).is_file():
            raise ConfigError("--rewrite takes a template, or the folder that `cdk synth` writes.",
                              remedy="Name the file: template.yaml=out.yaml, for example.", path=str(source))  # fmt: skip
        if not source.is_dir() and not out_text:
            raise ConfigError("--rewrite needs to know where the result goes.", remedy=f"Write {source_text}=out.yaml.", path=str(source))
        out = Path(out_text) if out_text else source.resolve().with_name(source.resolve().name + _SIGNED)
        _check_out(source, out)
        found.append(Word(source=source, out=out))
    places = [os.path.normcase(word.out.resolve()) for word in found]
    if twice := next((word for word, place in zip(found, places, strict=True) if places.count(place) > 1), None):
        raise ConfigError("Two results would lie in one place.", remedy="Give each --rewrite a result of its own.", path=str(twice.out))
    return tuple(found)


def _check_out(source: Path, out: Path) -> None:
    here, there = source.resolve(), out.resolve()
    if here == there:
        raise ConfigError("The result would lie on its source, and the next build would find nothing to build.",
                          remedy="Write it to another file.", path=str(out))  # fmt: skip
    if source.is_dir() and (there.is_relative_to(here) or here.is_relative_to(there)):
        raise ConfigError("A copy of a folder cannot lie in it, or around it.", remedy="Name another folder.", path=str(out))
    if source.is_dir():
        return
    # It came with the checkout, and a template can be written so that it means something else where the link leads.
    if out.is_symlink():
        raise ConfigError("The result is a link, and what it leads to would be overwritten.", remedy="Remove it, or name another file.",
                          path=str(out))  # fmt: skip
    if out.is_dir():
        raise ConfigError("The result is a file, and this is a folder.", remedy="Name a file.", path=str(out))
    # So that a slip does not overwrite what is no template, and everybody who reads the result reads it as what it is.
    if out.suffix not in _SUFFIXES or (out.suffix == ".json") != (source.suffix == ".json"):
        raise ConfigError(f"The result of {source.name} cannot have this name.", remedy=f"Let it end in {source.suffix or '.yaml'}.",
                          path=str(out))  # fmt: skip


def rewrite(
    words: Sequence[str], deployables: Sequence[Deployable], *, policy: Policy, overrides: Mapping[str, str] | None = None,
    tfvars: Path | None = None, samconfig: Path | None = None, told: Mapping[str, Told] | None = None,
) -> Rewritten:  # fmt: skip
    """Work out everything that was asked for, and write nothing.

    Args:
        words: of `--rewrite`.
        deployables: what was signed.
        policy: its parameters decide what a template's expressions come to, as at the build.
        overrides: `--parameter-overrides`, likewise.
        tfvars: the file of `--tfvars`, or None.
        samconfig: the file of `--samconfig`, or the folder that it lies in, or None.
        told: what the release says of each subject, which a template has to say, too.

    Raises:
        IntegrityError: a template says something else of a function than the release, so that other questions would have been asked.
        ConfigError: something cannot be rewritten faithfully, or what was signed is described nowhere.
    """
    meant = read_words(words)
    if tfvars:
        check_name(tfvars.name)
    files: dict[Path, bytes] = {}
    copies: list[Copy] = []
    remarks: list[str] = []
    described: set[str] = set()
    for word in meant:
        project = read_project(word.source, policy=policy, overrides=overrides or {})
        if not all(subject.trail for subject in project.subjects):
            raise ConfigError("--rewrite takes a SAM or CloudFormation template, or cdk.out.", remedy="For Terraform there is --tfvars.",
                              path=str(word.source))  # fmt: skip
        agrees_with_template(told or {}, project.subjects)
        described |= {subject.subject for subject in project.subjects}
        if word.is_assembly:
            copy, said = _assembly(word, project, deployables)
            copy.check()
            copies.append(copy)
        else:
            made, said = _template(word, project, deployables)
            _add(files, made)
        remarks += [*said, *_remarks(project, deployables)]
    if meant and (nowhere := [one.subject for one in deployables if one.subject not in described]):
        raise ConfigError(f"{listed(set(nowhere))} was signed, and no --rewrite describes it.",
                          remedy="Name the template that the release was built from.")  # fmt: skip
    if tfvars:
        _add(files, {tfvars: tfvars_bytes(deployables)})
    if samconfig:
        settings, said = _samconfig(samconfig, meant, deployables)
        _add(files, settings)
        remarks += said
    return Rewritten(files=files, copies=tuple(copies), remarks=tuple(dict.fromkeys(remarks)))


def _add(files: dict[Path, bytes], more: Mapping[Path, bytes]) -> None:
    """Put more files to those that are to be written.

    Raises:
        ConfigError: one of them is to be written already.
    """
    taken = {os.path.normcase(path.resolve()) for path in files}
    if twice := next((path for path in more if os.path.normcase(path.resolve()) in taken), None):
        raise ConfigError("Two results would lie in one place.", remedy="Give each a place of its own.", path=str(twice))
    files |= more


def _template(word: Word, project: Project, deployables: Sequence[Deployable]) -> tuple[dict[Path, bytes], list[str]]:
    chosen = of_one_place(deployables, None, str(word.source))
    signed = {subject.trail: chosen[subject.subject] for subject in project.subjects if subject.subject in chosen}
    if not signed or project.template is None:
        raise ConfigError("Nothing that was signed is described there.", remedy="Name the template that the release was built from.",
                          path=str(word.source))  # fmt: skip
    root = project.root
    out = Path(os.path.relpath(word.out.resolve(), root)).as_posix()
    stacks = Stacks(project.template, out, signed, templates=project.templates, load=lambda path: read_text(root / path, name=path),
                    exists=lambda path: _exists(root / path))  # fmt: skip
    stacks.rewrite()
    remarks = list(stacks.remarks)
    unseen = [f"{one.name} ({one.location})" for one in project.subjects if _stack_of(one) not in stacks.visited]
    if unseen:
        more = f" and {len(unseen) - _NAMED} more" if len(unseen) > _NAMED else ""
        remarks.append(f"Not signed, in a nested stack that stays as it is: {', '.join(unseen[:_NAMED])}{more}.")
    return {Path(os.path.normpath(root / path)): text.encode() for path, text in stacks.texts.items()}, remarks


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False


def _stack_of(subject: Subject) -> tuple[str, ...]:
    """The logical ids of the nested stacks that it is in."""
    return tuple(logical_id for _, logical_id in subject.trail[:-1])


def _assembly(word: Word, project: Project, deployables: Sequence[Deployable]) -> tuple[Copy, list[str]]:
    folder = word.source.resolve()
    by_place: dict[tuple[str, str], Subject] = {}
    for subject in project.subjects:
        template, logical_id = subject.trail[-1]
        place = (Path(os.path.relpath(project.root / template, folder)).as_posix(), logical_id)
        if place in by_place:
            raise ConfigError(f"{by_place[place].name} and {subject.name} are the same resource of one template.",
                              remedy="Give each stack a template of its own.", path=str(subject.location))  # fmt: skip
        by_place[place] = subject
    changed, remarks = rewrite_assembly(folder, {place: subject.subject for place, subject in by_place.items()}, deployables)
    return Copy(source=folder, out=word.out, changed=changed), remarks


def _remarks(project: Project, deployables: Sequence[Deployable]) -> list[str]:
    """What could not be looked at, and layers that a code-signing configuration will ask about."""
    said = [
        f"{shown(entry.field)} ({entry.location}): {entry.reason}; functions that come of it are not rewritten."
        for entry in project.unresolved
    ]
    subjects = {one.subject for one in deployables}
    held = {one.subject for one in deployables if one.code_signing_config}
    layered = [(function, _foreign(function, subjects)) for function in project.functions if function.subject in held]
    said += [
        f"{function.name} has layers that were not signed here: {', '.join(foreign)}. Its code-signing configuration has to allow the"
        " profile that signed each; Lambda refuses unsigned ones."
        for function, foreign in layered
        if foreign
    ]
    return said


def _foreign(function: Function, subjects: set[str]) -> list[str]:
    return [shown(ref.text, 120) for ref in function.layers if ref.local is None or f"layer:{ref.local}" not in subjects]


def _samconfig(path: Path, words: Sequence[Word], deployables: Sequence[Deployable]) -> tuple[dict[Path, bytes], list[str]]:
    templates = [word for word in words if not word.is_assembly]
    if len(templates) != 1:
        raise ConfigError("--samconfig goes with one rewritten template.", remedy="Name it: --rewrite template.yaml=out.yaml.")
    file = path / _SAMCONFIG if path.is_dir() else path
    if file.suffix != ".toml":
        raise ConfigError("Only settings in TOML are written.", remedy=f"Name {_SAMCONFIG}.", path=str(file))
    text: str | None = None
    if file.exists():
        try:
            text = read_bounded(file, limit=_LIMIT).decode()
        except UnicodeDecodeError as error:
            raise ConfigError("Not UTF-8.", remedy="Save it as UTF-8.", path=str(file)) from error
    chosen = next(iter(of_one_place(deployables, None, str(file)).values()))
    out = Path(os.path.relpath(templates[0].out.resolve(), file.parent.resolve())).as_posix()
    new = samconfig_text(text, template=out, bucket=chosen.bucket, region=chosen.region, name=str(file))
    others = ", ".join(shown(one, 60) for one in other_environments(text, str(file))[:_NAMED])
    remark = f"{file} takes {out} for [default] alone: `sam deploy --config-env` with {others} deploys what it did."
    return {file: new.encode()}, [remark] if others else []
