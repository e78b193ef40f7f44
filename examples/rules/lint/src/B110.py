try:
    save()
except Exception:
    pass

