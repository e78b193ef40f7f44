import jinja2

jinja2.Environment(autoescape=False)

