"""Everything that the first Porter stores.

The tables are written out once more, in SQLite's own types: storage/schema.py goes on changing, a migration never does.
"""

from alembic import op
from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *columns: SchemaItem, autoincrement: bool = True) -> None:
    Table(name, metadata, *columns, sqlite_strict=True, sqlite_autoincrement=autoincrement)


_table(
    "meta",
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    autoincrement=False,
)

_table(
    "admins",
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("timezone", Text),
    Column("created_at", Integer, nullable=False),
    Column("last_home_at", Integer),
    autoincrement=False,
)

_table(
    "screens",
    Column("admin_id", Integer, primary_key=True, autoincrement=False),
    Column("message_id", Integer, nullable=False),
    Column("sent_at", Integer, nullable=False),
    Column("run_id", Integer),
    autoincrement=False,
)

_table(
    "conversations",
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("state", Text),
    Column("data_sealed", LargeBinary),
)

_table(
    "confirmations",
    Column("id", Integer, primary_key=True),
    Column("admin_id", Integer, nullable=False),
    Column("verb", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("expires_at", Integer, nullable=False),
)

_table(
    "sessions",
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("user_id", Integer, nullable=False, unique=True),
    Column("account_name", Text, nullable=False),
    Column("username", Text),
    Column("masked_phone", Text, nullable=False),
    Column("api_id", Integer, nullable=False),
    Column("api_hash_sealed", LargeBinary),
    Column("phone_sealed", LargeBinary),
    Column("credential_sealed", LargeBinary),
    Column("fingerprint", LargeBinary, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("checked_at", Integer),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
)

_table(
    "login_attempts",
    Column("id", Integer, primary_key=True),
    Column("admin_id", Integer, nullable=False, unique=True),
    Column("step", Text, nullable=False),
    Column("payload_sealed", LargeBinary),
    Column("deadline", Integer, nullable=False),
    Column("created_at", Integer, nullable=False),
)

_table(
    "channels",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("username", Text),
    Column("kind", Text, nullable=False),
    Column("members", Integer),
    Column("bot_may_invite", Integer),
    Column("updated_at", Integer, nullable=False),
    autoincrement=False,
)

_table(
    "peers",
    Column("id", Integer, primary_key=True),
    Column("session_id", Integer, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("peer_id", Integer, nullable=False),
    Column("access_hash_sealed", LargeBinary),
    UniqueConstraint("session_id", "peer_id"),
)

_table(
    "session_channels",
    Column("session_id", Integer, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("channel_id", Integer, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True),
    Column("may_invite", Integer, nullable=False),
    Column("listed_at", Integer, nullable=False),
    Index("ix_session_channels_channel_id", "channel_id"),
    autoincrement=False,
)

_table(
    "sources",
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("session_id", Integer, ForeignKey("sessions.id", ondelete="RESTRICT"), nullable=False, index=True),
    Column("channel_id", Integer, ForeignKey("channels.id", ondelete="RESTRICT"), nullable=False, index=True),
    Column("filters", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("cursor", Integer, nullable=False, server_default=text("0")),
    Column("enabled", Integer, nullable=False, server_default=text("1")),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    Column("last_scraped_at", Integer),
    Column("total_messages", Integer, nullable=False, server_default=text("0")),
    Column("total_files", Integer, nullable=False, server_default=text("0")),
    Column("total_bytes", Integer, nullable=False, server_default=text("0")),
)

_table(
    "messages",
    Column("channel_id", Integer, primary_key=True, autoincrement=False),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("date", Integer, nullable=False),
    Column("sender_id", Integer),
    Column("text", Text, nullable=False),
    Column("edited_at", Integer),
    Column("grouped_id", Integer),
    autoincrement=False,
)

_table(
    "source_messages",
    Column("source_id", Integer, ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
    Column("message_id", Integer, primary_key=True, autoincrement=False),
    autoincrement=False,
)

_table(
    "files",
    Column("id", Integer, primary_key=True),
    Column("source_id", Integer, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("channel_id", Integer, nullable=False),
    Column("message_id", Integer, nullable=False),
    Column("document_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("date", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("path", Text),
    Column("sha256", LargeBinary),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("cause", Text),
    Column("updated_at", Integer, nullable=False),
    UniqueConstraint("source_id", "document_id"),
    Index("ix_files_source_id_state", "source_id", "state", "id"),
    Index("ix_files_source_id_path", "source_id", "path", sqlite_where=text("path IS NOT NULL")),
    Index("ix_files_state_updated_at", "state", "updated_at"),
)

_table(
    "file_parts",
    Column("file_id", Integer, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False),
    autoincrement=False,
)

_table(
    "join_requests",
    Column("id", Integer, primary_key=True),
    Column("channel_id", Integer, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("username", Text),
    Column("bio", Text),
    Column("asked_at", Integer, nullable=False),
    Column("has_photo", Integer),
    Column("is_premium", Integer),
    Column("is_scam", Integer, nullable=False),
    Column("is_fake", Integer, nullable=False),
    Column("link", Text),
    Column("language", Text),
    Column("user_chat_id", Integer),
    Column("first_seen_at", Integer, nullable=False),
    Column("last_seen_at", Integer, nullable=False),
    Column("decided_at", Integer),
    Column("decided_by", Integer),
    Column("way", Text),
    Index(
        "uq_join_requests_pending",
        "channel_id",
        "user_id",
        unique=True,
        sqlite_where=text("status = 'PENDING'"),
    ),
    Index("ix_join_requests_page", "channel_id", "status", "id"),
    Index("ix_join_requests_person", "channel_id", "user_id"),
)

_table(
    "runs",
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_id", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("requested_by", Integer),
    Column("params", Text, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("progress", Text, nullable=False),
    Column("wait_until", Integer),
    Column("reason", Text),
    Column("tell", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("started_at", Integer),
    Column("finished_at", Integer),
    Index(
        "uq_runs_active",
        "kind",
        "subject_id",
        unique=True,
        sqlite_where=text("status IN ('QUEUED', 'RUNNING', 'WAITING', 'PAUSED')"),
    ),
)

_table(
    "schedules",
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_id", Integer, nullable=False),
    Column("cron", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("enabled", Integer, nullable=False),
    Column("next_due_at", Integer),
    UniqueConstraint("kind", "subject_id"),
)

_table(
    "flood_waits",
    Column("session_id", Integer, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("method", Text, primary_key=True),
    Column("until", Integer, nullable=False),
    autoincrement=False,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    raise NotImplementedError("the way back is the snapshot that was taken before the migration")
