"""Topics of forums."""

from typing import Any

from sandbox import groups
from sandbox.bot_api.call import Call, method
from sandbox.bot_api.chats import channel_of, check_member
from sandbox.bot_api.errors import bad_request

MAX_NAME = 128
COLORS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
NO_RIGHT = "not enough rights to create a topic"


@method("createForumTopic")
def create_forum_topic(call: Call) -> dict[str, Any]:
    channel = channel_of(call, "the chat is not a forum")
    check_member(call, channel)
    name, color = call.params.text("name").strip(), call.params.integer("icon_color", COLORS[0])
    if not name:
        raise bad_request("topic name must be non-empty")
    if color not in COLORS:
        raise bad_request("TOPIC_ICON_COLOR_INVALID")
    if channel.forum and not channel.members[call.bot.id].may_topics:
        raise bad_request(NO_RIGHT)
    topic = groups.open_topic(call.world, channel, call.bot.id, name[:MAX_NAME])
    return {"message_thread_id": topic.id, "name": topic.text, "icon_color": color}
