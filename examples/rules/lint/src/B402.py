import ftplib

