"""The tables, as SQLAlchemy Core sees them. Migrations create them; a test compares the two.

Every table is STRICT, every id AUTOINCREMENT (a deleted id never comes back, so an old button cannot hit a
stranger's row and the vault's associated data never repeats). `*_sealed` columns hold ciphertext of the vault.
"""

from sqlalchemy import (
    DDL,
    Column,
    Computed,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.schema import SchemaItem

from storage.triggers import TRIGGERS
from storage.types import Flag, Id64, Json, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *columns: SchemaItem, autoincrement: bool = True, rowid: bool = True) -> Table:
    """`rowid` False: rows lie in the order of their key, which stands in the file once and not twice."""
    return Table(
        name,
        metadata,
        *columns,
        sqlite_strict=True,
        sqlite_autoincrement=autoincrement,
        sqlite_with_rowid=rowid,
    )


# What the database is: bot id, network, key check, vault salt.
meta = _table(
    "meta",
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    autoincrement=False,
)

admins = _table(
    "admins",
    Column("user_id", Id64, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("timezone", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("last_home_at", UtcTime),
    Column("unreachable_at", UtcTime),
    autoincrement=False,
)

# The channels of an approver. An owner needs none, a viewer sees all and decides nothing.
admin_channels = _table(
    "admin_channels",
    Column("admin_id", Id64, ForeignKey("admins.user_id", ondelete="CASCADE"), primary_key=True),
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True),
    autoincrement=False,
)

# What an admin's channels are saved with when nothing else is said.
profiles = _table(
    "profiles",
    Column("admin_id", Id64, ForeignKey("admins.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("filters", Json, nullable=False),
    Column("root", Text),
    Column("folder", Text, nullable=False),
    Column("cron", Text),
    Column("name_template", Text),
    Column("duplicates", Text, nullable=False),
    Column("only_matching", Flag, nullable=False),
    Column("live", Flag, nullable=False),
    autoincrement=False,
)

pins = _table(
    "pins",
    Column("id", Id64, primary_key=True),
    Column("admin_id", Id64, ForeignKey("admins.user_id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("hash_sealed", LargeBinary),
    Column("tries", Id64, nullable=False),
    Column("locked_until", UtcTime),
)

# Who did what, when, to what. No foreign keys: a line outlives the admin and the subject. Never a secret in it.
audit = _table(
    "audit",
    Column("id", Id64, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("admin_id", Id64),
    Column("admin_name", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Json, nullable=False),
)

# admin_id is no foreign key: a screen may outlive the role.
screens = _table(
    "screens",
    Column("admin_id", Id64, primary_key=True, autoincrement=False),
    Column("message_id", Id64, nullable=False),
    Column("sent_at", UtcTime, nullable=False),
    Column("run_id", Id64),
    autoincrement=False,
)

# FSM state and data of aiogram, sealed: conversations survive a restart.
conversations = _table(
    "conversations",
    Column("id", Id64, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("state", Text),
    Column("data_sealed", LargeBinary),
)

confirmations = _table(
    "confirmations",
    Column("id", Id64, primary_key=True),
    Column("admin_id", Id64, nullable=False),
    Column("verb", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

sessions = _table(
    "sessions",
    Column("id", Id64, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("user_id", Id64, nullable=False, unique=True),
    Column("account_name", Text, nullable=False),
    Column("username", Text),
    Column("masked_phone", Text, nullable=False),
    Column("api_id", Id64, nullable=False),
    Column("api_hash_sealed", LargeBinary),
    Column("phone_sealed", LargeBinary),
    Column("credential_sealed", LargeBinary),
    Column("fingerprint", LargeBinary, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("checked_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("proxy_sealed", LargeBinary),
    Column("kind", Text, nullable=False, server_default="USER"),
    Column("token_sealed", LargeBinary),
)

login_attempts = _table(
    "login_attempts",
    Column("id", Id64, primary_key=True),
    Column("admin_id", Id64, nullable=False, unique=True),
    Column("step", Text, nullable=False),
    Column("payload_sealed", LargeBinary),
    Column("deadline", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

channels = _table(
    "channels",
    Column("id", Id64, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("username", Text),
    Column("kind", Text, nullable=False),
    Column("members", Id64),
    Column("bot_may_invite", Flag),
    Column("updated_at", UtcTime, nullable=False),
    Column("migrated_to", Id64),
    autoincrement=False,
)

# Access hashes are a session's own (channels and users alike), sealed: nothing is ever resolved twice.
peers = _table(
    "peers",
    Column("id", Id64, primary_key=True),
    Column("session_id", Id64, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("peer_id", Id64, nullable=False),
    Column("access_hash_sealed", LargeBinary),
    UniqueConstraint("session_id", "peer_id"),
)

session_channels = _table(
    "session_channels",
    Column("session_id", Id64, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True),
    Column("may_invite", Flag, nullable=False),
    Column("listed_at", UtcTime, nullable=False),
    Index("ix_session_channels_channel_id", "channel_id"),
    autoincrement=False,
)

sources = _table(
    "sources",
    Column("id", Id64, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("session_id", Id64, ForeignKey("sessions.id", ondelete="RESTRICT"), nullable=False, index=True),
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="RESTRICT"), nullable=False, index=True),
    Column("filters", Json, nullable=False),
    Column("target", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("cursor", Id64, nullable=False, server_default=text("0")),
    Column("enabled", Flag, nullable=False, server_default=text("1")),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("last_scraped_at", UtcTime),
    Column("total_messages", Id64, nullable=False, server_default=text("0")),
    Column("total_files", Id64, nullable=False, server_default=text("0")),
    Column("total_bytes", Id64, nullable=False, server_default=text("0")),
    Column("root", Text),
    Column("name_template", Text),
    Column("duplicates", Text, nullable=False, server_default="KEEP"),
    Column("scope", Text, nullable=False, server_default="CHANNEL"),
    Column("start", Json),
    Column("only_matching", Flag, nullable=False, server_default=text("0")),
    Column("live", Flag, nullable=False, server_default=text("0")),
    Column("quiet_after", UtcTime),
    Column("api_id", Id64),
    Column("api_hash_sealed", LargeBinary),
)

messages = _table(
    "messages",
    Column("channel_id", Id64, primary_key=True, autoincrement=False),
    Column("id", Id64, primary_key=True, autoincrement=False),
    Column("date", UtcTime, nullable=False),
    Column("sender_id", Id64),
    Column("text", Text, nullable=False),
    Column("edited_at", UtcTime),
    Column("grouped_id", Id64),
    autoincrement=False,
    rowid=False,
)

# channel_id: a source that followed its group to a supergroup has messages of both.
source_messages = _table(
    "source_messages",
    Column("source_id", Id64, ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("channel_id", Id64, primary_key=True, autoincrement=False),
    Column("message_id", Id64, primary_key=True, autoincrement=False),
    autoincrement=False,
    rowid=False,
)

files = _table(
    "files",
    Column("id", Id64, primary_key=True),
    Column("source_id", Id64, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("channel_id", Id64, nullable=False),
    Column("message_id", Id64, nullable=False),
    Column("document_id", Id64, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("size_bytes", Id64, nullable=False),
    Column("date", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("path", Text),
    Column("sha256", LargeBinary),
    Column("attempts", Id64, nullable=False, server_default=text("0")),
    Column("cause", Text),
    Column("updated_at", UtcTime, nullable=False),
    Column("duplicate_of", Id64),
    UniqueConstraint("source_id", "document_id"),
    Index("ix_files_source_id_state", "source_id", "state", "id"),
    Index("ix_files_source_id_path", "source_id", "path", sqlite_where=text("path IS NOT NULL")),
    Index("ix_files_state_updated_at", "state", "updated_at"),
    Index("ix_files_document_id", "document_id"),
    Index("ix_files_sha256", "sha256", sqlite_where=text("sha256 IS NOT NULL")),
)

# SHA-256 of each 1 MiB part that is on disk: what a killed download may trust after reading it again.
file_parts = _table(
    "file_parts",
    Column("file_id", Id64, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Id64, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False),
    autoincrement=False,
)

_WAITING = text("status = 'PENDING'")

FACTS = (
    "(username IS NOT NULL) + 2 * (CASE has_photo WHEN 1 THEN 2 WHEN 0 THEN 1 ELSE 0 END) "
    "+ 8 * (coalesce(bio, '') <> '') + 16 * (coalesce(is_premium, 0) = 1) + 32 * (is_scam OR is_fake) "
    "+ 64 * is_alike + 128 * is_known"
)
"""The yes-and-no facts of a request in one number; storage/request_filters.py reads it."""

join_requests = _table(
    "join_requests",
    Column("id", Id64, primary_key=True),
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Id64, nullable=False),
    Column("status", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("username", Text),
    Column("bio", Text),
    Column("asked_at", UtcTime, nullable=False),
    Column("has_photo", Flag),
    Column("is_premium", Flag),
    Column("is_scam", Flag, nullable=False),
    Column("is_fake", Flag, nullable=False),
    Column("link", Text),
    Column("language", Text),
    Column("user_chat_id", Id64),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("decided_at", UtcTime),
    Column("decided_by", Id64),
    Column("way", Text),
    # Alike are those whose words have one shape, and who asked in one hour (storage/request_filters.py).
    Column("shape", Id64),
    Column("is_alike", Flag, nullable=False, server_default=text("0")),
    Column("is_known", Flag, nullable=False, server_default=text("0")),
    Column("is_banned", Flag, nullable=False, server_default=text("0")),
    Column("refusal", Text),
    Column("rule_id", Id64),
    # NULL: the rules are still to look at them.
    Column("judged_at", UtcTime),
    Column("greeted_at", UtcTime),
    Column("facts", Id64, Computed(FACTS, persisted=False)),
    Index("uq_join_requests_pending", "channel_id", "user_id", unique=True, sqlite_where=_WAITING),
    Index("ix_join_requests_channel_id", "channel_id"),
    Index("ix_join_requests_person", "user_id", "channel_id"),
    Index(
        "ix_join_requests_decider",
        "decided_by",
        "channel_id",
        "decided_at",
        sqlite_where=text("decided_by IS NOT NULL"),
    ),
    Index("ix_join_requests_waiting", "channel_id", "asked_at", "id", sqlite_where=_WAITING),
    Index("ix_join_requests_facts", "channel_id", "facts", "asked_at", "id", sqlite_where=_WAITING),
    Index(
        "ix_join_requests_link",
        "channel_id",
        "link",
        "facts",
        "asked_at",
        "id",
        sqlite_where=text("status = 'PENDING' AND link IS NOT NULL"),
    ),
    Index("ix_join_requests_shape", "channel_id", "shape", "asked_at", sqlite_where=_WAITING),
    Index(
        "ix_join_requests_unjudged",
        "channel_id",
        "id",
        sqlite_where=text("status = 'PENDING' AND judged_at IS NULL"),
    ),
)

for _statement in TRIGGERS:
    event.listen(join_requests, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]

# What an admin looks at: never changed, so that a button keeps its meaning.
request_views = _table(
    "request_views",
    Column("id", Id64, primary_key=True),
    Column("admin_id", Id64, ForeignKey("admins.user_id", ondelete="CASCADE"), nullable=False),
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("filters", Text, nullable=False),
    Column("newest_first", Flag, nullable=False),
    UniqueConstraint("admin_id", "channel_id", "filters", "newest_first"),
)
request_ticks = _table(
    "request_ticks",
    Column("admin_id", Id64, ForeignKey("admins.user_id", ondelete="CASCADE"), primary_key=True),
    Column("request_id", Id64, ForeignKey("join_requests.id", ondelete="CASCADE"), primary_key=True, index=True),
    autoincrement=False,
    rowid=False,
)

# How a channel's gate is kept: who is told how, whether its rules are frozen, what people who ask are told.
request_settings = _table(
    "request_settings",
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("notify", Text, nullable=False),
    Column("digest_minutes", Id64, nullable=False),
    Column("told_at", UtcTime),
    Column("topic_id", Id64),
    Column("frozen_at", UtcTime),
    Column("frozen_by", Id64),
    Column("welcome", Text),
    Column("refusal", Text),
    Column("load_newest", Id64),
    autoincrement=False,
)

# Messages about waiting people that are still to heal: of one person, or (`request_id` NULL) a channel's line of a
# digest. A request may be gone before its message: that one has to go then.
notices = _table(
    "notices",
    Column("id", Id64, primary_key=True),
    Column("chat_id", Id64, nullable=False),
    Column("message_id", Id64, nullable=False),
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("request_id", Id64, index=True),
    Column("sent_at", UtcTime, nullable=False),
    UniqueConstraint("chat_id", "message_id", "channel_id"),
)

rules = _table(
    "rules",
    Column("id", Id64, primary_key=True),
    Column("channel_id", Id64, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Id64, nullable=False),
    Column("action", Text, nullable=False),
    Column("filters", Text, nullable=False),
    Column("live_since", UtcTime),
    Column("created_by", Id64, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

# What the rules said of a request: what counts (`is_live`), and what a rule on trial above it would have said.
verdicts = _table(
    "verdicts",
    Column(
        "request_id", Id64, ForeignKey("join_requests.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("is_live", Flag, primary_key=True),
    Column("rule_id", Id64, ForeignKey("rules.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("judged_at", UtcTime, nullable=False),
    # Still to be carried out.
    Column("is_open", Flag, nullable=False),
    Index("ix_verdicts_open", "rule_id", "request_id", sqlite_where=text("is_open")),
    autoincrement=False,
    rowid=False,
)

runs = _table(
    "runs",
    Column("id", Id64, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_id", Id64, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Id64, nullable=False),
    Column("requested_by", Id64),
    Column("params", Json, nullable=False),
    Column("checkpoint", Json, nullable=False),
    Column("progress", Json, nullable=False),
    Column("wait_until", UtcTime),
    Column("reason", Text),
    Column("tell", Json, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Index(
        "uq_runs_active",
        "kind",
        "subject_id",
        unique=True,
        sqlite_where=text("status IN ('QUEUED', 'RUNNING', 'WAITING', 'PAUSED')"),
    ),
)

# Whom a decision on many is about, and what became of each.
bulk_items = _table(
    "bulk_items",
    Column("run_id", Id64, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("request_id", Id64, ForeignKey("join_requests.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("outcome", Text),
    Column("reason", Text),
    Column("is_unseen", Flag, nullable=False),
    autoincrement=False,
    rowid=False,
)

schedules = _table(
    "schedules",
    Column("id", Id64, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_id", Id64, nullable=False),
    Column("cron", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("enabled", Flag, nullable=False),
    Column("next_due_at", UtcTime),
    UniqueConstraint("kind", "subject_id"),
)

# A flood wait outlives our restart.
flood_waits = _table(
    "flood_waits",
    Column("session_id", Id64, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("method", Text, primary_key=True),
    Column("until", UtcTime, nullable=False),
    autoincrement=False,
)

# The right of one process to use a session. `host`: one boot of one kernel; beats count between hosts only.
leases = _table(
    "leases",
    Column("session_id", Id64, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("process", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("beat_at", UtcTime, nullable=False),
    autoincrement=False,
)
