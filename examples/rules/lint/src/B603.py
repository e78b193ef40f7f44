import subprocess

subprocess.run([tool, name])

