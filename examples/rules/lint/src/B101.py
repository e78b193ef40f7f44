def withdraw(amount, balance):
    assert amount <= balance

