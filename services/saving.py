"""Saving a channel with nothing asked: what is not said is taken from the admin's defaults."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services import names
from services.clients.pacing import answered
from services.errors import AlreadyActive, AlreadySaved, NotFound, PorterError, ReaderMissing
from services.links import ChannelLink
from services.profiles import ProfileService
from services.readers import Readers
from services.sources import SourceCard, SourceService
from storage.channels import ChannelRepository
from storage.models import Channel, NewSource, Profile, Run, Scope, Session, Source, Start, TargetKind

LONGEST_NAME = 60
FIND_SECONDS = 9.0
SINGLE_POSTS = "single posts"
NAMELESS = "Channel"


@dataclass(frozen=True, slots=True)
class Offer:
    """A channel that could be saved, and how it would be. `readers`: accounts that can read it. `session_id`: the one
    that does, unless the admin chooses another. `whole`, `single`: what carries the channel, or single posts of it,
    already."""

    channel: Channel
    readers: tuple[Session, ...]
    session_id: int
    whole: Source | None
    single: Source | None
    profile: Profile
    folder: str
    """With the profile's own in front."""

    @property
    def widens(self) -> Source | None:
        """The single posts that become the whole channel, when it is saved."""
        return self.single if self.whole is None else None

    @property
    def reader(self) -> Session | None:
        """None: what is saved already is read by an account that cannot any more."""
        return next((each for each in self.readers if each.id == self.session_id), None)

    @property
    def has_choice(self) -> bool:
        """Whether another account could be chosen: what is saved already keeps its own."""
        return len(self.readers) > 1 and self.whole is None and self.single is None


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one of several: a source, whose run is queued, or why there is none."""

    title: str
    source: Source | None
    error: PorterError | None


class SavingService:
    def __init__(
        self,
        channels: ChannelRepository,
        readers: Readers,
        sources: SourceService,
        profiles: ProfileService,
    ) -> None:
        self._channels = channels
        self._readers = readers
        self._sources = sources
        self._profiles = profiles
        self._making = asyncio.Lock()
        """Of two taps at once the second finds what the first has made."""

    async def find(self, link: ChannelLink, username: str | None = None, session_id: int = 0) -> Channel:
        """As Readers.find, no longer than an admin would wait. `session_id`: who should read it; 0: anyone."""
        if session_id and isinstance(link.channel, int):
            met = await answered(self._readers.introduce(session_id, link.channel), FIND_SECONDS)
            if met is not None:
                return met
        return await answered(self._readers.find(link, username), FIND_SECONDS)

    async def offer(self, admin_id: int, channel_id: int, session_id: int | None = None) -> Offer:
        """`session_id`: whom the admin has chosen; else the account that a channel was saved with last, a person's
        before a bot. Raises NotFound, and ReaderMissing where no account can read it."""
        channel = await self._channels.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        saved = await self._sources.of_channel(channel_id)
        whole = next((each for each in saved if each.scope is Scope.CHANNEL), None)
        single = next((each for each in saved if each.scope is Scope.POSTS), None)
        readers = tuple(await self._readers.of(channel))
        if not readers and not saved:
            raise ReaderMissing
        profile = await self._profiles.get(admin_id)
        return Offer(
            channel,
            readers,
            await self._reader(readers, whole or single, session_id),
            whole,
            single,
            profile,
            await self._folder(profile, channel.title),
        )

    async def _reader(self, readers: Sequence[Session], saved: Source | None, asked: int | None) -> int:
        """What is saved already keeps its account. `readers` may be empty then alone."""
        if saved is not None:
            return saved.session_id
        if asked is not None and asked in {each.id for each in readers}:
            return asked
        first = readers[0]
        alike = {each.id for each in readers if each.kind is first.kind}
        newest = max((each for each in await self._sources.bare() if each.session_id in alike), key=_id, default=None)
        return newest.session_id if newest is not None else first.id

    async def meet(self, channel: Channel, session_id: int) -> None:
        """The account can address the channel when this returns. Raises as Readers.peer."""
        await self._readers.peer(session_id, channel)

    async def save(
        self, admin_id: int, channel_id: int, session_id: int, timezone: str, start: Start | None = None
    ) -> SourceCard:
        """A source of the whole channel, by the admin's defaults; one of single posts becomes it. `start` None: from
        the channel's beginning. Its run is not begun here.

        Raises AlreadySaved, ReaderMissing, and what SourceService.create and Readers.peer raise.
        """
        async with self._making:
            offer = await self._ready(admin_id, channel_id, session_id)
            if offer.whole is not None:
                raise AlreadySaved(offer.whole.id)
            new = await self._new(offer, session_id, offer.channel.title, Scope.CHANNEL, start)
            if offer.single is not None:
                return await self._sources.widen(offer.single.id, new, offer.profile.cron, timezone)
            return await self._sources.create(new, offer.profile.cron, timezone)

    async def keep(self, new: NewSource, cron: str | None, timezone: str) -> SourceCard:
        """`new` as an admin has filled it in; single posts of the channel become it, and keep account and folder.

        Raises what SourceService.create and SourceService.widen raise.
        """
        async with self._making:
            saved = {each.scope: each for each in await self._sources.of_channel(new.channel_id)}
            if Scope.POSTS in saved and Scope.CHANNEL not in saved:
                return await self._sources.widen(saved[Scope.POSTS].id, new, cron, timezone)
            return await self._sources.create(new, cron, timezone)

    async def begin(
        self, admin_id: int, channel_id: int, session_id: int, timezone: str, start: Start | None = None
    ) -> Run:
        """`save`, and its first run. Raises as `save`, and AlreadyActive."""
        source = (await self.save(admin_id, channel_id, session_id, timezone, start)).source
        return await self._sources.scrape(source.id, admin_id)

    async def save_posts(self, admin_id: int, channel_id: int, session_id: int, posts: Sequence[int]) -> Run:
        """Those posts, by what carries the channel already, or by a source of single posts, which is made once.

        Raises AlreadyActive, and as `save`.
        """
        async with self._making:
            offer = await self._ready(admin_id, channel_id, session_id)
            source = offer.whole or offer.single
            if source is None:
                name = f"{offer.channel.title[: LONGEST_NAME - len(SINGLE_POSTS) - 1]} {SINGLE_POSTS}"
                new = await self._new(offer, session_id, name, Scope.POSTS, None)
                source = (await self._sources.create(new, None, "UTC")).source
        return await self._sources.scrape(source.id, admin_id, posts=posts)

    async def save_several(
        self, admin_id: int, session_id: int, channel_ids: Sequence[int], timezone: str
    ) -> list[Made]:
        """Each with a source and a folder of its own, and its run queued. What fails keeps no other from being made."""
        made = []
        for channel_id in channel_ids:
            channel = await self._channels.get(channel_id)
            title = channel.title if channel else str(channel_id)
            try:
                source = (await self.save(admin_id, channel_id, session_id, timezone)).source
                await self._start(source.id, admin_id)
                made.append(Made(title, source, None))
            except PorterError as error:
                made.append(Made(title, None, error))
        return made

    async def _start(self, source_id: int, admin_id: int) -> None:
        try:
            await self._sources.scrape(source_id, admin_id)
        except AlreadyActive:
            return  # its single posts are on their way; the schedule brings the rest

    async def _ready(self, admin_id: int, channel_id: int, session_id: int) -> Offer:
        """The account can address the channel when this returns."""
        offer = await self.offer(admin_id, channel_id, session_id)
        if offer.whole is None and offer.single is None:
            if session_id not in {each.id for each in offer.readers}:
                raise ReaderMissing
            await self.meet(offer.channel, session_id)
        return offer

    async def _new(self, offer: Offer, session_id: int, name: str, scope: Scope, start: Start | None) -> NewSource:
        profile, single = offer.profile, offer.single
        return NewSource(
            name=await self.unique_name(name),
            session_id=session_id,
            channel_id=offer.channel.id,
            filters=profile.filters,
            target=TargetKind.LOCAL if profile.root is None else TargetKind.NAS,
            folder=single.folder if single else offer.folder,
            root=single.root if single else profile.root,
            name_template=profile.name_template,
            duplicates=profile.duplicates,
            scope=scope,
            start=start,
            only_matching=profile.only_matching,
            live=profile.live and scope is Scope.CHANNEL,
        )

    async def unique_name(self, title: str) -> str:
        """For a source of a channel of that title: with a number behind it where the name is taken."""
        taken = {source.name.casefold() for source in await self._sources.bare()}
        plain = " ".join("".join(c if c.isprintable() else " " for c in title).split()) or NAMELESS
        return _free(plain, " ", taken, LONGEST_NAME)

    async def _folder(self, profile: Profile, title: str) -> str:
        """Below the profile's own; no other source's."""
        taken = {source.folder.casefold() for source in await self._sources.bare() if source.root == profile.root}
        base = f"{profile.folder}/" if profile.folder else ""
        inner = {each.removeprefix(base.casefold()) for each in taken if each.startswith(base.casefold())}
        return base + _free(names.folder_for(title), "-", inner, names.FOLDER_BYTES)


def _id(source: Source) -> int:
    """Ascends as they were made."""
    return source.id


def _free(wanted: str, joint: str, taken: set[str], longest: int) -> str:
    """`wanted`, or the first of "wanted 2", "wanted 3", ... that is not taken."""
    candidate, number = wanted[:longest].rstrip(), 1
    while candidate.casefold() in taken:
        number += 1
        tail = f"{joint}{number}"
        candidate = wanted[: longest - len(tail)].rstrip() + tail
    return candidate
