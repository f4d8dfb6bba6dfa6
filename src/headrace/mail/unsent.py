"""Drafts and spam: what nobody has sent yet, or nobody wanted."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from headrace.mail.direction import last_folder

# Gmail's own ids, then what mail programs call these folders in the user's language.
_UNSENT = frozenset(
    {
        "draft", "drafts", "[gmail]/drafts", "entwürfe", "entwurf", "brouillons", "borradores",
        "bozze", "concepten", "utkast", "kladder", "luonnokset", "rascunhos", "wersje robocze",
        "szkice", "koncepty", "черновики", "чернетки", "taslaklar", "下書き", "草稿", "임시보관함",
        "spam", "junk", "junk mail", "junk e-mail", "junk email", "bulk mail", "junk-e-mail",
        "spamverdacht", "spamordner", "courrier indésirable", "indésirables", "pourriel",
        "correo no deseado", "posta indesiderata", "ongewenste e-mail", "ongewenst", "skräppost",
        "søppelpost", "uønsket mail", "roskaposti", "lixo eletrônico", "lixo eletrónico",
        "wiadomości-śmieci", "nevyžádaná pošta", "спам", "нежелательная почта", "istenmeyen",
        "迷惑メール", "垃圾邮件", "垃圾郵件", "스팸함",
    }
)  # fmt: skip


def unsent(labels: Iterable[str], folder: str) -> bool:
    """Whether a mail's labels, or the folder it lies in, say that it is a draft or spam."""
    return _folder(folder) or any(label.strip().lower() in _UNSENT for label in labels)


@lru_cache(maxsize=1024)
def _folder(stream: str) -> bool:
    return last_folder(stream).strip().lower() in _UNSENT
