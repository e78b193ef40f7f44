"""Whether compressed bytes depend on the processor: the same data, compressed as if on others.

`python bench/processors.py` needs `qemu-x86_64` (Debian: `qemu-user`), which runs this Python on processors without the instructions
that libdeflate chooses its code by. `--digest` only prints this processor's digest, for a machine of another architecture to compare.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

import deflate

# No vector instructions but SSE2; then with SSE4 and carry-less multiplication, AVX, and AVX2 with BMI2.
MODELS = ("qemu64", "core2duo", "Nehalem", "Westmere", "SandyBridge", "Haswell")
LEVEL = 6  # as in shipsafe.packing.archive


def corpus() -> Iterator[bytes]:
    """Data of every kind that libdeflate treats differently, made of nothing but SHA-256: text, noise, zeros, records, and a mixture."""
    stream = hashlib.shake_256(b"shipsafe").digest(900_000)
    words = [stream[n : n + 2 + stream[n] % 9].hex().encode() for n in range(0, 60_000, 20)]
    text = b" ".join(words[int.from_bytes(stream[n : n + 2], "big") % len(words)] for n in range(100_000, 700_000, 3))
    yield text
    yield stream[:300_000]
    yield bytes(2_000_000)
    yield b"".join((n * 37 % 9973).to_bytes(4, "little") + bytes([n % 7, n % 251]) for n in range(150_000))
    yield text[:900] + bytes(50_000) + text[1000:90_000] + stream[:5000]
    yield b"short"


def digest() -> str:
    """SHA-256 over the compressed corpus."""
    found = hashlib.sha256()
    for data in corpus():
        found.update(deflate.deflate_compress(data, LEVEL))
    return found.hexdigest()


def main() -> int:
    """Compare this processor with the emulated ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digest", action="store_true", help="print the digest of this processor and do nothing else")
    here = digest()
    if parser.parse_args().digest:
        print(here)
        return 0
    emulator = shutil.which("qemu-x86_64")
    if emulator is None:
        sys.stderr.write("qemu-x86_64 is not installed (Debian: qemu-user).\n")
        return 1
    print(f"{here}  this processor")
    same = True
    for model in MODELS:
        done = subprocess.run([emulator, "-cpu", model, sys.executable, __file__, "--digest"], capture_output=True, text=True, check=True)
        print(f"{done.stdout.strip()}  {model}")
        same = same and done.stdout.strip() == here
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
