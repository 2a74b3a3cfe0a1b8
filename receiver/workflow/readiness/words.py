"""Words by which a ticket's language, and what it tells, are recognised. Tables only.

A language that is not here is not judged: its tickets are taken for complete.
"""

from __future__ import annotations

from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FUNCTION_WORDS: Final[dict[str, frozenset[str]]] = {
    "en": _set(
        "a an and are as at be been but by for from has have i in into is it its of on or our she he so that the their "
        "them there they this to was we when which with you your"
    ),
    "de": _set(
        "aber als am an auf aus bei bitte das dass dem den der des die ein eine einen einem einer er es für hat ich im "
        "in ist man mit nach sich sie sind und uns von wenn wir wird zu zum zur"
    ),
    "fr": _set(
        "à au aux avec c'est ce cette dans de des du elle en est et il ils je la le les leur lorsque mais nous on ou "
        "par pas pour quand que qui se sont sur un une vous"
    ),
    "es": _set(
        "a al como con cuando de del el ella en es está esta este la las lo los me no para pero por que se si su un "
        "una y ya"
    ),
    "it": _set(
        "al alla che con da dal del della di e è gli ha i il in la le lo ma nel nella non per quando se si sono su un "
        "una"
    ),
    "pt": _set("a ao as com da das de do dos e é em está isso mas na não no o os ou para por quando que se um uma"),
    "nl": _set(
        "aan als bij dat de die dit een en er het hij ik in is maar met na naar niet of om op te uit van voor wij ze"
    ),
}
"""Frequent words that carry no matter, by language."""

FILLERS: Final = _set(
    "asap bug bugs fix fixed hello help hi issue issues kindly please problem problems thanks thank ticket urgent "
    "urgently work works working broken again still not don't doesn't isn't can't cannot "
    "bitte danke dringend fehler funktioniert geht hallo kaputt nicht problem "
    "bonjour marche fonctionne merci problème urgent "
    "favor funciona gracias hola problema roto urgente "
    "funziona grazie ciao obrigado funcionando werkt kapot dringend graag"
)
"""Words of any of these languages that a ticket can be full of without saying anything."""

FAILURES: Final = (
    r"fail\w*|crash\w*|error\w*|exception\w*|can(?:no|')t\s+\w{2,}|could\s*n[o']?t\s+\w{2,}|refus\w*|reject\w*|miss(?:ing|es)"
    r"|los[te]\w*|disappear\w*|duplicat\w*|twice|empty|blank|hang\w*|freez\w*|fr[eo]ze\w*|slow\w*|time[sd]?[ -]?out\w*"
    r"|schlägt\s+fehl|fehlgeschlagen|fehlermeldung\w*|abgestürzt|stürzt\s+ab|fehlt|fehlen|leer|doppelt|verschwind\w*"
    r"|kann\s+nicht\s+\w{3,}|lässt\s+sich\s+nicht\s+\w{3,}|wird\s+nicht\s+\w{3,}"
    r"|échou\w*|erreur\w*|plant\w*|manqu\w*|vide|impossible|disparaî\w*"
    r"|falla\w*|fallo|errore?s?|falta\w*|vací[oa]\w*|no\s+(?:se\s+)?puede\w*|desaparec\w*"
    r"|fallisc\w*|manca\w*|vuot[oaie]|non\s+si\s+può|scompa\w*"
    r"|falha\w*|erro|vazi[oa]\w*|não\s+(?:é\s+possível|consig\w*)"
    r"|mislukt\w*|fout(?:melding)?\w*|ontbreek\w*|leeg|verdwijn\w*"
)
"""What goes wrong by itself: it says what was expected as well, namely that it does not."""

EXPECTATIONS: Final = (
    r"expect\w*|should\w*|must|instead|supposed|rather\s+than|want\w*|correct\s+(?:is|would)|used\s+to"
    r"|erwart\w*|sollte\w*|soll|muss|müsste\w*|statt|stattdessen|richtig\s+wäre"
    r"|attend\w*|devrait|devraient|doit|doivent|au\s+lieu"
    r"|esper\w*|debería\w*|debe\w*|en\s+(?:lugar|vez)\s+de"
    r"|aspett\w*|dovrebbe\w*|deve|devono|invece"
    r"|deveria\w*|deve\w*|em\s+vez|ao\s+invés"
    r"|verwacht\w*|zou\s+moeten|moet\w*|in\s+plaats"
)
"""What says how it ought to be."""

ACTUAL_HEADINGS: Final = (
    r"actual\w*|observed|symptoms?|what\s+happen\w*|current\s+behaviou?r|result"
    r"|ist|tatsächlich\w*|symptom|verhalten|was\s+passiert"
    r"|obtenu|comportement\s+(?:actuel|observé)|actuel|symptômes?"
    r"|actual|comportamiento\s+actual|qué\s+pasa|attuale|risultato|atual|resultado|werkelijk\w*|huidig\w*"
)
EXPECTED_HEADINGS: Final = r"expected\w*|expectation|soll|erwartet\w*|attendu|esperado|atteso|verwacht\w*|acceptance"
"""Words that a heading, or a label before a colon, begins with."""
