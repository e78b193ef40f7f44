"""Says how large a picture is to become; the largest side is given."""

import humanize


def handler(event: dict, _context: object) -> dict:
    """Scale a size so that its larger side is `most` pixels."""
    width, height, most = (int(event[name]) for name in ("width", "height", "most"))
    scale = min(1.0, most / max(width, height))
    size = (round(width * scale), round(height * scale))
    return {"width": size[0], "height": size[1], "pixels": humanize.intcomma(size[0] * size[1])}
