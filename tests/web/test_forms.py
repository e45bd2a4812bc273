"""What every form shares: input without blanks and control characters, refusals beside their field."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, FileField, HiddenField, IntegerField, PasswordField, StringField, TextAreaField
from wtforms.validators import DataRequired

from tapcard.db import db
from tapcard.errors import DomainError, TooManyAttempts
from tapcard.models import CardBatch
from tapcard.web.forms import Form, has_controls, refusals


class Example(Form):
    """One field of each kind."""

    name = StringField("Name", [DataRequired()])
    email = EmailField("E-mail")
    about = TextAreaField("About")
    token = HiddenField("Token")
    password = PasswordField("Password")
    number = IntegerField("Number", default=0)


class AliasTaken(DomainError):
    """A refusal that belongs to a field."""

    field = "name"


@pytest.fixture
def filled(app: Flask) -> Iterator[Callable[..., Example]]:
    """A form as it was sent, the token of its session aside."""
    with app.test_request_context("/", method="POST"):

        def fill(**data: Any) -> Example:
            return Example(MultiDict({"name": "Ada", **data}), meta={"csrf": False})

        yield fill


def test_blanks_around_what_was_typed_go(filled: Callable[..., Example]) -> None:
    form = filled(name="\u00a0 Ada Obi\t", email=" ada@example.com ", about="\n one\n two \n")
    assert form.validate()
    assert (form.name.data, form.email.data, form.about.data) == ("Ada Obi", "ada@example.com", "one\n two")


def test_nothing_but_blanks_is_nothing(filled: Callable[..., Example]) -> None:
    form = filled(name=" \u2003 ")
    assert not form.validate()
    assert form.name.errors


def test_a_password_is_taken_as_it_was_typed(filled: Callable[..., Example]) -> None:
    form = filled(password=" with blanks ")
    assert form.validate()
    assert form.password.data == " with blanks "


@pytest.mark.parametrize("field", ["name", "email", "about", "token"])
@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\ue000"])
def test_control_characters_are_refused_at_their_field(
    filled: Callable[..., Example], field: str, character: str
) -> None:
    form = filled(**{field: f"a{character}b"})
    assert not form.validate()
    assert list(form.errors) == [field]
    assert form[field].errors == ["This contains characters that aren't allowed here."]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\t"])
def test_line_ends_are_for_long_texts_alone(filled: Callable[..., Example], line_end: str) -> None:
    assert filled(about=f"one{line_end}two").validate()
    assert not filled(name=f"one{line_end}two").validate()


@pytest.mark.parametrize("text", ["Zoë", "漢字", "🎉", "👩\u200d🚀", "נעה", "O’Brien", "a-b_c"])
def test_letters_of_all_kinds_are_fine(text: str) -> None:
    assert not has_controls(text)


def test_one_mistake_does_not_hide_the_others(filled: Callable[..., Example]) -> None:
    form = filled(name="", email="a\0b", number="many")
    assert not form.validate()
    assert set(form.errors) == {"name", "email", "number"}


# --- files ------------------------------------------------------------------------------------------------------------


class WithPicture(Form):
    """A form that asks for a file."""

    name = StringField("Name")
    photo = FileField("Photo")


def test_a_file_is_taken_only_where_one_is_asked_for(app: Flask) -> None:
    data = {"name": (io.BytesIO(b"a file"), "name.txt"), "photo": (io.BytesIO(b"x"), "photo.jpg")}
    with app.test_request_context("/", method="POST", data=data):
        form = WithPicture(meta={"csrf": False})
        assert not form.name.data
        assert form.photo.data.filename == "photo.jpg"


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_refusal_stands_beside_its_field(filled: Callable[..., Example]) -> None:
    form = filled()
    with refusals(form):
        raise AliasTaken("%(name)s is taken.", name="Ada")
    assert form.errors == {"name": ["Ada is taken."]}


def test_a_refusal_of_no_field_stands_above_the_form(filled: Callable[..., Example]) -> None:
    for error in (DomainError("No."), DomainError("No.", field="no_such_field"), TooManyAttempts("No.", retry_after=1)):
        form = filled()
        with refusals(form):
            raise error
        assert form.form_errors == ["No."]
        assert form.errors


def test_a_refusal_comes_beside_what_was_wrong_before(filled: Callable[..., Example]) -> None:
    form = filled(name="")
    form.validate()
    with refusals(form):
        raise AliasTaken("Taken.")
    assert len(form.name.errors) == 2


def test_what_was_begun_before_a_refusal_is_undone(filled: Callable[..., Example]) -> None:
    with refusals(filled()):
        db.session.add(CardBatch(name="half done"))
        db.session.flush()
        raise DomainError("No.")
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardBatch)) == 0


def test_a_fault_is_no_refusal(filled: Callable[..., Example]) -> None:
    with pytest.raises(ZeroDivisionError), refusals(filled()):
        raise ZeroDivisionError
