"""Under the rules of a channel."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import Condition, ConditionPick, GateCard, RuleButton, RuleSurely, RuleVerb
from handlers.keyboards.base import Row, button, home_row, markup, turning, window
from handlers.keyboards.request_conditions import asked, links, menu, waits
from handlers.texts import Texts
from services.requests.rules import MOST_RULES, ChangeKind, RuleBookPage
from storage.request_models import LinkCount, RequestFilters, Rule, RuleAction

ACTIONS = tuple(RuleAction)
"""What the buttons stand for, by position."""


def page(texts: Texts, book: RuleBookPage, number: int) -> InlineKeyboardMarkup:
    channel_id = book.channel.id

    def of_channel(label: str, verb: RuleVerb) -> Row:
        return [button(label, RuleButton(verb=verb, id=channel_id))]

    frozen = book.settings.frozen_at is not None
    turn = (RuleButton(verb=RuleVerb.LIST, id=channel_id, value=n) for n in (number - 1, number + 1))
    return markup(
        *[
            [button(texts.rules.label(book.rules.index(rule) + 1, rule), RuleButton(verb=RuleVerb.SHOW, id=rule.id))]
            for rule in window(book.rules, number)
        ],
        turning(texts, number, len(book.rules), turn),
        of_channel(texts.labels.add_rule, RuleVerb.ADD) if len(book.rules) < MOST_RULES else [],
        of_channel(texts.labels.free_rules, RuleVerb.FREE) if frozen else [],
        of_channel(texts.labels.freeze_rules, RuleVerb.FREEZE) if book.rules and not frozen else [],
        home_row(texts, GateCard(channel=channel_id)),
    )


def card(texts: Texts, book: RuleBookPage, rule: Rule) -> InlineKeyboardMarkup:
    def act(label: str, verb: RuleVerb, style: str | None = None) -> Row:
        return [button(label, RuleButton(verb=verb, id=rule.id), style)]

    labels, place = texts.labels, book.rules.index(rule)
    return markup(
        act(labels.rule_live, RuleVerb.LIVE, "primary")
        if rule.live_since is None
        else act(labels.rule_trial, RuleVerb.TRIAL),
        (act(labels.rule_up, RuleVerb.UP) if place else [])
        + (act(labels.rule_down, RuleVerb.DOWN) if place < len(book.rules) - 1 else []),
        act(labels.change_form, RuleVerb.EDIT) + act(labels.delete, RuleVerb.DELETE, "danger"),
        home_row(texts, RuleButton(verb=RuleVerb.LIST, id=rule.channel_id)),
    )


def ask(texts: Texts, confirmation: int, kind: ChangeKind, back: RuleButton) -> InlineKeyboardMarkup:
    labels = texts.labels
    label, style = {
        ChangeKind.LIVE: (labels.rule_live_surely, "success"),
        ChangeKind.FREE: (labels.free_rules_surely, "success"),
        ChangeKind.DELETE: (labels.delete_surely, "danger"),
    }.get(kind, (labels.rules_surely, "danger"))
    return markup([button(label, RuleSurely(id=confirmation), style)], home_row(texts, back))


def stopped(texts: Texts, channel_id: int) -> InlineKeyboardMarkup:
    return markup([button(texts.labels.rules, RuleButton(verb=RuleVerb.LIST, id=channel_id))], home_row(texts))


# -- the form


def _pick(what: Condition, value: int) -> ConditionPick:
    return ConditionPick(what=what, value=value)


def form(texts: Texts, channel_id: int, action: RuleAction, filters: RequestFilters) -> InlineKeyboardMarkup:
    labels = texts.labels
    names = (labels.rule_approves, labels.rule_denies, labels.rule_holds)
    actions = [
        button(f"{'● ' if each is action else ''}{name}", RuleButton(verb=RuleVerb.ACTION, value=place))
        for place, (each, name) in enumerate(zip(ACTIONS, names, strict=True))
    ]
    return markup(
        actions,
        *menu(texts, filters, _pick),
        [button(labels.keep_rule, RuleButton(verb=RuleVerb.KEEP), "primary")],
        home_row(texts, RuleButton(verb=RuleVerb.LIST, id=channel_id)),
    )


def form_waits(texts: Texts, filters: RequestFilters) -> InlineKeyboardMarkup:
    return markup(*waits(texts, filters, _pick), _to_form(texts))


def form_links(texts: Texts, offered: Sequence[LinkCount], filters: RequestFilters) -> InlineKeyboardMarkup:
    return markup(*links(texts, offered, filters, _pick), _to_form(texts))


def form_asked(texts: Texts, what: Condition, filters: RequestFilters) -> InlineKeyboardMarkup:
    return markup(*asked(texts, what, filters, _pick), _to_form(texts))


def _to_form(texts: Texts) -> Row:
    return home_row(texts, RuleButton(verb=RuleVerb.FORM))
