"""What is a mail's own, and what it quotes or is signed with: a labelled set, and hostile texts."""

# ruff: noqa: ISC004, RUF001 - texts of several lines, in several alphabets

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.mail.html import html_to_text
from headrace.mail.replies import is_forward, own_words
from headrace.mail.signatures import phones_in
from headrace.rows import InteractionRow

GMAIL = "On Mon, 3 Nov 2025 at 10:00, Bob Smith <bob@x.example> wrote:"
OUTLOOK = (
    "From: Bob Smith <bob@x.example>\nSent: Monday, November 3, 2025 10:00 AM\n"
    "To: Ann Lee <ann@y.example>\nSubject: Plan\n\nWhat was asked.\n"
)

# name: the text, what of it is own (None: all), the signature (None: none)
CASES: dict[str, tuple[str, str | None, str | None]] = {
    "nothing quoted": ("See you at ten.\n\nIt is: here.", None, None),
    "gmail": (f"Yes.\n\n{GMAIL}\n> Do you?\n> Really?", "Yes.", None),
    "gmail, wrapped": (
        "Yes.\n\nOn Mon, 3 Nov 2025 at 10:00, Bob Smith <bob@x.example>\nwrote:\n\n> Do you?",
        "Yes.",
        None,
    ),
    "gmail, wrapped in the name": (
        "Yes.\n\nOn Mon, 3 Nov 2025 at 10:00, Bob\nSmith <bob@x.example> wrote:\n> Do you?",
        "Yes.",
        None,
    ),
    "without marks": (f"Yes.\n\n{GMAIL}\n\nDo you?\n\nBob", "Yes.", None),
    "thunderbird": ("Yes.\n\nOn 11/3/25 10:00, Bob Smith wrote:\n> Do you?", "Yes.", None),
    "apple": (
        "Yes.\n\n> On 3 Nov 2025, at 10:00, Bob <bob@x.example> wrote:\n>\n> Do you?",
        "Yes.",
        None,
    ),
    "outlook": (f"Agreed.\n\n{OUTLOOK}", "Agreed.", None),
    "outlook, with a rule": (f"Agreed.\n\n{'_' * 32}\n{OUTLOOK}", "Agreed.", None),
    "outlook, older": (f"Agreed.\n\n-----Original Message-----\n{OUTLOOK}", "Agreed.", None),
    "outlook, bold labels": (
        "Agreed.\n\n*From:* Bob <bob@x.example>\n*Sent:* Monday\n*To:* Ann\n*Subject:* x\n\nOld",
        "Agreed.",
        None,
    ),
    "german": (
        "Ja.\n\nAm 03.11.2025 um 10:00 schrieb Bob Schmidt <bob@x.example>:\n> Kommst du?",
        "Ja.",
        None,
    ),
    "german, wrapped": (
        "Ja.\n\nAm Mo., 3. Nov. 2025 um 10:00 Uhr schrieb Bob Schmidt <\nbob@x.example>:\n\n> Na?",
        "Ja.",
        None,
    ),
    "german outlook": (
        "Passt.\n\nVon: Bob <bob@x.example>\nGesendet: Montag, 3. November 2025 10:00\n"
        "An: Ann <ann@y.example>\nBetreff: Plan\n\nAlt",
        "Passt.",
        None,
    ),
    "french": (
        "Oui.\n\nLe lun. 3 nov. 2025 à 10:00, Bob Martin <bob@x.example> a écrit :\n\n> Tu viens ?",
        "Oui.",
        None,
    ),
    "french outlook": (
        "D'accord.\n\nDe : Bob <bob@x.example>\nEnvoyé : lundi 3 novembre 2025 10:00\n"
        "À : Ann <ann@y.example>\nObjet : Plan\n\nVieux",
        "D'accord.",
        None,
    ),
    "spanish": (
        "Sí.\n\nEl lun, 3 nov 2025 a las 10:00, Bob (<bob@x.example>) escribió:\n> ¿Vienes?",
        "Sí.",
        None,
    ),
    "italian": (
        "Va bene.\n\nIl giorno lun 3 nov 2025 alle 10:00 Bob <bob@x.example> ha scritto:\n> Ok?",
        "Va bene.",
        None,
    ),
    "dutch": (
        "Ja.\n\nOp ma 3 nov 2025 om 10:00 schreef Bob <bob@x.example>:\n> Kom je?",
        "Ja.",
        None,
    ),
    "portuguese": (
        "Sim.\n\nEm seg., 3 de nov. de 2025 às 10:00, Bob <bob@x.example> escreveu:\n\n> Vens?",
        "Sim.",
        None,
    ),
    "russian, no verb": (
        "Да.\n\nпн, 3 нояб. 2025 г. в 10:00, Bob <bob@x.example>:\n\n> Придёшь?",
        "Да.",
        None,
    ),
    "japanese": (
        "はい。\n\n2025年11月3日(月) 10:00 Bob <bob@x.example>:\n\n> いいですか",
        "はい。",
        None,
    ),
    "chinese": (
        "好的。\n\nBob <bob@x.example> 于2025年11月3日周一 10:00写道：\n\n> 来吗",
        "好的。",
        None,
    ),
    "inline": (
        f"{GMAIL}\n> When?\n\nAt ten.\n\n> Where?\n\nIn room 4.\n",
        "At ten.\n\nIn room 4.",
        None,
    ),
    "below": (f"{GMAIL}\n> Do you?\n\nYes, I do.", "Yes, I do.", None),
    "a question of one's own before a quotation": (
        "You asked:\n> When?\n\nAt ten.",
        "You asked:\n\nAt ten.",
        None,
    ),
    "signed with dashes": ("Yes.\n\n-- \nAnn Lee\nAcme", "Yes.", "Ann Lee\nAcme"),
    "dashes without a blank": ("Yes.\n\n--\nAnn Lee", "Yes.", "Ann Lee"),
    "signed above a quotation": (
        f"Yes.\n-- \nAnn Lee\n\n{GMAIL}\n> Do you?\n> -- \n> Bob",
        "Yes.",
        "Ann Lee",
    ),
    "signed below inline answers": (
        "> When?\nAt ten.\n> Where?\nHere.\n-- \nAnn",
        "At ten.\n\nHere.",
        "Ann",
    ),
    "words of parting": (
        "The plan is fine.\n\nBest regards,\nAnn Lee\nAcme Ltd\n+44 20 7946 0000",
        "The plan is fine.",
        "Best regards,\nAnn Lee\nAcme Ltd\n+44 20 7946 0000",
    ),
    "words of parting, german": (
        "Das passt.\n\nMit freundlichen Grüßen\n\nAnn Lee",
        "Das passt.",
        "Mit freundlichen Grüßen\n\nAnn Lee",
    ),
    "thanks that are no parting": ("Thanks,\nI will read it tomorrow and answer.", None, None),
    "thanks within": ("Hello.\n\nThanks\nfor the report, it was very good indeed.", None, None),
    "a postscript": (
        "Fine.\n\nBest,\nAnn\n\nPS: bring cake.",
        "Fine.\n\nPS: bring cake.",
        "Best,\nAnn",
    ),
    "a telephone": ("Coming.\n\nSent from my iPhone", "Coming.", "Sent from my iPhone"),
    "a telephone above a quotation": (
        f"Coming.\n\nSent from my iPhone\n\n{GMAIL}\n> Where?",
        "Coming.",
        "Sent from my iPhone",
    ),
    "a german telephone": (
        "Komme.\n\nAnn\n\nVon meinem iPhone gesendet",
        "Komme.\n\nAnn",
        "Von meinem iPhone gesendet",
    ),
    "outlook on a telephone": (
        f"Ok.\n\nGet Outlook for iOS<https://aka.ms/o>\n{'_' * 32}\n{OUTLOOK}",
        "Ok.",
        "Get Outlook for iOS<https://aka.ms/o>",
    ),
    "forwarded": (
        "See below.\n\n---------- Forwarded message ---------\nFrom: Bob <bob@x.example>\n"
        "Date: Mon, 3 Nov 2025\nSubject: Plan\nTo: <ann@y.example>\n\nThe plan.",
        None,
        None,
    ),
    "forwarded and signed": (
        "See below.\n-- \nAnn\n\n---------- Forwarded message ---------\nFrom: Bob\n\nThe plan.",
        "See below.\n\n---------- Forwarded message ---------\nFrom: Bob\n\nThe plan.",
        "Ann",
    ),
    "forwarded by apple": (
        "See.\n\nBegin forwarded message:\n\n> From: Bob\n> The plan.",
        None,
        None,
    ),
    "forwarded without a word": (OUTLOOK.strip(), None, None),
    "a list's footer": (
        f"Yes.\n\n{'_' * 47}\nDev mailing list\ndev@lists.example\nhttps://lists.example/dev",
        "Yes.",
        None,
    ),
    "a group's footer": (
        f"Yes.\n\n{GMAIL}\n> Do you?\n-- \nYou received this message because you wanted.",
        "Yes.",
        None,
    ),
    "quoted alone": ("> Do you?\n> Really?", "", None),
    "prose that ends in a colon": (
        "On Tuesday, as Bob wrote:\n\nThe plan of 2025 is what we agreed on.",
        None,
        None,
    ),
    "a list of settings": ("Use these:\n\nFrom: 10\nTo: 20\n\nand nothing else.", None, None),
    "dashes that part paragraphs": (
        "One.\n--\n" + "Another line.\n" * 40,
        None,
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "own", "signature"), CASES.values(), ids=CASES)
def test_what_is_own(text: str, own: str | None, signature: str | None) -> None:
    """Covers A1.40."""
    found = own_words(text)
    assert (found.unquoted, found.signature) == (own, signature)


def test_a_subject_says_that_all_of_it_is_forwarded() -> None:
    text = f"For you.\n\n{OUTLOOK}"
    assert own_words(text, forwards=True).unquoted is None
    assert own_words(text).unquoted == "For you."
    assert all(map(is_forward, ["Fwd: a", "FW: a", "WG: a", "TR : a", "RV: a", "转发：a"]))
    assert not any(map(is_forward, ["Re: Fwd: a", "Forward march", "Framework: a", None, ""]))


@pytest.mark.parametrize(
    "source",
    [
        "<div>Yes.</div><div class='gmail_quote'><div>On Mon, 3 Nov 2025 at 10:00, Bob "
        "&lt;bob@x.example&gt; wrote:</div><blockquote class='gmail_quote'>Do<p>you?</blockquote>",
        "<p>Yes.</p><div class='moz-cite-prefix'>Am 03.11.25 um 10:00 schrieb Bob:</div>"
        "<blockquote type='cite'><p>a<blockquote>b</blockquote>c</p></blockquote>",
        "<div>Yes.</div><hr><div id='divRplyFwdMsg'><b>From:</b> Bob<br><b>Sent:</b> Monday<br>"
        "<b>To:</b> Ann<br><b>Subject:</b> Plan</div><div>Do you?</div>",
        "<div>Yes.</div><blockquote>never closed",
    ],
    ids=["gmail", "thunderbird", "outlook", "unclosed"],
)
def test_what_html_quotes(source: str) -> None:
    """Covers A1.40: the text of what is quoted stays in the body."""
    text = html_to_text(source)
    assert own_words(text).unquoted == "Yes."
    assert len(text) > len("Yes.")


def test_what_is_only_indented_is_own() -> None:
    source = "a<blockquote style='margin:0 0 0 40px;border:none'>b</blockquote>c"
    assert own_words(html_to_text(source)).unquoted is None


@pytest.mark.parametrize(
    ("signature", "phones"),
    [
        ("Ann\n+44 20 7946 0000", ["+442079460000"]),
        ("T: +49 (0)30 1234-567 | F: +49 30 1234 999", ["+49301234567"]),
        ("Tel +1 (415) 555-0100, fax +1 415 555 0199", ["+14155550100"]),
        ("+1.415.555.0100\n+1 415 555 0100", ["+14155550100"]),
        ("020 7946 0000", []),
        ("2+44207946 0000 and +123", []),
        ("+" + "1" * 40, []),
    ],
)
def test_telephone_numbers(signature: str, phones: list[str]) -> None:
    """Covers A3.12: by which contacts may be found to be one."""
    assert phones_in(signature) == phones


@given(st.text(st.sampled_from(">-_ \n:OnaFrom@1wte"), max_size=300) | st.text(max_size=200))
def test_any_text_is_taken_apart(text: str) -> None:
    """Covers A1.52: the same each time, and made of nothing but what is there."""
    found = own_words(text)
    assert found == own_words(text)
    lines = {line.strip() for line in text.split("\n")}
    for part in (found.unquoted, found.signature):
        assert part is None or {line.strip() for line in part.split("\n")} <= lines | {""}


@pytest.mark.parametrize(
    "unit",
    ["On ", "> ", ">\n", "-- \n", "--\n", "From: a\n", "\n", "On 1:00 a@b wrote:\n", "_", "___\n",
     "Sent from my \n", "a b\n", "From:", ":\n", "On 2025\n", "Best,\nAnn\n", "+1 ", "+1\n",
     "-----Original Message-----\n", "http://", "https://zoom.us/", "a:\n\n", "\u200b\n"],
)  # fmt: skip
def test_hostile_text_takes_linear_time(
    normalise: Callable[..., InteractionRow], unit: str
) -> None:
    """256 KiB of anything take less than a second of the processor, the whole stage together."""
    text = unit * (256 * 1024 // len(unit))
    for body in (text, f"own\n\n{text}", f"own\n-- \n{text}"):
        start = time.process_time()
        normalise(b"From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n" + body.encode())
        assert time.process_time() - start < 1
