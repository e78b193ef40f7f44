import subprocess

