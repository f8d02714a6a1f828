"""Signing in with a name and a password."""

from tests.domains.people.conftest import Browser, sign_in


def test_who_is_not_signed_in_is_sent_to_the_form_and_back_to_the_page_that_was_asked_for(browser: Browser) -> None:
    client = browser()
    asked = client.get("/?day=today")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=/%3Fday%3Dtoday"
    form = client.get(asked.headers["location"])
    assert 'value="/?day=today"' in form.text
    assert sign_in(client, "Noor.Vermeulen ", next="/?day=today").headers["location"] == "/?day=today"
