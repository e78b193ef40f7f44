from django.contrib.auth.models import User

User.objects.filter(name="a").extra(select={"x": column})

