"""What SQLite does by itself when requests change: their words are searchable while they wait, and it is known who came
before, whichever statement stores or decides.

`join_requests_text` is a trigram index (FTS5, external content) of those who wait and of nobody else: SQLAlchemy does
not know it as a table. It holds the words once more, so who forgets somebody also cleans it (storage/people.py).
"""

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
