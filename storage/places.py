"""How the row of a file says where it lies.

Usually a path below the root of its source. When a source moves to another root its files stay where they are, and
their rows begin to name the root: `:nas:news/12 a.pdf`, for LOCAL `::news/12 a.pdf`. No name on disk holds a colon.
"""


def prefix(root: str | None) -> str:
    """What a path begins with that lies in that root, whatever the root of its source is by now."""
    return f":{root or ''}:"


def locate(path: str, root: str | None) -> tuple[str | None, str]:
    """(root, path below it) of a row's path; `root`: the one of its source."""
    if not path.startswith(":"):
        return root, path
    _, named, below = path.split(":", 2)
    return named or None, below
