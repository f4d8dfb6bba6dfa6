"""Gmail v1: the methods that read a mailbox."""

from __future__ import annotations

from typing import Any

from headrace.twin.google import scopes
from headrace.twin.google.asks import Nothing
from headrace.twin.google.gmail_asks import (
    Format,
    GetDraft,
    GetMessage,
    GetThread,
    ListDrafts,
    ListHistory,
    ListMessages,
)
from headrace.twin.google.gmail_lists import list_drafts, list_history, list_messages
from headrace.twin.google.mail import SYSTEM_LABELS, Mail
from headrace.twin.google.mailbox import Alias
from headrace.twin.google.parts import base64url, head, part_content, payload, snippet
from headrace.twin.google.problem import Problem, bad_parameter, not_found
from headrace.twin.google.visit import Call, Json, Visit


def get_profile(visit: Visit, _ask: Nothing) -> Json:
    """Whose mailbox it is, how large, and its historyId now."""
    box = visit.account.mailbox
    return {
        "emailAddress": visit.account.email,
        "messagesTotal": len(box),
        "threadsTotal": len({mail.thread for mail in box}),
        "historyId": str(box.history.now),
    }


def get_message(visit: Visit, ask: GetMessage) -> Json:
    """One message. Raises Problem (404) for one that is gone."""
    mail = _need(visit, visit.ids["id"])
    return _message(visit, mail, ask.format, ask.metadata_headers)


def get_attachment(visit: Visit, _ask: Nothing) -> Json:
    """What an attachment id of a `full` answer stands for. Each answer names it by another one."""
    mail = _need(visit, visit.ids["messageId"])
    place = visit.tokens.read("attachment", visit.ids["id"], tuple[str, str, int])
    content = part_content(mail.content, place[1]) if place and place[0] == mail.id else None
    if content is None:
        raise bad_parameter("id", "Invalid attachment token")
    return {"size": len(content), "data": base64url(content)}


def list_labels(visit: Visit, _ask: Nothing) -> Json:
    """All labels, without how many messages they have."""
    return {"labels": [_label(label, name) for label, name in visit.account.mailbox.labels.items()]}


def get_label(visit: Visit, _ask: Nothing) -> Json:
    """One label, with its messages and threads counted."""
    box, wanted = visit.account.mailbox, visit.ids["id"]
    if wanted not in box.labels:
        raise not_found()
    mails = [mail for mail in box if wanted in mail.labels]
    unread = [mail for mail in mails if "UNREAD" in mail.labels]
    return _label(wanted, box.labels[wanted]) | {
        "messagesTotal": len(mails),
        "messagesUnread": len(unread),
        "threadsTotal": len({mail.thread for mail in mails}),
        "threadsUnread": len({mail.thread for mail in unread}),
    }


def get_draft(visit: Visit, ask: GetDraft) -> Json:
    """One draft with its message, whose id is another one after every edit."""
    draft = visit.ids["id"]
    name = visit.account.mailbox.drafts.get(draft, "")
    return {"id": draft, "message": _message(visit, _need(visit, name), ask.format)}


def get_thread(visit: Visit, ask: GetThread) -> Json:
    """A conversation, oldest message first."""
    name = visit.ids["id"]
    mails = sorted(
        (mail for mail in visit.account.mailbox if mail.thread == name), key=lambda mail: mail.key
    )
    if not mails:
        raise not_found()
    told = [_message(visit, mail, ask.format, ask.metadata_headers) for mail in mails]
    return {"id": name, "historyId": str(max(mail.history for mail in mails)), "messages": told}


def list_send_as(visit: Visit, _ask: Nothing) -> Json:
    """The addresses that the owner sends from."""
    return {"sendAs": [_send_as(alias) for alias in visit.account.mailbox.aliases]}


def _need(visit: Visit, name: str) -> Mail:
    mail = visit.account.mailbox.get(name)
    if mail is None:
        raise not_found()
    return mail


def _message(visit: Visit, mail: Mail, form: Format, wanted: tuple[str, ...] = ()) -> Json:
    # Whoever may read drafts got here with a scope for them.
    if form in ("full", "raw") and not visit.scopes & scopes.READS_DRAFTS:
        raise Problem(403, "forbidden", f"Metadata scope doesn't allow format {form.upper()}")
    content = mail.content
    told: dict[str, Any] = {
        "id": mail.id,
        "threadId": mail.thread,
        "labelIds": mail.label_ids,
        "snippet": snippet(content),
        "historyId": str(mail.history),
        "internalDate": str(mail.ms),
        "sizeEstimate": len(content),
    }
    if form == "raw":
        told["raw"] = base64url(content)
    elif form == "full":
        told["payload"] = payload(content, lambda part: _attachment_id(visit, mail, part))
    elif form == "metadata":
        told["payload"] = head(content, wanted)
    return told


def _attachment_id(visit: Visit, mail: Mail, part_id: str) -> str:
    return visit.tokens.write("attachment", (mail.id, part_id, visit.tokens.fresh()))


def _label(label: str, name: str) -> Json:
    if label in SYSTEM_LABELS:
        return {"id": label, "name": name, "type": "system"}
    visible = {"labelListVisibility": "labelShow", "messageListVisibility": "show"}
    return {"id": label, "name": name, "type": "user", **visible}


def _send_as(alias: Alias) -> Json:
    told: Json = {
        "sendAsEmail": alias.address,
        "displayName": alias.name,
        "replyToAddress": "",
        "signature": "",
        "isDefault": alias.primary,
    }
    if alias.primary:
        return told | {"isPrimary": True}
    return told | {"treatAsAlias": True, "verificationStatus": "accepted"}


_USER = "/gmail/v1/users/{userId}"
CALLS: tuple[Call[Any], ...] = (
    Call("getProfile", f"{_USER}/profile", Nothing, scopes.READS_PROFILE, get_profile),
    Call("messages.list", f"{_USER}/messages", ListMessages, scopes.READS_MAIL, list_messages, 5),
    Call("messages.get", f"{_USER}/messages/{{id}}", GetMessage, scopes.READS_MAIL, get_message, 5),
    Call(
        "messages.attachments.get",
        f"{_USER}/messages/{{messageId}}/attachments/{{id}}",
        Nothing,
        scopes.READS_CONTENT,
        get_attachment,
        5,
    ),
    Call("history.list", f"{_USER}/history", ListHistory, scopes.READS_MAIL, list_history, 2),
    Call("labels.list", f"{_USER}/labels", Nothing, scopes.READS_LABELS, list_labels),
    Call("labels.get", f"{_USER}/labels/{{id}}", Nothing, scopes.READS_LABELS, get_label),
    Call("drafts.list", f"{_USER}/drafts", ListDrafts, scopes.READS_DRAFTS, list_drafts, 5),
    Call("drafts.get", f"{_USER}/drafts/{{id}}", GetDraft, scopes.READS_DRAFTS, get_draft, 5),
    Call(
        "settings.sendAs.list",
        f"{_USER}/settings/sendAs",
        Nothing,
        scopes.READS_SETTINGS,
        list_send_as,
    ),
    Call("threads.get", f"{_USER}/threads/{{id}}", GetThread, scopes.READS_MAIL, get_thread, 10),
)
"""Every method that is served, with its quota units."""
