"""Programme files: faults are named one by one; an adopted version never changes."""

from datetime import date, timedelta

import pytest

from registry import programmes
from registry.db import SYSTEM_ACTOR
from registry.errors import NotFoundError
from web import messages

TEXTS = programmes.packaged()
COUNTY = TEXTS["county-inclusion"]


def adopt(session, at, source, key="k"):
    return programmes.adopt(
        session,
        programmes.AdoptProgramme(at=at, actor_id=SYSTEM_ACTOR, key=key, source=source),
    )


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_packaged_programme_is_read_with_its_sources(name):
    view = programmes.read(TEXTS[name])
    assert view.id == name
    assert view.rules
    assert all(f.unit and f.source and f.mark for f in view.figures.values())


@pytest.mark.parametrize(
    ("before", "after", "code", "path"),
    [
        ('scheme = "inclusion"', 'scheme = "credit"', "PROGRAMME_VALUE", "scheme"),
        ('scheme = "inclusion"', "", "PROGRAMME_KEY_MISSING", "scheme"),
        ("[pools]", "[pool]", "PROGRAMME_KEY_UNKNOWN", "pool"),
        ('rule = "slope"', 'rule = "slop"', "PROGRAMME_RULE_UNKNOWN", "rules[4]"),
        ('rule = "slope"', 'rule = "tenure"', "PROGRAMME_RULE_TWICE", "rules[4]"),
        ("slope_deg_max", "slope_max", "PROGRAMME_KEY_MISSING", "rules.slope.slope_deg_max"),
        ('mark = "recalled"', 'mark = "sure"', "PROGRAMME_VALUE", "crediting.years_max.mark"),
        (
            'share = { value = "0.10"',
            "share = 0.1 #",
            "PROGRAMME_FIGURE_BARE",
            "non_permanence.share",
        ),
        ("[name]", "[name", "PROGRAMME_SYNTAX", ""),
        (
            "[sale]",
            '[issuance]\nmarks_forbidden = { value = ["sure"] }\n[sale]',
            "PROGRAMME_VALUE",
            "issuance.marks_forbidden",
        ),
        (
            'issuing_authority = "local"',
            'issuing_authority = "external"',
            "PROGRAMME_EXTERNAL_SALE",
            "sale",
        ),
    ],
)
def test_each_fault_is_named_with_its_path_and_has_words(before, after, code, path):
    faults = programmes.check(COUNTY.replace(before, after, 1))
    assert (code, path) in {(f.code, f.path) for f in faults}
    for fault in faults:
        said = messages.say(fault.code, fault.message_params())
        assert said.zh
        assert said.remedy_zh


def test_a_faulty_text_is_refused_whole(session, at):
    with pytest.raises(programmes.ProgrammeRefusedError) as refused:
        adopt(session, at, COUNTY.replace("[pools]", "[pool]"))
    assert {f.code for f in refused.value.findings} == {
        "PROGRAMME_KEY_UNKNOWN",
        "PROGRAMME_KEY_MISSING",
    }


def test_the_same_text_again_changes_nothing_and_another_is_refused(session, at):
    assert adopt(session, at, COUNTY).new
    assert not adopt(session, at, COUNTY, "k2").new
    with pytest.raises(programmes.ProgrammeVersionChangedError):
        adopt(session, at, COUNTY + "\n# touched\n", "k3")


def test_the_version_that_counts_is_the_latest_adopted_by_that_day(session, at):
    adopt(session, at, COUNTY)
    newer = COUNTY.replace('version = "2026.1"', 'version = "2026.2"')
    adopt(session, at + timedelta(days=30), newer, "k2")
    on = programmes.day_of(at)
    assert programmes.current(session, "county-inclusion", on=on).version == "2026.1"
    later = on + timedelta(days=30)
    assert programmes.current(session, "county-inclusion", on=later).version == "2026.2"
    with pytest.raises(NotFoundError):
        programmes.current(session, "county-inclusion", on=date(2020, 1, 1))
    assert programmes.version(session, "county-inclusion", "2026.1").sha256
    assert [v.version for v in programmes.adopted(session)] == ["2026.2", "2026.1"]


def test_sections_come_without_their_sources():
    sale = programmes.read(COUNTY).settings("sale")
    assert sale["notice_days"] == 15
    assert programmes.read(TEXTS["ccer-afforestation"]).settings("sale") == {}
