"""What must hold of the raw tables before anything is built from them, as Great Expectations suites.

Each judges the rows of the loads that it is given. Of a reference feed only what still counts is judged: a row that was
corrected since, by one received later under the same key, holds nobody up. What the loaders accept and only one
company suffers from is warned of: events of all companies wait for the companies.
"""

from datetime import UTC, datetime

from integrations.expectations.rules import Suite, absent, between, matches, not_in, not_null, one_of, unique, warned_of

__all__ = ["BRANCHES", "COMPANIES", "FEED_SUITES", "KPIS", "LOADS", "PLANS", "SUBSCRIPTIONS", "USAGE_EVENTS"]

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 12, 31, tzinfo=UTC)
FIRST_EVENT = datetime(1990, 1, 1, tzinfo=UTC)
LONGEST_SECONDS = 2**53
LAST_MINUTE = 1439
CURRENCY = "^[A-Z]{3}$"
LOCALE = "^[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?$"
ADDRESS = r"^[^\s,;<>@]+@[^\s,;<>@]+$"
NOT_BLANK = r"\S"

USAGE_EVENTS = Suite(
    "usage_events",
    """
    select *,
        usage_date - (occurred_at at time zone 'UTC')::date as days_from_utc,
        case when quantity = 'NaN' then 'NaN' end as no_quantity,
        case when revenue is not null and currency is null then revenue end as revenue_of_no_currency
    from raw.usage_events where load_id = any({loads}) and usage_date = any({dates})
    """,
    (
        *not_null("company_id", "usage_date", "occurred_at", "source", "event_id", "event_type", "quantity"),
        matches("a source is not empty", "source", "."),
        matches("an event id is not empty", "event_id", "."),
        matches("an event type is not empty", "event_type", "."),
        between("an event happened after 1990", "occurred_at", FIRST_EVENT),
        between("a usage date is at most a day off the date in UTC", "days_from_utc", -1, 1),
        between("a local minute lies within its day", "local_minute", 0, LAST_MINUTE),
        between("a branch is 0, which is none, or a known one", "branch_id", 0),
        absent("a quantity is a number", "no_quantity"),
        between("a duration is never negative", "duration_seconds", 0),
        between("a duration is a number of seconds that can be", "duration_seconds", None, LONGEST_SECONDS),
        between("revenue is never negative", "revenue", 0),
        absent("revenue has a currency", "revenue_of_no_currency"),
        matches("a currency is three capital letters", "currency", CURRENCY),
    ),
)

COMPANIES = Suite(
    "companies",
    """
    select * from raw.companies
    where load_id = any({loads}) and not exists (
        select from raw.companies as later
        where later.company_id = companies.company_id and later.valid_from = companies.valid_from
            and later.received_at > companies.received_at
    )
    """,
    (
        *not_null("company_id", "valid_from", "received_at", "name", "industry", "country", "time_zone"),
        *not_null("business_hours", "locale", "currency", "activated_at"),
        unique("a company is described once per valid-from time", "company_id", "valid_from"),
        warned_of(matches("a name is not blank", "name", NOT_BLANK)),
        warned_of(matches("an industry is not blank", "industry", NOT_BLANK)),
        matches("a country is two capital letters", "country", "^[A-Z]{2}$"),
        matches("a currency is three capital letters", "currency", CURRENCY),
        warned_of(matches("a locale is a language, with a country or without, like de or de-AT", "locale", LOCALE)),
        warned_of(matches("a contact is one bare mail address", "contact_email", ADDRESS)),
        between("an activation lies between 1900 and 9000", "activated_at", EARLIEST, LATEST),
        between("a valid-from time lies between 1900 and 9000", "valid_from", EARLIEST, LATEST),
    ),
)

BRANCHES = Suite(
    "branches",
    """
    select *,
        case when not exists (select from raw.companies where companies.company_id = branches.company_id)
            then company_id end as unknown_company
    from raw.branches
    where load_id = any({loads}) and not exists (
        select from raw.branches as later
        where later.company_id = branches.company_id and later.branch_id = branches.branch_id
            and later.valid_from = branches.valid_from and later.received_at > branches.received_at
    )
    """,
    (
        *not_null("company_id", "branch_id", "valid_from", "received_at", "name"),
        unique("a branch is described once per valid-from time", "company_id", "branch_id", "valid_from"),
        absent("a branch belongs to a company that is described", "unknown_company"),
        warned_of(matches("a name is not blank", "name", NOT_BLANK)),
        between("a branch has a number above 0, which is none", "branch_id", 1),
        between("a valid-from time lies between 1900 and 9000", "valid_from", EARLIEST, LATEST),
    ),
)

PLANS = Suite(
    "plans",
    """
    select *,
        case when terms ->> 'currency' is distinct from currency then terms ->> 'currency' end as other_currency
    from raw.plans where load_id = any({loads})
    """,
    (
        *not_null("plan_id", "plan_key", "version", "currency", "valid_from", "terms", "received_at"),
        unique("a version of a plan is there once", "plan_key", "version"),
        matches("a plan key is not empty", "plan_key", "."),
        between("versions count from 1", "version", 1),
        matches("a currency is three capital letters", "currency", CURRENCY),
        absent("the terms are in the currency of the plan", "other_currency"),
    ),
)

SUBSCRIPTIONS = Suite(
    "subscriptions",
    """
    select *,
        case when not exists (select from raw.companies where companies.company_id = subscriptions.company_id)
            then company_id end as unknown_company,
        case when not exists (
            select from raw.plans
            where plans.plan_key = subscriptions.plan_key and plans.version = subscriptions.plan_version
        ) then plan_key || ' v' || plan_version end as unknown_plan
    from raw.subscriptions
    where load_id = any({loads}) and not exists (
        select from raw.subscriptions as later
        where later.company_id = subscriptions.company_id and later.valid_from = subscriptions.valid_from
            and later.received_at > subscriptions.received_at
    )
    """,
    (
        *not_null("company_id", "valid_from", "received_at", "plan_key", "plan_version", "status"),
        unique("a company has one subscription per valid-from time", "company_id", "valid_from"),
        absent("a subscription belongs to a company that is described", "unknown_company"),
        absent("a subscription is to a version of a plan that is known", "unknown_plan"),
        one_of("a status is trial, active or cancelled", "status", "trial", "active", "cancelled"),
        warned_of(matches("a customer of Stripe begins with cus_", "stripe_customer_id", r"^cus_\S+$")),
        between("a valid-from time lies between 1900 and 9000", "valid_from", EARLIEST, LATEST),
    ),
)

KPIS = Suite(
    "kpis",
    """
    select *,
        case when kpi <> 'usage_growth' and value < 0 then value end as negative,
        case when unit = 'ratio' and kpi <> 'usage_growth' and value > 1 then value end as above_all
    from raw.kpis
    where load_id = any({loads}) and not exists (
        select from raw.kpis as later
        where later.month = kpis.month and later.kpi = kpis.kpi and later.unit = kpis.unit
            and later.received_at > kpis.received_at
    )
    """,
    (
        *not_null("month", "kpi", "unit", "value", "received_at"),
        unique("a figure has one value per month and unit", "month", "kpi", "unit"),
        warned_of(absent("only growth is ever negative", "negative")),
        warned_of(absent("a ratio is a share of all, from 0 to 1", "above_all")),
    ),
)

LOADS = Suite(
    "loads",
    """
    select load_id, status from raw.loads where feed = 'events' and status <> 'discarded'
    """,
    (
        not_in("no load waits for its release", "status", "held"),
        not_in("every file could be read", "status", "failed"),
    ),
)

FEED_SUITES = {
    "companies": COMPANIES,
    "branches": BRANCHES,
    "plans": PLANS,
    "subscriptions": SUBSCRIPTIONS,
    "kpis": KPIS,
    "events": USAGE_EVENTS,
}
