"""What is filled in of a channel that is being added: the admin's defaults first, then each answer."""

from typing import Any

from handlers.edit_filters import chosen_filters, chosen_start
from handlers.keyboards.filters import NEW_SOURCE
from services.filters import pack_filters
from services.saving import Offer
from services.sources import LONGEST_NAME
from storage.models import Duplicates, NewSource, StartKind, TargetKind

Form = dict[str, Any]


def filled_in(offer: Offer, session_id: int, name: str) -> Form:
    """With nothing asked yet. Single posts that are saved keep their account and folder when the channel joins them;
    `single` is their name, `saved` that of what carries the channel already."""
    profile, single = offer.profile, offer.widens
    return {
        "of": NEW_SOURCE,
        "session": single.session_id if single else session_id,
        "channel": offer.channel.id,
        "title": offer.channel.title,
        "filters": pack_filters(profile.filters),
        "only_matching": profile.only_matching,
        "root": single.root if single else profile.root,
        "folder": single.folder if single else offer.folder,
        "cron": profile.cron,
        "name": name,
        "name_template": profile.name_template,
        "duplicates": profile.duplicates,
        "live": profile.live,
        "single": single.name if single else None,
        "saved": offer.whole.name if offer.whole else None,
    }


def new_source(form: Form) -> NewSource:
    start = chosen_start(form)
    return NewSource(
        name=form.get("name") or form["title"][:LONGEST_NAME],
        session_id=form["session"],
        channel_id=form["channel"],
        filters=chosen_filters(form),
        target=TargetKind.NAS if form.get("root") else TargetKind.LOCAL,
        folder=form["folder"],
        root=form.get("root"),
        start=None if start.kind is StartKind.EVERYTHING else start,
        only_matching=bool(form.get("only_matching")),
        name_template=form.get("name_template"),
        duplicates=Duplicates(form.get("duplicates", Duplicates.KEEP)),
        live=bool(form.get("live")),
    )
