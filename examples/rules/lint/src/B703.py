from django.utils.safestring import mark_safe


def show(comment):
    return mark_safe(comment)

