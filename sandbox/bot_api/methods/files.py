"""getFile. The bytes themselves are served by the HTTP server."""

from typing import Any

from sandbox.bot_api.call import Call, method
from sandbox.bot_api.errors import bad_request
from sandbox.bot_api.files import MAX_DOWNLOAD_BYTES, file_path, unique_id


@method("getFile")
def get_file(call: Call) -> dict[str, Any]:
    document = call.services.files.by_file_id(call.params.text("file_id"))
    if document.size > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return {
        "file_id": call.params.text("file_id"),
        "file_unique_id": unique_id(document),
        "file_size": document.size,
        "file_path": file_path(document),
    }
