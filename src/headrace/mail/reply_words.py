"""What mail programs write around a quotation, in the languages they write it in: lower-case."""

# ruff: noqa: RUF001 - letters of other alphabets are what is looked for here

from __future__ import annotations

import re

COLONS = ":："

FORWARDED = frozenset(
    {
        "forwarded message", "begin forwarded message", "forwarded mail",
        "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht",
        "message transféré", "message transmis", "début du message transféré",
        "début du message réexpédié", "mensaje reenviado", "inicio del mensaje reenviado",
        "messaggio inoltrato", "inizio messaggio inoltrato", "doorgestuurd bericht",
        "begin doorgestuurd bericht", "mensagem encaminhada", "início da mensagem reencaminhada",
        "vidarebefordrat meddelande", "videresendt meddelelse", "wiadomość przekazana dalej",
        "přeposlaná zpráva", "пересылаемое сообщение", "转发的邮件", "转发邮件", "轉寄郵件",
        "転送メッセージ",
    }
)  # fmt: skip
ORIGINAL = frozenset(
    {
        "original message", "original appointment", "original email", "ursprüngliche nachricht",
        "originalnachricht", "message d'origine", "message original", "mensaje original",
        "messaggio originale", "oorspronkelijk bericht", "mensagem original",
        "ursprungligt meddelande", "originalmeddelande", "oprindelig meddelelse",
        "oryginalna wiadomość", "wiadomość oryginalna", "původní zpráva", "исходное сообщение",
        "原始邮件", "原始郵件", "元のメッセージ",
    }
)  # fmt: skip

SENDER = frozenset(
    {
        "from", "von", "de", "da", "van", "från", "fra", "od", "от", "отправитель", "kimden",
        "发件人", "寄件者", "差出人", "보낸 사람",
    }
)  # fmt: skip
"""How the lines begin that are written over an answered mail: the first of them,"""
OTHERS = frozenset(
    {
        "sent", "date", "to", "cc", "bcc", "subject", "reply-to", "gesendet", "datum", "an",
        "kopie", "betreff", "envoyé", "à", "objet", "enviado", "fecha", "para", "asunto",
        "inviato", "data", "a", "oggetto", "verzonden", "aan", "onderwerp", "assunto", "skickat",
        "till", "kopia", "ämne", "sendt", "til", "emne", "wysłano", "do", "temat", "дата",
        "отправлено", "кому", "копия", "тема", "gönderildi", "kime", "konu", "发送时间",
        "收件人", "抄送", "主题", "寄件日期", "收件者", "主旨", "日時", "送信日時", "宛先", "件名",
        "날짜", "제목", "enviado el", "enviada em", "gesendet am", "received", "받는 사람",
    }
)  # fmt: skip
"""and those after it."""

WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|écrit|escribió|scritto|scrive|schreef|escreveu|skrev"
    r"|napisał|napsal|kirjoitti|írta|yazdı|написала?|пишет)\b|写道|寫道|書きました",
    re.IGNORECASE,
)
BEGINS = re.compile(
    r"(?:On|At|Am|Le|El|Il|Op|Em|Den|Dne|Dnia|W dniu|Dana|Pada|(?:\w{2,6}[.,]{1,2} )?\d{1,4}\D)"
    r"(?!\w)|\d{4}年"
)
"""How a line begins that says when and by whom it was written, which is quoted below it."""
DATED = re.compile(r"\d{1,2}[:.h]\d{2}|\d{4}|\d{1,2}[/-]\d{1,2}")

FORWARDS = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|i|vb|vl|pd|转发|轉寄)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
"""How the subject of a forwarded mail begins."""

SIGN_OFFS = frozenset(
    {
        "best", "all the best", "best regards", "best wishes", "with best regards", "kind regards",
        "kindest regards", "warm regards", "warmest regards", "regards", "many thanks", "thanks",
        "thanks again", "thank you", "thanks so much", "thanks in advance", "thanks and regards",
        "thanks & regards", "cheers", "sincerely", "sincerely yours", "yours", "yours sincerely",
        "yours faithfully", "yours truly", "warmly", "love", "take care", "talk soon",
        "speak soon", "respectfully", "cordially", "thx", "br", "rgds", "kr", "ta", "xo",
        "mit freundlichen grüßen", "mit freundlichen grüssen", "freundliche grüße",
        "freundliche grüsse", "mit besten grüßen", "mit herzlichen grüßen", "viele grüße",
        "viele grüsse", "beste grüße", "beste grüsse", "liebe grüße", "liebe grüsse",
        "herzliche grüße", "schöne grüße", "grüße", "grüsse", "gruß", "gruss", "mfg", "vg", "lg",
        "danke", "vielen dank", "besten dank", "danke und gruß", "danke und viele grüße",
        "hochachtungsvoll", "cordialement", "bien cordialement", "très cordialement",
        "bien à vous", "bien à toi", "cdlt", "salutations", "sincères salutations",
        "meilleures salutations", "amicalement", "merci", "merci d'avance", "bonne journée",
        "à bientôt", "bises", "saludos", "un saludo", "saludos cordiales", "un cordial saludo",
        "atentamente", "gracias", "muchas gracias", "un abrazo", "cordiali saluti",
        "distinti saluti", "saluti", "un saluto", "grazie", "grazie mille", "a presto",
        "buona giornata", "met vriendelijke groet", "met vriendelijke groeten",
        "vriendelijke groet", "groet", "groeten", "hartelijke groet", "mvg", "bedankt",
        "alvast bedankt", "atenciosamente", "cumprimentos", "com os melhores cumprimentos",
        "obrigado", "obrigada", "abraço", "abraços", "um abraço", "att", "med vänliga hälsningar",
        "vänliga hälsningar", "hälsningar", "mvh", "med venlig hilsen", "venlig hilsen",
        "vennlig hilsen", "med vennlig hilsen", "hilsen", "pozdrawiam", "z poważaniem",
        "s pozdravem", "terveisin", "с уважением", "спасибо",
    }
)  # fmt: skip
"""Words of parting, alone on their line."""
DEVICES = (
    "sent from my ", "sent from mail for ", "sent from outlook", "sent from yahoo",
    "sent from proton", "sent from gmail", "sent via ", "sent with ", "get outlook for ",
    "gesendet von ", "gesendet mit ", "envoyé de mon ", "envoyé depuis ", "envoyé à partir ",
    "enviado desde ", "enviado do ", "enviado de ", "inviato da ", "verstuurd vanaf ",
    "verzonden vanaf ", "verzonden met ", "skickat från ", "sendt fra ", "wysłane z ",
    "отправлено с ", "发自我的", "从我的", "iphoneから送信", "von meinem ",
)  # fmt: skip
"""What telephones write below a mail."""
