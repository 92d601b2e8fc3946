"""Reading what a picture shows, as the camera of a phone would."""

from io import BytesIO

from sandbox.control.body import ControlError


def qr_code_in(content: bytes) -> str | None:
    """The text of the first QR code; None when there is none. Raises ControlError 400 for what is no picture."""
    try:
        import zxingcpp
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise ControlError(501, "pictures are read with zxing-cpp and Pillow: install the dev extra") from None
    try:
        picture = Image.open(BytesIO(content))
        picture.load()
    except (UnidentifiedImageError, OSError):
        raise ControlError(400, "the photo is no picture that can be read") from None
    found = zxingcpp.read_barcodes(picture.convert("L"))
    return next((code.text for code in found if code.format == zxingcpp.BarcodeFormat.QRCode), None)
