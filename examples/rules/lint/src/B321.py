import ftplib

ftplib.FTP("host")

