import string

import pytest

from integrations.messaging.findings import ANOMALY_KINDS, BUSINESS_TYPES, FINDING_CODES
from integrations.messaging.texts import load_texts


def placeholders(texts, name):
    return {field for _, field, _, _ in string.Formatter().parse(texts._find(name)) if field}


def test_every_text_exists_in_both_languages():
    assert load_texts("de").names() == load_texts("en").names()


def test_both_languages_fill_in_the_same_values():
    german, english = load_texts("de"), load_texts("en")
    assert {name: placeholders(german, name) for name in german.names()} == {
        name: placeholders(english, name) for name in english.names()
    }


def test_every_finding_has_a_title_and_every_kind_of_it_a_sentence():
    names = load_texts("de").names()
    assert {f"findings.{code}.title" for code in FINDING_CODES} <= names
    assert {f"findings.business_type.text.{kind}" for kind in BUSINESS_TYPES} <= names
    assert {f"findings.usage_anomaly.text.{kind}" for kind in ANOMALY_KINDS} <= names


def test_german_says_sie():
    words = {
        word.strip(".,:;!?„“()") for name in load_texts("de").names() for word in load_texts("de")._find(name).split()
    }
    assert not words & {"du", "Du", "dein", "deine", "deinen", "dich", "dir", "euch", "ihr"}


@pytest.mark.parametrize("name", ["recommendation.nothing", "recommendation.switch", "recommendation.subject.deeper"])
def test_a_text_that_does_not_exist_is_named(name):
    with pytest.raises(KeyError, match=name):
        load_texts("de")(name)
