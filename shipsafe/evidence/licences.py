"""What a distribution's metadata says of its licence, as SPDX where that is certain and as a name where it is not.

`License-Expression` decides where it is there (PEP 639). Before it, authors wrote anything into `License` and chose among
classifiers, some of which name a family without a version ("BSD License"): those stay names, because a guess in an inventory is
worse than a name. Sources: https://packaging.python.org/en/latest/specifications/core-metadata/, https://peps.python.org/pep-0639/,
https://spdx.org/licenses/.
"""

import re
from collections.abc import Iterable

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseAcknowledgement, LicenseExpression
from cyclonedx.spdx import fixup_id, is_expression
from packaging.metadata import RawMetadata

_DECLARED = LicenseAcknowledgement.DECLARED
_LONGEST_NAME = 100  # characters; a longer `License` is the text of a licence
_LONGEST_EXPRESSION = 1000
_MOST_NAMES = 20  # there are fewer than a hundred classifiers of licences; more than a few are noise
_PREFIX = "License :: "
_NOT_NAMES = frozenset({"", "unknown", "none", "other", "license", "see license", "license.txt", "license.md"})

# Classifiers that name exactly one licence of the SPDX list.
_CLASSIFIERS = {
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "CeCILL-B Free Software License Agreement (CECILL-B)": "CECILL-B",
    "CeCILL-C Free Software License Agreement (CECILL-C)": "CECILL-C",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
    "Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    "Common Public License": "CPL-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "European Union Public Licence 1.0 (EUPL 1.0)": "EUPL-1.0",
    "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    "Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    "PostgreSQL License": "PostgreSQL",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "W3C License": "W3C",
    "zlib/libpng License": "Zlib",
}

# What people write into `License`, after `_key`.
_WRITTEN = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "2 clause bsd": "BSD-2-Clause",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 2": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd 3": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "gplv2": "GPL-2.0-only",
    "gplv3": "GPL-3.0-only",
    "gplv3+": "GPL-3.0-or-later",
    "isc": "ISC",
    "isc iscl": "ISC",
    "lgplv3": "LGPL-3.0-only",
    "lgplv3+": "LGPL-3.0-or-later",
    "mit": "MIT",
    "mozilla public 2.0": "MPL-2.0",
    "mozilla public 2.0 mpl 2.0": "MPL-2.0",
    "mpl 2": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "mpl2": "MPL-2.0",
    "psf": "PSF-2.0",
    "python foundation": "PSF-2.0",
    "unlicense": "Unlicense",
    "zlib": "Zlib",
}
_NOISE = frozenset({"the", "license", "licence", "licensed", "software", "version", "under"})


def licences(metadata: RawMetadata) -> tuple[License, ...]:
    """The declared licences: one expression, or ids, or names; empty when nothing is said."""
    factory = LicenseFactory()
    expression = metadata.get("license_expression", "").strip()
    if expression and len(expression) <= _LONGEST_EXPRESSION:  # half of one would say something else
        return (factory.make_from_string(expression, license_acknowledgement=_DECLARED),)
    written = metadata.get("license", "").strip()
    classifiers = [name.rpartition(" :: ")[2] for name in metadata.get("classifiers", []) if name.startswith(_PREFIX)]
    spdx = _spdx(written)
    if spdx is not None and fixup_id(spdx) is None:
        return (LicenseExpression(spdx, acknowledgement=_DECLARED),)
    ids = {name for name in (spdx, *map(_CLASSIFIERS.get, classifiers)) if name}
    if ids:
        return tuple(DisjunctiveLicense(id=name, acknowledgement=_DECLARED) for name in sorted(ids))
    return tuple(DisjunctiveLicense(name=name, acknowledgement=_DECLARED) for name in _names(written, classifiers))


def _spdx(written: str) -> str | None:
    """The SPDX id or expression that a `License` field means, if that is certain."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if len(lines) == 1 and len(written) <= _LONGEST_NAME:
        if exact := fixup_id(written):
            return exact
        if " " in written and is_expression(written):
            return written
    # A whole text begins with its name: "MIT License", "Apache License" + "Version 2.0, January 2004".
    for count in (1, 2):
        if known := _WRITTEN.get(_key(" ".join(lines[:count]).split(", January")[0])):
            return known
    return None


def _key(text: str) -> str:
    """Lower case, without punctuation and the words that say nothing."""
    words = re.findall(r"[a-z0-9.+]+", text.lower())
    return " ".join(word.strip(".") for word in words if word.strip(".") not in _NOISE)


def _names(written: str, classifiers: Iterable[str]) -> list[str]:
    """Names for people, where no SPDX id is certain."""
    usable = "\n" not in written and len(written) <= _LONGEST_NAME and written.lower() not in _NOT_NAMES
    return sorted({name[:_LONGEST_NAME] for name in classifiers if name != "OSI Approved"})[:_MOST_NAMES] or ([written] if usable else [])
