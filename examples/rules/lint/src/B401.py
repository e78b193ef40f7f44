import telnetlib

