import re
from html.parser import HTMLParser

import pytest

from integrations.messaging.findings import FINDING_CODES
from integrations.messaging.rendering import KINDS, PayloadError, render

NUMBERS = {
    "peak_hours": {"hours": [9, 10]},
    "peak_usage_day": {"weekday": 1, "share": 0.234},
    "after_hours_share": {"ratio": 0.31},
    "rapid_growth": {"growth_per_month": 0.25},
    "business_type": {"business_type": "low_volume_consultative"},
    "projected_month": {"call_minutes": 15306, "appointments": 1},
    "lost_bookings": {"count": 1, "share": 0.02},
    "low_utilisation": {"meter": "call_seconds", "utilisation": 0.31},
    "overage_risk": {"meter": "appointments", "probability": 0.855},
    "usage_anomaly": {"meter": "calls", "kind": "drop", "usage_date": "2026-11-12"},
    "savings": {"amount": "145.00", "currency": "EUR", "plan_name": "Volumen-Tarif"},
}
REQUIRED = {
    "first_insights": "company_name window_start window_end totals.calls totals.call_minutes totals.appointments "
    "findings",
    "recommendation": "company_name action current_plan.name recommended_plan.name recommended_plan.benefits currency "
    "expected_cost current_cost projected_savings confidence action_url expires_at alternatives",
}
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Balance(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.open, self.wrong, self.assets = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.open += [] if tag in VOID else [tag]
        self.assets += [name for name, _ in attributes if name in ("src", "background", "srcset")]
        self.assets += [tag] if tag in ("link", "script", "img", "iframe") else []

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def with_finding(payload, code, numbers, severity="info"):
    return payload("first_insights", findings=[{"code": code, "severity": severity, "numbers": numbers}])


def plain(text):
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("kind", "locale", "subject"),
    [
        ("recommendation", "de", "Ihre personalisierte Tarifempfehlung ist bereit!"),
        ("recommendation", "en", "Your personalised plan recommendation is ready"),
        ("first_insights", "de", "Ihre ersten Einblicke nach 7 Tagen"),
        ("first_insights", "fr", "Your first insights after 7 days"),
    ],
)
def test_the_subject_is_the_agreed_one(payload, kind, locale, subject):
    assert render(kind, locale, payload(kind)).subject == subject


@pytest.mark.parametrize("locale", ["de", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_html_is_balanced_and_loads_nothing_from_outside(payload, kind, locale):
    html = render(kind, locale, payload(kind)).html
    page = Balance(html)
    assert (page.open, page.wrong, page.assets) == ([], [], [])
    assert "url(" not in html
    assert f'<html lang="{locale}">' in html
    assert "max-width:600px" in html


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_payload_renders_to_the_same_bytes(payload, kind):
    assert render(kind, "de", payload(kind)) == render(kind, "de", payload(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_html_is_escaped_and_plain_text_is_not(payload, kind):
    rendered = render(kind, "de", payload(kind, company_name="Müller <b>& Co</b>"))
    assert "Müller &lt;b&gt;&amp; Co&lt;/b&gt;" in rendered.html
    assert "<b>" not in rendered.html
    assert "Müller <b>& Co</b>" in rendered.text


@pytest.mark.parametrize(
    ("code", "german", "english"),
    [
        ("peak_hours", "09:00–11:00 Uhr", "9:00 AM–11:00 AM"),
        (
            "peak_usage_day",
            "Am Dienstag ist am meisten los. Auf diesen Tag entfallen 23 % Ihrer",
            "Tuesday is your busiest day, with 23% of",
        ),
        ("after_hours_share", "31 % Ihrer Anrufe", "31% of your calls"),
        ("rapid_growth", "um 25 %", "by 25% a month"),
        ("business_type", "ausführliche Beratungsgespräche", "long and thorough"),
        ("projected_month", "15.306 Gesprächsminuten und 1 Termin im", "15,306 call minutes and 1 appointment a"),
        (
            "lost_bookings",
            "1 Anruf führte nicht zu einer Buchung, das sind 2 %",
            "1 call did not lead to a booking, which is 2%",
        ),
        ("low_utilisation", "Kontingent (Gesprächszeit) nutzen Sie voraussichtlich nur 31 %.", "only 31% of your"),
        ("overage_risk", "von 86 % ist Ihr Kontingent (Termine)", "86%, your allowance (appointments)"),
        (
            "usage_anomaly",
            "Am 12. November 2026 lag die Nutzung (Anrufe)",
            "On November 12, 2026 usage (calls) was far",
        ),
        ("savings", "„Volumen-Tarif“ zahlen Sie voraussichtlich 145,00 € weniger", "“Volumen-Tarif” you are expected"),
    ],
)
def test_every_finding_is_a_sentence_with_its_numbers(payload, code, german, english):
    given = with_finding(payload, code, NUMBERS[code])
    for locale, sentence in (("de", german), ("en", english)):
        rendered = render("first_insights", locale, given)
        assert sentence in plain(rendered.text)
        assert sentence in plain(rendered.html)


@pytest.mark.parametrize(
    ("error", "german", "english"),
    [
        (0.126, "im Mittel um 13 % daneben", "were off by 13% on average in the months before"),
        (None, "ist noch nicht bekannt", "is not known yet"),
    ],
)
def test_mails_say_how_far_such_forecasts_were_off_or_that_nobody_knows(payload, error, german, english):
    month = with_finding(payload, "projected_month", NUMBERS["projected_month"] | {"forecast_error": error})
    for locale, sentence in (("de", german), ("en", english)):
        for kind, given in (
            ("first_insights", month),
            ("recommendation", payload("recommendation", forecast_error=error)),
        ):
            rendered = render(kind, locale, given)
            assert sentence in plain(rendered.text)
            assert sentence in plain(rendered.html)


def test_every_known_finding_is_covered_above():
    assert set(NUMBERS) == set(FINDING_CODES)


def test_a_meter_that_only_an_installation_knows_is_one_of_its_services(payload):
    numbers = {"meter": "pizzas", "utilisation": 0.1}
    assert "(eine Ihrer Leistungen)" in plain(
        render("first_insights", "de", with_finding(payload, "low_utilisation", numbers)).text
    )


def test_several_lost_bookings_are_plural(payload):
    text = render("first_insights", "de", with_finding(payload, "lost_bookings", {"count": 1200, "share": 0.5})).text
    assert "1.200 Anrufe führten nicht" in text


def test_totals_are_counted_nouns_in_the_singular_too(payload):
    text = render("first_insights", "de", payload("first_insights")).text
    assert "- 1.284 Anrufe\n- 3.572 Gesprächsminuten\n- 1 Termin\n" in text


def test_a_week_without_findings_says_so(payload):
    rendered = render("first_insights", "de", payload("first_insights", findings=[]))
    assert "kein deutliches Muster" in plain(rendered.html)
    assert "kein deutliches Muster" in plain(rendered.text)


@pytest.mark.parametrize(("severity", "colour"), [("info", "#1d4e89"), ("warning", "#c2741c")])
def test_a_warning_has_its_own_colour(payload, severity, colour):
    html = render("first_insights", "de", with_finding(payload, "rapid_growth", {"growth_per_month": 1}, severity)).html
    assert f"border-left:3px solid {colour}" in html


def test_an_unknown_finding_is_an_error_not_a_gap(payload):
    with pytest.raises(PayloadError, match=r"findings\[0\]\.code 'horoscope' is unknown"):
        render("first_insights", "de", with_finding(payload, "horoscope", {}))


@pytest.mark.parametrize("code", FINDING_CODES)
def test_a_finding_without_its_numbers_names_each_of_them(payload, code):
    with pytest.raises(PayloadError) as error:
        render("first_insights", "de", with_finding(payload, code, {}))
    assert re.findall(r"findings\[0\]\.numbers\.(\w+) is missing", str(error.value)) == list(NUMBERS[code])


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        ("peak_hours", {"hours": [24]}),
        ("peak_hours", {"hours": []}),
        ("peak_hours", {"hours": 9}),
        ("peak_usage_day", {"weekday": 7, "share": 0.1}),
        ("business_type", {"business_type": "unheard_of"}),
        ("after_hours_share", {"ratio": "much"}),
        ("usage_anomaly", {"kind": "flood", "meter": "calls", "usage_date": "2026-11-12"}),
        ("savings", {"amount": 1.5, "currency": "EUR", "plan_name": "V"}),
        ("savings", {"currency": "euro", "amount": "1.5", "plan_name": "V"}),
    ],
)
def test_a_number_out_of_its_range_is_named(payload, code, numbers):
    with pytest.raises(PayloadError, match=rf"findings\[0\]\.numbers\.{next(iter(numbers))}: "):
        render("first_insights", "de", with_finding(payload, code, numbers))


@pytest.mark.parametrize("kind", KINDS)
def test_everything_missing_is_named_at_once(payload, kind):
    with pytest.raises(PayloadError) as error:
        render(kind, "de", {})
    assert re.findall(r"([\w.]+) is missing", str(error.value)) == REQUIRED[kind].split()


def test_rows_of_a_list_are_named_by_their_place(payload):
    given = payload("recommendation", alternatives=[{"name": "Hybrid", "expected_cost": "1"}, {"name": "Paket"}, "x"])
    with pytest.raises(
        PayloadError, match=r"alternatives\[1\]\.expected_cost is missing; alternatives\[2\] is no mapping"
    ):
        render("recommendation", "de", given)


def test_a_window_that_ends_before_it_starts_is_refused(payload):
    with pytest.raises(PayloadError, match="window_end 2026-11-07 does not lie after window_start 2026-11-07"):
        render("first_insights", "de", payload("first_insights", window_end="2026-11-07"))


def test_an_unknown_kind_is_refused_with_the_known_ones(payload):
    with pytest.raises(ValueError, match="'greeting'; use one of first_insights, recommendation"):
        render("greeting", "de", {})


@pytest.mark.parametrize("form", ["html", "text"])
def test_a_switch_names_both_plans_their_costs_and_the_savings(payload, form):
    mail = plain(getattr(render("recommendation", "de", payload("recommendation")), form))
    for part in (
        "Ein anderer Tarif passt besser zu Ihnen",
        "Mit „Volumen-Tarif“ zahlen Sie voraussichtlich 145,00 € weniger pro Monat.",
        "Ihr Tarif heute (Basis)",
        "1.234,50 € pro Monat",
        "Unsere Empfehlung (Volumen-Tarif)",
        "1.089,50 € pro Monat",
        "Voraussichtliche Ersparnis",
        "Keine Grundgebühr",
        "1.120,10 € pro Monat",
        "Mit einer Wahrscheinlichkeit von 87 % ist das die günstigere Wahl.",
        "gilt bis zum 5. Dezember 2026",
        "Empfehlung ansehen und Tarif wechseln",
    ):
        assert part in mail


@pytest.mark.parametrize("form", ["html", "text"])
def test_staying_asks_for_nothing_and_promises_no_savings(payload, form):
    given = payload("recommendation", action="stay", recommended_plan={"name": "Basis", "benefits": []}, currency="USD")
    mail = plain(getattr(render("recommendation", "en", given), form))
    assert "Your plan fits" in mail
    assert "“Basis” remains the right choice for you. There is nothing you need to change." in mail
    assert "Your plan today (Basis)" in mail
    assert "$1,089.50 per month" in mail
    for absent in ("Expected savings", "Our recommendation", "Why “", "switch"):
        assert absent not in mail


@pytest.mark.parametrize("savings", ["0", "-3.20"])
def test_a_switch_that_saves_nothing_promises_nothing(payload, savings):
    rendered = render("recommendation", "de", payload("recommendation", projected_savings=savings))
    assert "passt besser zu der Art, wie Sie uns nutzen" in rendered.text
    for form in (rendered.text, rendered.html):
        assert "Ersparnis" not in form
        assert "weniger" not in form
        assert "sparen Sie" not in form


def test_without_benefits_and_alternatives_their_headings_vanish(payload):
    given = payload("recommendation", alternatives=[], recommended_plan={"name": "V", "benefits": []})
    rendered = render("recommendation", "de", given)
    assert "Weitere Möglichkeiten" not in rendered.html + rendered.text
    assert "spricht" not in rendered.html + rendered.text


def test_the_link_is_whole_in_text_and_escaped_in_html(payload):
    rendered = render("recommendation", "de", payload("recommendation"))
    assert "https://app.invalid/recommendations/42?a=1&b=2\n" in rendered.text
    assert 'href="https://app.invalid/recommendations/42?a=1&amp;b=2"' in rendered.html


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"action_url": "javascript:alert(1)"}, "no http"),
        ({"action_url": "/recommendations/42"}, "no http"),
        ({"action": "upgrade"}, "use switch or stay"),
        ({"currency": "euro"}, "ISO 4217"),
        ({"expected_cost": 12.5}, "decimal string"),
        ({"projected_savings": "a lot"}, "no number"),
        ({"confidence": 87}, r"0\.\.1"),
        ({"expires_at": "soon"}, "no ISO date"),
        ({"recommended_plan": {"name": "V", "benefits": "cheap"}}, "no list of texts"),
        ({"alternatives": "none"}, "no list"),
    ],
)
def test_an_unusable_value_of_a_recommendation_is_named(payload, overrides, problem):
    with pytest.raises(PayloadError, match=f"{next(iter(overrides))}.*{problem}"):
        render("recommendation", "de", payload("recommendation", **overrides))


def test_lines_of_plain_text_stay_short(payload):
    given = payload(
        "recommendation", company_name="Ein Betrieb mit einem Namen, der so lang ist, dass er umbrochen werden muss"
    )
    lines = render("recommendation", "de", given).text.splitlines()
    assert max(len(line) for line in lines if "https" not in line) <= 76
