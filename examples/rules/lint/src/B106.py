connect(user="app", password="correct-horse")

