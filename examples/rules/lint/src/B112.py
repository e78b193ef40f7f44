for record in records:
    try:
        save(record)
    except Exception:
        continue

