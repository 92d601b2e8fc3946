"""help.*: what clients ask before anything else. None of it needs a login."""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.rpc import Call, method
from sandbox.world import HOME_DC

HOST = "127.0.0.1"
CONFIG_LIFETIME_S = 3600


@method(functions.help.GetConfigRequest)
async def get_config(call: Call, _request: Any) -> Any:
    """Where the DCs are, and limits; the values that clients read are Telegram's own."""
    now = call.world.now()
    return types.Config(
        date=now,
        expires=now + CONFIG_LIFETIME_S,
        test_mode=False,
        this_dc=call.dc_id,
        dc_options=[
            types.DcOption(dc_id, HOST, port, static=True) for dc_id, port in sorted(call.services.ports.items())
        ],
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=172_800,
        revoke_pm_time_limit=172_800,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1024,
        message_length_max=4096,
        webfile_dc_id=HOME_DC,
    )


@method(functions.help.GetNearestDcRequest)
async def get_nearest_dc(call: Call, _request: Any) -> Any:
    return types.NearestDc("", this_dc=call.dc_id, nearest_dc=HOME_DC)


@method(functions.help.GetAppConfigRequest)
async def get_app_config(_call: Call, _request: Any) -> Any:
    return types.help.AppConfig(1, types.JsonObject([]))


@method(functions.help.GetCdnConfigRequest)
async def get_cdn_config(_call: Call, _request: Any) -> Any:
    """No CDN here: nothing is ever redirected."""
    return types.CdnConfig([])


@method(functions.help.GetTermsOfServiceUpdateRequest)
async def get_terms_of_service_update(call: Call, _request: Any) -> Any:
    return types.help.TermsOfServiceUpdateEmpty(call.world.now() + 86_400)
