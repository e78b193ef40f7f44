"""Of the machine's pip configuration the chains get the way to the index, and nothing that costs them time."""

import os

from bench.tools import pip_environment


def test_the_index_and_the_way_to_it_are_kept() -> None:
    found = pip_environment("global.index-url='https://index.example/simple'\n:env:.cert='/etc/ca.pem'\nglobal.timeout='60'\n")
    assert (found["PIP_INDEX_URL"], found["PIP_CERT"], found["PIP_TIMEOUT"]) == ("https://index.example/simple", "/etc/ca.pem", "60")
    assert found["PIP_CONFIG_FILE"] == os.devnull


def test_further_indexes_and_folders_are_left_out() -> None:
    found = pip_environment("global.extra-index-url='file:///packages'\nglobal.find-links='/wheels'\nfreeze.timeout='10'\n")
    assert (found["PIP_EXTRA_INDEX_URL"], found["PIP_FIND_LINKS"]) == ("", "")
    assert "PIP_TIMEOUT" not in found
