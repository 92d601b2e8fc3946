"""Before a first run that would bring very much: how much, how long, how much room there is - and the question."""

from handlers import keyboards
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.estimates import Estimator
from services.sources import SourceCard


async def asks_first(card: SourceCard, screen: AdminScreen, texts: Texts, estimator: Estimator) -> bool:
    """Whether the question was shown. What has come to an end once is not asked about any more, and neither is what
    Telegram does not let us look at."""
    if card.run is not None or card.source.last_scraped_at is not None:
        return False
    await screen.answer()
    estimate = await estimator.first_run(card.source, card.tally)
    if estimate is None or not estimator.needs_asking(estimate):
        return False
    await screen.show(Page(texts.estimates.ask(estimate), keyboards.filters.first_run(texts, card.source.id)))
    return True
