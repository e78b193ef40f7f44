def find(cursor, name):
    cursor.execute("SELECT * FROM orders WHERE name = '%s'" % name)

