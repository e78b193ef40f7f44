from markupsafe import Markup

Markup(f"<b>{comment}</b>")

