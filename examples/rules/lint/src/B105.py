password = "correct-horse"

