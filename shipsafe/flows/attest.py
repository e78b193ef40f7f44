"""What a builder states about each artifact: how it came to be, what is in it, and what the gates said.

Three statements over the unsigned zip, one envelope on a line of `NAME.intoto.jsonl`. Without keys nobody vouches for them, and they are
written all the same: they say so, and `[attest] unsigned = "refuse"` takes none of them.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.git import head_commit
from shipsafe.adapters.git_state import is_dirty, repository_url
from shipsafe.errors import IntegrityError
from shipsafe.evidence.appending import trust_in
from shipsafe.evidence.envelope import enveloped, written
from shipsafe.evidence.gate_statement import gates_statement
from shipsafe.evidence.provenance import SourceTree, builder_of, provenance, resource
from shipsafe.evidence.sbom import listed, stated
from shipsafe.flows.prepare import Prepared
from shipsafe.model.attestation import AttestPolicy, Role
from shipsafe.model.policy import Policy
from shipsafe.model.record import RunRecord
from shipsafe.packing.manifest import manifest_of
from shipsafe.packing.output import Output
from shipsafe.packing.publish import Published, entry_of, laid

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_AT_ONCE = 4
_WRITES = "Find out which program writes to the output folder, then build again."
_UNSIGNED = "The evidence is unsigned, and the policy takes none that nobody signed. Build with --key."


def attested(
    output: Output, items: Sequence[Published], record: RunRecord, policy: Policy, source: SourceTree, signers: "Sequence[Signer]", *,
    builder: str = "", carried: bytes = b"",
) -> tuple[list[Published], RunRecord]:  # fmt: skip
    """The artifacts with what is stated about them, and the record that says who vouches for it. Called under `output_lock`.

    Args:
        output: where they will be published.
        items: what is about to be published.
        record: of the run that passed, or that somebody answers for.
        policy: that it was judged under.
        source: what was built.
        signers: whose keys sign; none for evidence that nobody vouches for.
        builder: who built it, where that was not here.
        carried: the envelope of the override that lets all of it through, or nothing.

    Raises:
        ShipsafeError: a key cannot sign.
        IntegrityError: an SBOM is no longer what was made.
        IncompleteError: an SBOM cannot be read, or the folder cannot be written.
    """
    builder = builder or builder_of(os.environ)

    def bundle(item: Published) -> Published:
        lines = [*_lines(item, record, policy, source, builder, signers), *([carried] if carried else [])]
        data = b"".join(line + b"\n" for line in lines)
        return replace(item, evidence=laid(output, item.archive.subject, data, signed=bool(signers)))

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="attest") as pool:
        bundles = list(pool.map(bundle, items))
    hints = record.hints if signers or policy.attest.unsigned_allowed else (*record.hints, _UNSIGNED)
    return bundles, replace(record, attested_by=tuple(names_of(signers, policy.attest)), hints=hints)


def source_tree(prepared: Prepared) -> SourceTree:
    """What is built from, as it lies here now."""
    project, out = prepared.project, prepared.request.out
    top = next((folder for folder in (project.root, *project.root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return SourceTree(parameters=project.parameters)
    top = top.resolve()
    code = {project.code_folder(subject).resolve() for subject in prepared.subjects}
    return SourceTree(
        commit=head_commit(project.root),
        url=repository_url(top),
        dirty=is_dirty(top, code, out=out.resolve() if out else None),
        parameters=project.parameters,
    )


def names_of(signers: "Sequence[Signer]", trusted: AttestPolicy) -> Iterator[str]:
    """How people know the keys: by the policy's name for each, else by the digest of the public key, or by who signs without one."""
    keys, people = {one.spki: one.name for one in trusted.keys}, {one.who: one.name for one in trusted.identities}
    for signer in signers:
        own = trust_in([signer], Role.BUILDER)
        for key in own.keys:
            yield keys.get(key.spki, f"sha256:{key.spki}")
        for one in own.identities:
            yield people.get(one.who, one.identity)


def _lines(
    item: Published, record: RunRecord, policy: Policy, source: SourceTree, builder: str, signers: "Sequence[Signer]"
) -> Iterator[bytes]:  # fmt: skip
    entry: dict[str, Any] = manifest_of(record, entry_of(item))
    artifact = resource(entry)
    sbom = b""
    if item.sbom is not None:
        with disk_errors(item.sbom):
            sbom = item.sbom.read_bytes()
        if hashlib.sha256(sbom).hexdigest() != item.sbom_sha256:
            raise IntegrityError(f"The SBOM of {item.name} was changed before it was stated.", remedy=_WRITES, path=str(item.sbom))
    yield written(provenance(entry, record, source, builder=builder, components=listed(sbom)), signers)
    if sbom:
        yield enveloped(stated(artifact, sbom), signers)
    yield written(gates_statement(record, artifact, subject=item.archive.subject, asked_by=Role.BUILDER, policy=policy), signers)
