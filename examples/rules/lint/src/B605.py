import os

os.system(command)

