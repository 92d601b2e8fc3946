"""What a source may be told beyond its folder: another root, names by a template, what to do with duplicates."""

from alembic import op
from sqlalchemy import Column, Integer, Text, text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", Column("root", Text))
    op.add_column("sources", Column("name_template", Text))
    op.add_column("sources", Column("duplicates", Text, nullable=False, server_default="KEEP"))
    op.add_column("files", Column("duplicate_of", Integer))
    op.create_index("ix_files_document_id", "files", ["document_id"])
    op.create_index("ix_files_sha256", "files", ["sha256"], sqlite_where=text("sha256 IS NOT NULL"))


def downgrade() -> None:
    raise NotImplementedError("the way back is the snapshot that was taken before the migration")
