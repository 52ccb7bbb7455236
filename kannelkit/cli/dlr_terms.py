"""The words in which receipts are told, in English and Russian; those of the provider stand in its own tables."""

from __future__ import annotations

from collections.abc import Mapping

from kannelkit.providers.facts import Language

_TERMS: Mapping[str, tuple[str, str]] = {
    # labels
    "id": ("id", "id"),
    "state": ("state", "статус"),
    "error": ("error", "ошибка"),
    "final": ("final", "окончательно"),
    "kind": ("kind", "вид"),
    "submitted": ("submitted", "отправлено"),
    "done": ("done", "статус получен"),
    "sub": ("sub", "sub"),
    "dlvrd": ("dlvrd", "dlvrd"),
    "parts": ("parts", "частей"),
    "cost": ("cost", "стоимость"),
    "piece": ("text", "текст"),
    "conflicts": ("text and TLVs differ in", "текст и TLV расходятся"),
    "status": ("status", "код"),
    "final date": ("final since", "окончательный с"),
    "asked": ("asked", "спрошено"),
    # values
    "unknown": ("unknown", "неизвестно"),
    "unconfirmed": ("not from the provider's own pages", "не со страниц провайдера"),
    "no meaning": ("an error whose meaning is not known", "ошибка с неизвестным значением"),
    "of e-mail": ("of an e-mail it would be", "для e-mail это"),
    "no state": ("no state", "статус не указан"),
    "no zone": ("the time zone is not stated", "часовой пояс не указан"),
    "empty": ("-", "-"),
    "is final": ("yes: another try would end the same way", "да: повторная отправка не поможет"),
    "is not final": ("no: another try later may do", "нет: позже можно отправить ещё раз"),
    "accepted": (
        "accepted by the SMSC; its receipt is still to come",
        "принято SMS-центром, статус доставки ещё придёт",
    ),
    "refused": ("refused by the SMSC", "SMS-центр отказался принять"),
    "refused somewhere": (
        "refused, by the SMSC or by a list of Kannel's own; bearerbox's log says why",
        "отказано SMS-центром или списком самого Kannel; причина в журнале bearerbox",
    ),
    "not sent": ("not sent by Kannel", "Kannel не отправил"),
    # notes
    "perhaps a repeat": (
        "Perhaps it was delivered all the same. SMSC.ru takes the same text to the same number once a minute, and does "
        "not say with which status it refuses the second. Where a connection breaks before a submit is answered, "
        "Kannel sends it again: the first is then delivered, and the refusal is of the second. Look for the message in "
        "the provider's history before it is sent again.",
        "Возможно, сообщение всё же доставлено. SMSC.ru принимает один и тот же текст на один номер раз в минуту "
        "и не сообщает, с каким кодом отклоняет повтор. Если соединение обрывается до ответа на submit_sm, Kannel "
        "отправляет сообщение ещё раз: первое доставляется, а отказ относится ко второму. Прежде чем отправлять "
        "снова, найдите его в истории у провайдера.",
    ),
    "twin sent": (
        "A repeat: the same text to this number was accepted at {stamp} under the id {id}. SMSC.ru takes it once a "
        "minute, and the first one is on its way.",
        "Повтор: тот же текст на этот номер был принят {stamp} с id {id}. SMSC.ru принимает его раз в минуту, "
        "первое сообщение отправлено.",
    ),
    "twin refused": (
        "Kannel knows no message of this id, but reported one to this number as refused at {stamp}. Probably that is "
        "the message: the answer to its first submit was lost, and what was refused is the repeat. No dlr-url was "
        "called for this receipt.",
        "Kannel не знает сообщения с таким id, но {stamp} сообщил об отказе для этого номера. Вероятно, это то самое "
        "сообщение: ответ на первую отправку потерялся, отклонён был повтор. Для этого отчёта dlr-url не вызывался.",
    ),
    "twin unknown receipt": (
        "Probably it went out all the same: at {stamp} a receipt came from this number for a message that Kannel does "
        "not know, {id}. The answer to the first submit was lost, and what was refused is the repeat.",
        "Вероятно, сообщение всё же отправлено: {stamp} с этого номера пришёл отчёт о сообщении {id}, которого Kannel "
        "не знает. Ответ на первую отправку потерялся, отклонён был повтор.",
    ),
    "no message": (
        "Kannel knows no message that waits for this receipt, and called no dlr-url: none was asked for, it had ended "
        "already, or dlr-storage forgot it.",
        "Kannel не знает сообщения, которое ждёт этого отчёта, и не вызвал dlr-url: отчёт не запрашивался, уже был "
        "получен, или dlr-storage его потерял.",
    ),
    "dropped": (
        "bearerbox dropped it, because no smsbox took it: no dlr-url was called.",
        "bearerbox отбросил отчёт, потому что ни один smsbox его не принял: dlr-url не вызывался.",
    ),
}
TERMS: Mapping[Language, Mapping[str, str]] = {
    "en": {name: english for name, (english, _) in _TERMS.items()},
    "ru": {name: russian for name, (_, russian) in _TERMS.items()},
}

# What bearerbox says where it did not send a message by its own decision (gw/bb_smscconn.c, gw/smsc/smsc_smpp.c);
# nothing where a part of a long message failed.
KANNEL_REASONS: Mapping[str, tuple[str, str]] = {
    "": ("a part of a long message failed", "не отправлена часть длинного сообщения"),
    "Retries Exceeded": (
        "tried sms-resend-retry times, and the SMSC had no room each time",
        "исчерпаны попытки sms-resend-retry",
    ),
    "validity expired": ("its validity ended while it waited", "срок действия истёк, пока сообщение ждало"),
    "no SMSC": ("no link takes it", "нет линка, который его принимает"),
    "MALFORMED SMS": ("no PDU can be made of it", "из него нельзя составить PDU"),
    "sender not in white-list": ("the sender is not in the white-list", "отправителя нет в white-list"),
    "sender in black-list": ("the sender is in the black-list", "отправитель в black-list"),
    "receiver not in white-list": ("the receiver is not in the white-list", "получателя нет в white-list"),
    "receiver in black-list": ("the receiver is in the black-list", "получатель в black-list"),
}
