"""Under the list of files that could not be fetched."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import FailedFile, FailedVerb, SourceAction, SourceVerb
from handlers.keyboards.base import button, home_row, markup, turning
from handlers.texts import Texts
from services.sources import FailedFiles


def listing(texts: Texts, failed: FailedFiles) -> InlineKeyboardMarkup:
    """A tap on a file tries it once more."""
    source_id = failed.source.id

    def turn(page: int) -> FailedFile:
        return FailedFile(verb=FailedVerb.LIST, source=source_id, value=page)

    retry = SourceAction(verb=SourceVerb.RETRY, id=source_id)
    return markup(
        [button(texts.sources.retry_label(failed.count), retry, "primary")] if failed.count else [],
        *[
            [button(f"↻ {file.name}", FailedFile(verb=FailedVerb.RETRY, source=source_id, value=file.id))]
            for file in failed.files
        ],
        turning(texts, failed.page, failed.count, (turn(failed.page - 1), turn(failed.page + 1))),
        home_row(texts, SourceAction(verb=SourceVerb.SHOW, id=source_id)),
    )
