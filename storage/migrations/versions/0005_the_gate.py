"""Waiting people: what sets them apart, searched by their words, rules, outcomes per person, how admins hear of them.

`facts` packs the yes-and-no facts of a request into one number (storage/request_filters.py), so that any combination of
them is a handful of runs in one index. `join_requests_text` is a trigram index of the words of those who wait; triggers
keep it and `is_known` true, whichever statement decides on somebody.
"""

from alembic import op
from sqlalchemy import Column, Computed, ForeignKey, Integer, Text, UniqueConstraint, text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FACTS = (
    "(username IS NOT NULL) + 2 * (CASE has_photo WHEN 1 THEN 2 WHEN 0 THEN 1 ELSE 0 END) "
    "+ 8 * (coalesce(bio, '') <> '') + 16 * (coalesce(is_premium, 0) = 1) + 32 * (is_scam OR is_fake) "
    "+ 64 * is_alike + 128 * is_known"
)

_ADD = "INSERT INTO join_requests_text (rowid, name, username, bio) VALUES (new.id, new.name, new.username, new.bio);"
_REMOVE = """INSERT INTO join_requests_text (join_requests_text, rowid, name, username, bio)
VALUES ('delete', old.id, old.name, old.username, old.bio);"""

TRIGGERS = (
    """CREATE VIRTUAL TABLE join_requests_text USING fts5(
    name, username, bio, content = 'join_requests', content_rowid = 'id', tokenize = 'trigram')""",
    f"""CREATE TRIGGER join_requests_text_came AFTER INSERT ON join_requests
    WHEN new.status = 'PENDING' BEGIN {_ADD} END""",
    f"""CREATE TRIGGER join_requests_text_changed AFTER UPDATE OF name, username, bio ON join_requests
    WHEN old.status = 'PENDING' AND new.status = 'PENDING'
    AND (new.name IS NOT old.name OR new.username IS NOT old.username OR new.bio IS NOT old.bio)
    BEGIN {_REMOVE} {_ADD} END""",
    f"""CREATE TRIGGER join_requests_text_settled AFTER UPDATE OF status ON join_requests
    WHEN old.status = 'PENDING' AND new.status <> 'PENDING' BEGIN {_REMOVE} END""",
    f"""CREATE TRIGGER join_requests_text_reopened AFTER UPDATE OF status ON join_requests
    WHEN old.status <> 'PENDING' AND new.status = 'PENDING' BEGIN {_ADD} END""",
    f"""CREATE TRIGGER join_requests_text_gone AFTER DELETE ON join_requests
    WHEN old.status = 'PENDING' BEGIN {_REMOVE} END""",
    """CREATE TRIGGER join_requests_known_before AFTER INSERT ON join_requests
    WHEN new.status = 'PENDING' AND EXISTS (
    SELECT 1 FROM join_requests WHERE user_id = new.user_id AND id <> new.id AND status <> 'PENDING')
    BEGIN UPDATE join_requests SET is_known = 1 WHERE id = new.id; END""",
    """CREATE TRIGGER join_requests_known_since AFTER UPDATE OF status ON join_requests
    WHEN old.status = 'PENDING' AND new.status <> 'PENDING'
    BEGIN UPDATE join_requests SET is_known = 1, judged_at = NULL
    WHERE user_id = new.user_id AND status = 'PENDING' AND NOT is_known; END""",
)


def upgrade() -> None:
    _widen_requests()
    _add_triggers()
    _add_views()
    _add_rules()
    op.create_table(
        "request_settings",
        Column("channel_id", Integer, ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True),
        Column("notify", Text, nullable=False),
        Column("digest_minutes", Integer, nullable=False),
        Column("told_at", Integer),
        Column("topic_id", Integer),
        Column("frozen_at", Integer),
        Column("frozen_by", Integer),
        Column("welcome", Text),
        Column("refusal", Text),
        Column("load_newest", Integer),
        sqlite_strict=True,
    )
    op.create_table(
        "notices",
        Column("id", Integer, primary_key=True),
        Column("chat_id", Integer, nullable=False),
        Column("message_id", Integer, nullable=False),
        Column("channel_id", Integer, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
        Column("request_id", Integer),
        Column("sent_at", Integer, nullable=False),
        UniqueConstraint("chat_id", "message_id", "channel_id"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_request_id", "notices", ["request_id"])
    op.create_table(
        "bulk_items",
        Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        Column("request_id", Integer, ForeignKey("join_requests.id", ondelete="CASCADE"), primary_key=True),
        Column("outcome", Text),
        Column("reason", Text),
        Column("is_unseen", Integer, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bulk_items_request_id", "bulk_items", ["request_id"])
    op.add_column("admins", Column("unreachable_at", Integer))


def _widen_requests() -> None:
    op.add_column("join_requests", Column("shape", Integer))
    for flag in ("is_alike", "is_known", "is_banned"):
        op.add_column("join_requests", Column(flag, Integer, nullable=False, server_default=text("0")))
    op.add_column("join_requests", Column("refusal", Text))
    op.add_column("join_requests", Column("rule_id", Integer))
    op.add_column("join_requests", Column("judged_at", Integer))
    op.add_column("join_requests", Column("greeted_at", Integer))
    op.add_column("join_requests", Column("facts", Integer, Computed(FACTS, persisted=False)))
    op.drop_index("ix_join_requests_page", "join_requests")
    op.drop_index("ix_join_requests_person", "join_requests")
    op.create_index("ix_join_requests_channel_id", "join_requests", ["channel_id"])
    op.create_index("ix_join_requests_person", "join_requests", ["user_id", "channel_id"])
    op.create_index(
        "ix_join_requests_decider",
        "join_requests",
        ["decided_by", "channel_id", "decided_at"],
        sqlite_where=text("decided_by IS NOT NULL"),
    )
    waiting = text("status = 'PENDING'")
    op.create_index("ix_join_requests_waiting", "join_requests", ["channel_id", "asked_at", "id"], sqlite_where=waiting)
    op.create_index(
        "ix_join_requests_facts", "join_requests", ["channel_id", "facts", "asked_at", "id"], sqlite_where=waiting
    )
    op.create_index(
        "ix_join_requests_link",
        "join_requests",
        ["channel_id", "link", "facts", "asked_at", "id"],
        sqlite_where=text("status = 'PENDING' AND link IS NOT NULL"),
    )
    op.create_index(
        "ix_join_requests_shape", "join_requests", ["channel_id", "shape", "asked_at"], sqlite_where=waiting
    )
    op.create_index(
        "ix_join_requests_unjudged",
        "join_requests",
        ["channel_id", "id"],
        sqlite_where=text("status = 'PENDING' AND judged_at IS NULL"),
    )


def _add_triggers() -> None:
    for statement in TRIGGERS:
        op.execute(statement)
    op.execute(
        """INSERT INTO join_requests_text (rowid, name, username, bio)
        SELECT id, name, username, bio FROM join_requests WHERE status = 'PENDING'"""
    )
    op.execute(
        """UPDATE join_requests SET is_known = 1 WHERE status = 'PENDING' AND EXISTS (
        SELECT 1 FROM join_requests AS before
        WHERE before.user_id = join_requests.user_id AND before.status <> 'PENDING')"""
    )


def _add_views() -> None:
    op.create_table(
        "request_views",
        Column("id", Integer, primary_key=True),
        Column("admin_id", Integer, ForeignKey("admins.user_id", ondelete="CASCADE"), nullable=False),
        Column("channel_id", Integer, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
        Column("filters", Text, nullable=False),
        Column("newest_first", Integer, nullable=False),
        UniqueConstraint("admin_id", "channel_id", "filters", "newest_first"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "request_ticks",
        Column("admin_id", Integer, ForeignKey("admins.user_id", ondelete="CASCADE"), primary_key=True),
        Column("request_id", Integer, ForeignKey("join_requests.id", ondelete="CASCADE"), primary_key=True),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_request_ticks_request_id", "request_ticks", ["request_id"])


def _add_rules() -> None:
    op.create_table(
        "rules",
        Column("id", Integer, primary_key=True),
        Column("channel_id", Integer, ForeignKey("channels.id", ondelete="CASCADE"), nullable=False),
        Column("position", Integer, nullable=False),
        Column("action", Text, nullable=False),
        Column("filters", Text, nullable=False),
        Column("live_since", Integer),
        Column("created_by", Integer, nullable=False),
        Column("created_at", Integer, nullable=False),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rules_channel_id", "rules", ["channel_id"])
    op.create_table(
        "verdicts",
        Column("request_id", Integer, ForeignKey("join_requests.id", ondelete="CASCADE"), primary_key=True),
        Column("is_live", Integer, primary_key=True),
        Column("rule_id", Integer, ForeignKey("rules.id", ondelete="CASCADE"), nullable=False),
        Column("action", Text, nullable=False),
        Column("judged_at", Integer, nullable=False),
        Column("is_open", Integer, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_verdicts_rule_id", "verdicts", ["rule_id"])
    op.create_index("ix_verdicts_open", "verdicts", ["rule_id", "request_id"], sqlite_where=text("is_open"))


def downgrade() -> None:
    raise NotImplementedError("the way back is the snapshot that was taken before the migration")
