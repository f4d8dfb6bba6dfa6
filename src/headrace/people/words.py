"""Words that say something about names and addresses of people. Short, and our own."""

from __future__ import annotations

_FREEMAIL = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com aol.com
icloud.com me.com mac.com gmx.com gmx.net mail.com proton.me protonmail.com pm.me zoho.com
fastmail.com tutanota.com hey.com yandex.com yandex.ru mail.ru inbox.ru bk.ru list.ru rambler.ru
gmx.de gmx.at gmx.ch web.de t-online.de freenet.de posteo.de mailbox.org arcor.de orange.fr
free.fr laposte.net wanadoo.fr sfr.fr libero.it virgilio.it tiscali.it alice.it bluewin.ch
telenet.be ziggo.nl kpnmail.nl xs4all.nl seznam.cz wp.pl o2.pl onet.pl interia.pl btinternet.com
sky.com virginmedia.com ntlworld.com comcast.net verizon.net att.net sbcglobal.net cox.net
charter.net bellsouth.net earthlink.net shaw.ca rogers.com bigpond.com optusnet.com.au
xtra.co.nz uol.com.br bol.com.br terra.com.br qq.com 163.com 126.com sina.com foxmail.com
naver.com daum.net hanmail.net docomo.ne.jp ezweb.ne.jp rediffmail.com yahoo.co.uk yahoo.co.jp
yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.com.br yahoo.co.in hotmail.co.uk hotmail.fr
hotmail.de hotmail.it hotmail.es outlook.de outlook.fr live.co.uk live.nl
"""
FREEMAIL = frozenset(_FREEMAIL.split())
"""Registrable domains where everybody can have an address: sharing one says nothing."""

_ROLES = """
abuse accounting accounts admin administrator all assistant billing board booking bookings
careers ceo contact customer customerservice desk dev developers enquiries enquiry events
everyone feedback finance frontdesk hello help helpdesk hi hostmaster hr info information
inquiries invoice invoices it jobs kontakt legal mail mailbox management marketing media news
newsletter notification notifications office ops orders partners payroll post press privacy
purchasing reception recruiting recruitment reply sales secretary security service services shop
staff studio subscriptions support team tech webmaster welcome
"""
ROLES = frozenset(_ROLES.split())
"""Local parts, and words in names, of a function that people share or hand on."""

_TITLES = """
dr prof professor mr mrs ms miss mx sir herr frau dipl ing mag rev hon
"""
TITLES = frozenset(_TITLES.split())
_DEGREES = """
phd md mba msc bsc esq cpa dds jd ma ba mpa pe cfa pmp
"""
DEGREES = frozenset(_DEGREES.split())
GENERATIONS = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii"}

_FORMAL = {
    "robert": "bob bobby rob robbie",
    "william": "bill billy will willy",
    "richard": "rick ricky dick rich",
    "james": "jim jimmy jamie",
    "john": "johnny jack",
    "joseph": "joe joey",
    "michael": "mike mick mikey",
    "thomas": "tom tommy",
    "edward": "ed eddie ned ted",
    "charles": "charlie chuck",
    "david": "dave",
    "daniel": "dan danny",
    "matthew": "matt",
    "anthony": "tony",
    "andrew": "andy drew",
    "benjamin": "ben",
    "gregory": "greg",
    "kenneth": "ken kenny",
    "lawrence": "larry",
    "peter": "pete",
    "philip": "phil",
    "ronald": "ron",
    "stephen": "steve",
    "timothy": "tim",
    "elizabeth": "liz beth betty lizzie eliza",
    "margaret": "maggie peggy meg",
    "katherine": "kate katie kathy",
    "susan": "sue susie",
    "deborah": "debbie deb",
    "jennifer": "jen jenny",
    "rebecca": "becky becca",
    "victoria": "vicky vicki",
    "barbara": "barb",
    "judith": "judy",
    "pamela": "pam",
    "nicholas": "nick",
    "aleksandr": "sasha",
    "johannes": "hannes hans",
    "friedrich": "fritz",
    "jose": "pepe",
    "francisco": "paco",
}
FORMAL = {short: name for name, shorts in _FORMAL.items() for short in shorts.split()}
"""The long form of a short name, where there is only one that it is mostly short for."""

AMBIGUOUS = {
    "alex": {"alexander", "alexandra", "alexis", "alexandre"},
    "chris": {"christopher", "christine", "christian", "christina"},
    "sam": {"samuel", "samantha"},
    "pat": {"patrick", "patricia"},
    "max": {"maximilian", "maxim", "maxwell"},
    "jan": {"janet", "janice", "january"},
    "steph": {"stephanie", "stephen"},
    "dan": {"daniela", "danielle"},
    "nic": {"nicholas", "nicole"},
}
"""What a short name may stand for, where that is more than one."""

_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ"
_LATIN = "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i i e g"
CYRILLIC = dict(zip(_CYRILLIC, _LATIN.split(), strict=True))
LETTERS = dict(zip("ßæøœłđðı", ["ss", "a", "o", "o", "l", "d", "d", "i"], strict=True))
