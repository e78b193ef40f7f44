import tempfile

tempfile.mktemp()

