import subprocess

subprocess.run(["convert", "in.png"])

