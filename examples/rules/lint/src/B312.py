import telnetlib

telnetlib.Telnet("host")

