"""Messages from people who found a lost card, sent by email to its owner, whose identity stays hidden."""

from ... import email_addresses, outbox, phones
from ...errors import DomainError
from ...errors import mark as _
from ...models import Card, CardStatus, LockedBecause

MAX_MESSAGE_LENGTH = 500
MAX_REPLY_ADDRESS_LENGTH = 254


class InvalidReplyAddress(DomainError):
    """The text is neither an email address nor a phone number."""

    status = 422
    field = "answer_to"


def can_be_reported(card: Card) -> bool:
    """Return whether a card is locked as lost, so that a finder can send a message to its owner."""
    return card.status is CardStatus.LOCKED and card.locked_because is LockedBecause.LOST and not card.is_blocked


def send_report(card: Card, message: str, answer_to: str, region: str) -> None:
    """Queue an email with a finder's message to the owner of a lost card; raises `InvalidReplyAddress`.

    Nothing of it is stored once the email is sent.
    """
    outbox.post(
        "mail.card_found",
        card_id=card.id,
        owner_id=card.owner_id,
        message=message.replace("\r\n", "\n"),
        answer_to=clean_reply_address(answer_to, region),
    )


def clean_reply_address(text: str, region: str) -> str:
    """Return a typed email address or phone number in its cleaned form, or ""; raises `InvalidReplyAddress`."""
    text = text.strip()
    if not text:
        return ""
    try:
        return email_addresses.normalize(text) if "@" in text else phones.clean(text, region) or ""
    except DomainError:
        raise InvalidReplyAddress(
            _("Enter an email address, such as ada@example.com, or a phone number, such as +44 20 7946 0000.")
        ) from None
