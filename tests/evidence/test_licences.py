"""What people write into metadata, and what it means for certain."""

import pytest
from cyclonedx.model.license import LicenseExpression
from cyclonedx.spdx import is_supported_id
from packaging.metadata import parse_email

from shipsafe.evidence.licences import _CLASSIFIERS, _WRITTEN, _key, licences

APACHE = "License :: OSI Approved :: Apache Software License"
BSD = "License :: OSI Approved :: BSD License"
MIT = "License :: OSI Approved :: MIT License"


def said(*headers: str) -> list[str]:
    """Kind and value of each licence."""
    raw, _ = parse_email("\n".join(["Metadata-Version: 2.4", "Name: demo", *headers, "", ""]))
    found = []
    for one in licences(raw):
        if isinstance(one, LicenseExpression):
            found.append(f"expression {one.value}")
        else:
            found.append(f"id {one.id}" if one.id else f"name {one.name}")
    return found


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (("License-Expression: MIT",), ["id MIT"]),
        (("License-Expression: MIT OR Apache-2.0", f"Classifier: {BSD}"), ["expression MIT OR Apache-2.0"]),
        (("License-Expression: Something Else",), ["name Something Else"]),
        (("License: Apache 2.0",), ["id Apache-2.0"]),
        (("License: Apache License, Version 2.0", f"Classifier: {APACHE}"), ["id Apache-2.0"]),
        (("License: apache-2.0",), ["id Apache-2.0"]),
        (("License: The MIT License",), ["id MIT"]),
        (("License: BSD-3-Clause", f"Classifier: {BSD}"), ["id BSD-3-Clause"]),
        (("License: BSD 3-Clause License",), ["id BSD-3-Clause"]),
        (("License: BSD", f"Classifier: {BSD}"), ["name BSD License"]),
        (("License: MIT OR GPL-3.0-only",), ["expression MIT OR GPL-3.0-only"]),
        ((f"Classifier: {MIT}",), ["id MIT"]),
        ((f"Classifier: {MIT}", "Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)"), ["id MIT", "id MPL-2.0"]),
        ((f"Classifier: {APACHE}",), ["name Apache Software License"]),
        (("License: Dual License",), ["name Dual License"]),
        (("License: UNKNOWN",), []),
        (("License: MIT License\n        \n        Copyright (c) 2020\n        \n        Permission is hereby granted",), ["id MIT"]),
        (("License: Apache License\n        Version 2.0, January 2004\n        http://www.apache.org/",), ["id Apache-2.0"]),
        (("License: Copyright (c) 2020\n        All rights reserved.",), []),
        (("Classifier: License :: OSI Approved",), []),
        ((), []),
    ],
)  # fmt: skip
def test_a_licence_is_spdx_where_that_is_certain_and_a_name_where_it_is_not(headers: tuple[str, ...], expected: list[str]) -> None:
    assert said(*headers) == expected


def test_every_id_of_our_tables_is_one_of_spdx() -> None:
    assert [name for name in (*_CLASSIFIERS.values(), *_WRITTEN.values()) if not is_supported_id(name)] == []


def test_every_spelling_of_our_table_is_one_that_can_be_met() -> None:
    assert [text for text in _WRITTEN if _key(text) != text] == []


def test_a_flood_of_licences_is_bounded() -> None:
    found = said(*(f"Classifier: License :: {number:06} {'x' * 1000}" for number in range(10_000)))
    assert len(found) == 20
    assert max(map(len, found)) < 120


def test_half_of_an_expression_is_never_shown() -> None:
    assert said(f"License-Expression: {'MIT OR ' * 1000}GPL-3.0-only") == []
