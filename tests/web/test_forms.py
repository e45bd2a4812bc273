"""Base form: stripping, control characters, files and errors next to their fields."""

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
    """Form with a field of each kind."""

    name = StringField("Name", [DataRequired()])
    email = EmailField("E-mail")
    about = TextAreaField("About")
    token = HiddenField("Token")
    password = PasswordField("Password")
    number = IntegerField("Number", default=0)


class AliasTaken(DomainError):
    """Error of one field."""

    field = "name"


@pytest.fixture
def filled(app: Flask) -> Iterator[Callable[..., Example]]:
    """Create a submitted form without CSRF protection."""
    with app.test_request_context("/", method="POST"):

        def fill(**data: Any) -> Example:
            return Example(MultiDict({"name": "Ada", **data}), meta={"csrf": False})

        yield fill


def test_surrounding_whitespace_is_stripped(filled: Callable[..., Example]) -> None:
    form = filled(name="\u00a0 Ada Obi\t", email=" ada@example.com ", about="\n one\n two \n")
    assert form.validate()
    assert (form.name.data, form.email.data, form.about.data) == ("Ada Obi", "ada@example.com", "one\n two")


def test_a_value_of_only_whitespace_counts_as_missing(filled: Callable[..., Example]) -> None:
    form = filled(name=" \u2003 ")
    assert not form.validate()
    assert form.name.errors


def test_a_password_is_not_stripped(filled: Callable[..., Example]) -> None:
    form = filled(password=" with blanks ")
    assert form.validate()
    assert form.password.data == " with blanks "


@pytest.mark.parametrize("field", ["name", "email", "about", "token"])
@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\ue000"])
def test_control_characters_show_an_error_at_their_field(
    filled: Callable[..., Example], field: str, character: str
) -> None:
    form = filled(**{field: f"a{character}b"})
    assert not form.validate()
    assert list(form.errors) == [field]
    assert form[field].errors == ["This contains characters that aren't allowed here."]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\t"])
def test_only_text_areas_accept_line_ends(filled: Callable[..., Example], line_end: str) -> None:
    assert filled(about=f"one{line_end}two").validate()
    assert not filled(name=f"one{line_end}two").validate()


@pytest.mark.parametrize("text", ["Zoë", "漢字", "🎉", "👩\u200d🚀", "נעה", "O’Brien", "a-b_c"])
def test_letters_of_all_scripts_are_accepted(text: str) -> None:
    assert not has_controls(text)


def test_all_errors_show_at_once(filled: Callable[..., Example]) -> None:
    form = filled(name="", email="a\0b", number="many")
    assert not form.validate()
    assert set(form.errors) == {"name", "email", "number"}


# --- files ------------------------------------------------------------------------------------------------------------


class WithPicture(Form):
    """Form with a file field."""

    name = StringField("Name")
    photo = FileField("Photo")


def test_files_are_accepted_only_for_file_fields(app: Flask) -> None:
    data = {"name": (io.BytesIO(b"a file"), "name.txt"), "photo": (io.BytesIO(b"x"), "photo.jpg")}
    with app.test_request_context("/", method="POST", data=data):
        form = WithPicture(meta={"csrf": False})
        assert not form.name.data
        assert form.photo.data.filename == "photo.jpg"


# --- domain errors ----------------------------------------------------------------------------------------------------


def test_a_domain_error_shows_next_to_its_field(filled: Callable[..., Example]) -> None:
    form = filled()
    with refusals(form):
        raise AliasTaken("%(name)s is taken.", name="Ada")
    assert form.errors == {"name": ["Ada is taken."]}


def test_a_domain_error_without_a_field_shows_above_the_form(filled: Callable[..., Example]) -> None:
    for error in (DomainError("No."), DomainError("No.", field="no_such_field"), TooManyAttempts("No.", retry_after=1)):
        form = filled()
        with refusals(form):
            raise error
        assert form.form_errors == ["No."]
        assert form.errors


def test_a_domain_error_is_added_to_earlier_errors(filled: Callable[..., Example]) -> None:
    form = filled(name="")
    form.validate()
    with refusals(form):
        raise AliasTaken("Taken.")
    assert len(form.name.errors) == 2


def test_a_domain_error_rolls_back_the_transaction(filled: Callable[..., Example]) -> None:
    with refusals(filled()):
        db.session.add(CardBatch(name="half done"))
        db.session.flush()
        raise DomainError("No.")
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardBatch)) == 0


def test_other_exceptions_are_not_caught(filled: Callable[..., Example]) -> None:
    with pytest.raises(ZeroDivisionError), refusals(filled()):
        raise ZeroDivisionError
