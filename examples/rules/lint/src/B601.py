import paramiko

client = paramiko.SSHClient()
client.exec_command(command)

