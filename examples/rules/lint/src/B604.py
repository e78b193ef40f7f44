run("ls", shell=True)

