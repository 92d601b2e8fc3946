"""What of a channel is carried, from where on, with whose application and through what account; admins' profiles.

`messages` and `source_messages` lie in the order of their keys from now on, which halves what the walk writes. A
source's messages name their channel, because a group that became a supergroup counts its messages anew.
"""

from alembic import op
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Text, text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", Column("scope", Text, nullable=False, server_default="CHANNEL"))
    op.add_column("sources", Column("start", Text))
    op.add_column("sources", Column("only_matching", Integer, nullable=False, server_default=text("0")))
    op.add_column("sources", Column("live", Integer, nullable=False, server_default=text("0")))
    op.add_column("sources", Column("quiet_after", Integer))
    op.add_column("sources", Column("api_id", Integer))
    op.add_column("sources", Column("api_hash_sealed", LargeBinary))
    op.add_column("sessions", Column("kind", Text, nullable=False, server_default="USER"))
    op.add_column("sessions", Column("token_sealed", LargeBinary))
    op.add_column("channels", Column("migrated_to", Integer))
    op.create_table(
        "profiles",
        Column("admin_id", Integer, ForeignKey("admins.user_id", ondelete="CASCADE"), primary_key=True),
        Column("filters", Text, nullable=False),
        Column("root", Text),
        Column("folder", Text, nullable=False),
        Column("cron", Text),
        Column("name_template", Text),
        Column("duplicates", Text, nullable=False),
        Column("only_matching", Integer, nullable=False),
        Column("live", Integer, nullable=False),
        sqlite_strict=True,
    )
    _rebuild_messages()
    _rebuild_source_messages()


def _rebuild_messages() -> None:
    op.rename_table("messages", "old_messages")
    op.create_table(
        "messages",
        Column("channel_id", Integer, primary_key=True, autoincrement=False),
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("date", Integer, nullable=False),
        Column("sender_id", Integer),
        Column("text", Text, nullable=False),
        Column("edited_at", Integer),
        Column("grouped_id", Integer),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO messages (channel_id, id, date, sender_id, text, edited_at, grouped_id) "
        "SELECT channel_id, id, date, sender_id, text, edited_at, grouped_id FROM old_messages ORDER BY channel_id, id"
    )
    op.drop_table("old_messages")


def _rebuild_source_messages() -> None:
    op.rename_table("source_messages", "old_source_messages")
    op.create_table(
        "source_messages",
        Column("source_id", Integer, ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True),
        Column("channel_id", Integer, primary_key=True, autoincrement=False),
        Column("message_id", Integer, primary_key=True, autoincrement=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO source_messages (source_id, channel_id, message_id) "
        "SELECT old.source_id, sources.channel_id, old.message_id "
        "FROM old_source_messages AS old JOIN sources ON sources.id = old.source_id "
        "ORDER BY old.source_id, old.message_id"
    )
    op.drop_table("old_source_messages")


def downgrade() -> None:
    raise NotImplementedError("the way back is the snapshot that was taken before the migration")
