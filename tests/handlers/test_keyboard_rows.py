"""How buttons stand beside each other on a phone."""

from handlers.callbacks import Go, Place
from handlers.keyboards.base import HALF_ROW, button, pairs


def test_a_long_label_stands_alone() -> None:
    """Two a row, in their order, as long as half a row shows both."""
    labels = ["Every hour", "Every 6 hours", "At 07:00", "At 07:00, only on Monday", "At 12:00", "x" * HALF_ROW]
    rows = pairs(button(label, Go(to=Place.HOME)) for label in labels)
    assert [[key.text for key in row] for row in rows] == [labels[:2], [labels[2]], [labels[3]], labels[4:]]
