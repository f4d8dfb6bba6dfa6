"""Gmail's labels as Takeout writes them, and which labels or folders mean "sent by me"."""

from __future__ import annotations

import csv
import re

from headrace.mail.words import decode_words
from headrace.text import clean_text

_MOST = 200
_LONGEST_LIST = 64 * 1024  # the csv module gives up on fields above 128 KiB
_BREAKS = re.compile(r"[\r\n]+")
_LONGEST = 225
"""Gmail's own limit for a label's name."""

# Gmail translates its labels in Takeout, and mail programs name folders in the user's language.
_SENT = frozenset(
    {
        "sent", "sent mail", "sent items", "sent messages", "sent-mail", "sentmail", "sent objects",
        "gesendet", "gesendete elemente", "gesendete objekte", "gesendete nachrichten",
        "envoyés", "messages envoyés", "éléments envoyés", "courrier envoyé",
        "enviados", "elementos enviados", "mensajes enviados", "enviadas", "itens enviados",
        "e-mails enviados", "posta inviata", "inviati", "posta in uscita inviata",
        "verzonden", "verzonden items", "verzonden berichten", "skickat", "skickade",
        "sendt", "sendt post", "sendte elementer", "lähetetyt", "wysłane", "odeslané",
        "отправленные", "надіслані", "gönderilmiş postalar", "gönderilmiş öğeler",
        "送信済み", "送信済みメール", "已发送", "已发送邮件", "寄件備份", "보낸편지함",
    }
)  # fmt: skip


def parse_labels(values: list[str]) -> list[str]:
    """The labels in X-Gmail-Labels headers: encoded words, separated by commas, maybe quoted."""
    labels: dict[str, None] = {}
    for value in values:
        text = _BREAKS.sub(" ", clean_text(decode_words(value[:_LONGEST_LIST])))
        for label in next(csv.reader([text], skipinitialspace=True), []):
            if name := label.strip()[:_LONGEST]:
                labels[name] = None
    return list(labels)[:_MOST]


def means_sent(name: str) -> bool:
    """Whether a label's or folder's name says that the account's owner sent what it holds."""
    return name.strip().lower() in _SENT
