"""Everything an admin sees or types. `build_router()` is the table of it: who may come in, and in which order."""

from aiogram import F, Router
from aiogram.enums import ChatType

from handlers import (
    access,
    add_source,
    audit,
    bot_accounts,
    choose_start,
    claim,
    connect,
    defaults,
    edit_application,
    edit_filters,
    edit_identity,
    edit_schedule,
    edit_source,
    errors,
    failed_files,
    fallback,
    forget,
    gate_card,
    home,
    import_session,
    join_requests,
    load_requests,
    login,
    login_qr,
    many,
    many_folder,
    membership,
    people,
    pin,
    restored,
    rights,
    run_list,
    runs,
    save,
    save_invite,
    save_sent,
    save_several,
    save_steps,
    session_api,
    session_channels,
    session_delete,
    session_export,
    session_list,
    session_proxy,
    sessions,
    sources,
)


def build_router() -> Router:
    """Admins in private chats first; then the claim link; everybody else meets silence."""
    admins = Router(name="admins")
    private = F.chat.type == ChatType.PRIVATE
    for observer in (admins.message, admins.callback_query):
        observer.outer_middleware(access.Door())
    admins.message.filter(access.IsAdmin(), private)
    admins.callback_query.filter(access.IsAdmin(), F.message.chat.type == ChatType.PRIVATE)
    admins.include_routers(
        restored.build(),
        home.build(),
        save_sent.build(),
        save.build(),
        save_invite.build(),
        save_several.build(),
        save_steps.build(),
        import_session.build(),
        bot_accounts.build(),
        sessions.build(),
        session_api.build(),
        session_proxy.build(),
        session_export.build(),
        session_delete.build(),
        session_channels.build(),
        session_list.build(),
        sources.build(),
        defaults.build(),
        edit_source.build(),
        edit_filters.build(),
        choose_start.build(),
        edit_identity.build(),
        edit_schedule.build(),
        many.build(),
        many_folder.build(),
        failed_files.build(),
        edit_application.build(),
        join_requests.build(),
        load_requests.build(),
        rights.build(),
        gate_card.build(),
        runs.build(),
        run_list.build(),
        pin.build(),
        people.build(),
        audit.build(),
        forget.build(),
        connect.build(),
        login_qr.build(),
        login.build(),
        add_source.build(),
        save_sent.build_last(),
        fallback.build(),
    )

    root = Router(name="porter")
    # Errors come last: a conversation that knows what to do with its own goes before.
    root.include_routers(membership.build(), claim.build(), admins, access.build(), errors.build())
    return root
