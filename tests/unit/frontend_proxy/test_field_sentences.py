"""Every code that a service answers has a sentence in each language, and no page shows a service's own text."""

import re
from zoneinfo import ZoneInfo

import pytest

from common.field_codes import MESSAGES, parameters
from common.languages import LANGUAGES
from frontend_proxy.app import ROOT
from frontend_proxy.auth_client import Answer
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.translator import Translations, Translator

WORDS = Translations(ROOT / "pages")
ZONE = ZoneInfo("Asia/Seoul")


def translator(language: str) -> Translator:
    return Translator(WORDS, language, ZONE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", MESSAGES)
def test_every_code_has_a_sentence(code: str, language: str) -> None:
    assert parameters(WORDS._texts[language][f"fields.{code}"]) <= parameters(MESSAGES[code])
    said = translator(language).field_error(code, dict.fromkeys(parameters(MESSAGES[code]), 7))
    assert bool(re.search("[가-힣]", said)) == (language == "ko")
    assert "{" not in said


def test_there_is_no_sentence_for_a_code_that_is_none() -> None:
    for language in LANGUAGES:
        known = {key.removeprefix("fields.") for key in WORDS.keys(language) if key.startswith("fields.")}
        assert known == set(MESSAGES)


@pytest.mark.parametrize(
    "errors",
    [
        '[{"field":"name","message":"Expected `str`"}]',
        '[{"field":"name","message":"Expected `str`","code":"of a newer service"}]',
        '[{"field":"name","message":"Expected `str`","code":"too_long"}]',
        '[{"field":"name","message":"Expected `str`","code":"too_long","params":{"max":null}}]',
        '[{"field":"name","message":"Expected `str`","code":"too_long","params":[1]}]',
        '[{"field":"name","message":"Expected `str`","code":["too_long"],"params":{"max":"Expected"}}]',
        '[{"field":"inner.thing","message":"Expected `str`","code":"invalid"}]',
        '[{"field":"","message":"Expected `str`","code":"wrong_type","params":{"expected":"object"}}]',
        '[{"field":7,"message":"Expected `str`"}, "Expected", null]',
        '"Expected"',
        "null",
    ],
)
def test_whatever_a_service_answers_its_own_text_is_not_shown(errors: str) -> None:
    body = f'{{"type":"about:blank","detail":"Expected","errors":{errors}}}'.encode()
    for language in LANGUAGES:
        found = refused(translator(language), Answer(400, [], body), {"name"})
        for text in (found.fault, *found.errors.values()):
            assert text
            assert "Expected" not in text
            assert bool(re.search("[가-힣]", text)) == (language == "ko")


def test_what_has_no_field_of_its_own_is_said_above_the_form() -> None:
    body = b'{"errors":[{"field":"addresses","code":"too_many","params":{"max":10}}]}'
    found = refused(translator("en"), Answer(400, [], body), {"name"})
    assert found == ("There can be at most 10.", {})
