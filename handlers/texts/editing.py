"""Changing a saved channel: its folder, the names of its files, what happens to duplicates."""

from collections.abc import Sequence

from handlers.texts.base import Words, plural, quote, title
from handlers.texts.sources import DUPLICATES, SourceTexts
from services.sources import SourceCard
from services.templates import DEFAULT
from storage.models import Duplicates, Session, Source

DATE_EXAMPLE = "{date:%Y-%m}"
EXAMPLE = "{date:%Y}/{id} {name}"


class EditTexts(Words):
    def menu(self, card: SourceCard) -> str:
        source = card.source
        return (
            f"{self.heading(source.name)}: what shall change?\n"
            f"from {title(source.channel_title)}, {SourceTexts(self._zone, self._now).what(source)}\n"
            f"to {SourceTexts.place(source.root, source.folder)}\n"
            f"named <code>{quote(source.name_template or DEFAULT)}</code>"
        )

    @staticmethod
    def duplicates_word(duplicates: Duplicates) -> str:
        return DUPLICATES[duplicates].removeprefix("duplicates are ")

    def ask_name(self, source: Source) -> str:
        return f"What shall Porter call {title(source.name)}? Send the name. Folder and files stay as they are."

    def ask_account(self, source: Source, now: Session, others: bool) -> str:
        asked = (
            "Which one shall read it from now on? These see the channel as well."
            if others
            else "No other account has met the channel. Open it in the list of that account's channels first."
        )
        return f"{title(source.name)} is read through {title(now.name)}. {asked}"

    def ask_account_move(self, card: SourceCard, before: Session, after: Session) -> str:
        goes_on = " What is being saved now goes on there, where it stands." if card.run else ""
        return (
            f"From now on {title(card.source.name)} is read through {title(after.name)} instead of "
            f"{title(before.name)}. Nothing is fetched twice.{goes_on} Do it?"
        )

    def account_moved(self) -> str:
        return "Done. Nothing is lost."

    def ask_folder(self, source: Source, root: str | None, folder: str) -> str:
        return (
            f"Where shall files of {title(source.name)} go? Now: {SourceTexts.place(source.root, source.folder)}\n"
            f"Chosen: <b>{SourceTexts.place(root, folder)}</b>. Keep that, or type another folder name."
        )

    def ask_move(self, card: SourceCard, root: str | None, folder: str) -> str:
        source = card.source
        there = (
            f"The {plural(card.tally.done, 'file')} saved so far stay where they are: nothing is moved."
            if card.tally.done
            else "Nothing is saved yet."
        )
        return (
            f"From now on files of {title(source.name)} go to <b>{SourceTexts.place(root, folder)}</b> instead of "
            f"{SourceTexts.place(source.root, source.folder)}.\n{there} What has come of an unfinished file is "
            "fetched anew. Do it?"
        )

    def ask_names(self, source: Source) -> str:
        return self.ask_names_of(title(source.name), source.name_template)

    def ask_names_of(self, whose: str, template: str | None) -> str:
        return (
            f"<b>Names of files</b> of {whose}\n"
            f"Now: <code>{quote(template or DEFAULT)}</code>\n"
            f"Send a template such as <code>{EXAMPLE}</code>; each / makes a folder. There are:\n"
            "<code>{id}</code> number of the post · <code>{name}</code> the file's own name\n"
            f"<code>{DATE_EXAMPLE}</code> its date · <code>{{channel}}</code> title\n"
            "<code>{caption}</code> first line of its text · <code>{album}</code> number of its album\n"
            "<code>{sender}</code> number of who posted it\n"
            "Files that are saved already keep their names."
        )

    def preview(self, template: str, names: Sequence[str]) -> str:
        shown = "\n".join(f"<code>{quote(name)}</code>" for name in names)
        return (
            f"With <code>{quote(template)}</code> files are called:\n{shown}\n"
            "It holds from the next save on. Use these names, or type another template."
        )

    def ask_duplicates(self, source: Source) -> str:
        return self.ask_duplicates_of(title(source.name), source.duplicates)

    def ask_duplicates_of(self, whose: str, now: Duplicates) -> str:
        marks = {kind: "● " if kind is now else "" for kind in Duplicates}
        return (
            f"What shall {whose} do with a file that Porter has saved already, here or for another "
            "channel? It holds from the next save on.\n"
            f"{marks[Duplicates.KEEP]}<b>Keep each</b>: fetched and stored as often as it is posted\n"
            f"{marks[Duplicates.LINK]}<b>Link them</b>: one file on the disk under several names (hard links); not "
            "fetched again. Changing one changes all. On another disk it is kept\n"
            f"{marks[Duplicates.SKIP]}<b>Leave them out</b>: only the first one is stored"
        )
