import tarfile

tarfile.open("upload.tar").extractall("/tmp/work")

