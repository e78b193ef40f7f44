"""What a build leaves: zips, their SBOMs and evidence, and the digests that chain them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A zip in the private folder of a run, not yet judged.

    `sha256` and `sha512` are hex; `code_sha256` is base64, as Lambda reports `CodeSha256`; `content_digest` is `sha256:` and
    hex over the contents; `size` and `unzipped` are bytes; `compressor` names the library and version whose bytes these are.
    """

    subject: str
    path: Path
    sha256: str
    sha512: str
    code_sha256: str
    content_digest: str
    size: int
    unzipped: int
    entries: int
    compressor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A zip that a passing verdict let into the output folder, with its SBOM and evidence. Paths are names inside that folder, or ""."""

    name: str
    subject: str
    path: str
    sha256: str
    code_sha256: str
    content_digest: str
    size: int
    sbom: str
    sbom_sha256: str
    evidence: str = ""
    evidence_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Envelopes about one artifact, one on a line, in a file that has that SHA-256 (hex). `signed`: somebody has signed each of them."""

    path: Path
    sha256: str
    signed: bool
