"""Who may what, and what they did: channels of approvers, PINs, the audit. Proxies and leases of sessions."""

from alembic import op
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.schema import SchemaItem

revision = "0002"
down_revision = "0001"
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

# What the new tables point at, by name alone: their columns are those of 0001.
Table("admins", metadata, Column("user_id", Integer, primary_key=True))
Table("channels", metadata, Column("id", Integer, primary_key=True))
Table("sessions", metadata, Column("id", Integer, primary_key=True))


def _table(name: str, *columns: SchemaItem, autoincrement: bool = False) -> Table:
    return Table(name, metadata, *columns, sqlite_strict=True, sqlite_autoincrement=autoincrement)


NEW = [
    _table(
        "admin_channels",
        Column("admin_id", Integer, ForeignKey("admins.user_id", ondelete="CASCADE"), primary_key=True),
        Column("channel_id", Integer, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True),
    ),
    _table(
        "pins",
        Column("id", Integer, primary_key=True),
        Column("admin_id", Integer, ForeignKey("admins.user_id", ondelete="CASCADE"), nullable=False, unique=True),
        Column("hash_sealed", LargeBinary),
        Column("tries", Integer, nullable=False),
        Column("locked_until", Integer),
        autoincrement=True,
    ),
    _table(
        "audit",
        Column("id", Integer, primary_key=True),
        Column("at", Integer, nullable=False, index=True),
        Column("admin_id", Integer),
        Column("admin_name", Text, nullable=False),
        Column("verb", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("detail", Text, nullable=False),
        autoincrement=True,
    ),
    _table(
        "leases",
        Column("session_id", Integer, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        Column("process", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("beat_at", Integer, nullable=False),
    ),
]


def upgrade() -> None:
    metadata.create_all(op.get_bind(), tables=NEW, checkfirst=False)
    op.add_column("sessions", Column("proxy_sealed", LargeBinary))


def downgrade() -> None:
    raise NotImplementedError("the way back is the snapshot that was taken before the migration")
