import os

os.execv(path, arguments)

