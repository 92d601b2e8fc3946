"""A QR code as a picture. What it carries may be a secret: it becomes pixels here and stays in no text."""

from io import BytesIO

import segno

BORDER = 4
"""Modules of quiet around it, which readers want (ISO/IEC 18004)."""
PIXELS = 500


def qr_picture(content: str) -> bytes:
    """A PNG of about PIXELS by PIXELS."""
    code = segno.make(content, error="m", micro=False)
    width, _ = code.symbol_size(scale=1, border=BORDER)
    drawn = BytesIO()
    code.save(drawn, kind="png", scale=max(1, PIXELS // int(width)), border=BORDER)
    return drawn.getvalue()
