from django.db.models.expressions import RawSQL

User.objects.annotate(val=RawSQL("select %s" % column, []))

