"""Messages of people who found a lost card: passed on to its holder, of whom they learn nothing."""

from ... import email_addresses, outbox
from ...errors import DomainError
from ...errors import mark as _
from ...models import Card, CardStatus, LockedBecause
from . import profiles

MESSAGE_LENGTH = 500
ANSWER_LENGTH = 254


class BadAnswerAddress(DomainError):
    """What was typed is neither an e-mail address nor a phone number."""

    status = 422
    field = "answer_to"


def may_be_reported(card: Card) -> bool:
    """Whether a finder may write: to the holder of a lost card, not about one that the shop switched off."""
    return card.status is CardStatus.LOCKED and card.locked_because is LockedBecause.LOST and not card.is_blocked


def pass_on(card: Card, message: str, answer_to: str, region: str) -> None:
    """Promise the holder of a lost card a mail with a finder's message; raises `BadAnswerAddress`.

    Nothing of it is kept once the mail is sent.
    """
    outbox.post(
        "mail.card_found",
        card_id=card.id,
        owner_id=card.owner_id,
        message=message.replace("\r\n", "\n"),
        answer_to=clean_answer_to(answer_to, region),
    )


def clean_answer_to(typed: str, region: str) -> str:
    """The e-mail address or phone number somebody meant, or nothing; raises `BadAnswerAddress`."""
    text = typed.strip()
    if not text:
        return ""
    try:
        return email_addresses.normalize(text) if "@" in text else profiles.clean("phone", text, region) or ""
    except DomainError:
        raise BadAnswerAddress(
            _("Enter an email address, such as ada@example.com, or a phone number, such as +44 20 7946 0000.")
        ) from None
