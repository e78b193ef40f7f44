def connect(user, password="correct-horse"):
    return user, password

