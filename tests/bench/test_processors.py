"""Every machine that runs the tests compares the bytes of its own processor with those of all others."""

from bench.processors import corpus, digest


def test_this_processor_compresses_to_the_bytes_of_all_others() -> None:
    """The digest was made on x86-64 with AVX-512, and is the same under emulation from SSE2 to AVX2, and on aarch64."""
    assert digest() == "a2d92241e99b39801c84a62ce0d700571be91d2509a0f3d86c6a320c9481990b"


def test_the_data_is_of_every_kind() -> None:
    sizes = [len(data) for data in corpus()]
    assert len(sizes) == 6
    assert max(sizes) > 1_000_000 > min(sizes)
