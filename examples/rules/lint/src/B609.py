import os

os.system("/bin/chown root: *")

