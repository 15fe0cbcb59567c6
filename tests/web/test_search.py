"""The search box: on every page, by right, told what to do where nothing is found."""

import pytest

from tests.web.conftest import PASSWORD, drawing


@pytest.fixture(scope="module")
def drawn(town):
    from tests.web.conftest import Machine

    answer = Machine(town.app, "township").send("/parcels", drawing(plot_code="HB-7"))
    assert answer.status_code == 201
    Machine(town.app, "township").send("/parcels", drawing(118.806, plot_code="HB-8"))
    return town


def test_every_page_has_the_box(town, client):
    for path in ("/", "/search", "/lookup", "/methods", "/no-such-page"):
        assert 'role="search"' in client.get(path).text
        assert 'aria-keyshortcuts="/"' in client.get(path).text


def test_the_api_finds_by_right(drawn, machine):
    def names(desk, words):
        answer = machine(desk).get("/search", query_string={"q": words})
        assert answer.status_code == 200
        return [one["name"] for one in answer.get_json()["items"]]

    assert names("township", "hb-") == ["HB-7", "HB-8"]
    assert names("other", "hb-") == []
    assert names("other", "航埠") == ["航埠镇"]
    open_ = drawn.app.test_client().get("/api/v1/search?q=HB-7").get_json()
    assert open_ == {"items": []}
    for words in ("", "   ", "字" * 61):
        assert machine("township").get("/search", query_string={"q": words}).status_code == 422


def test_one_plot_alone_is_opened_at_once_and_several_are_listed(drawn, client):
    auth = ("township", PASSWORD)
    one = client.get("/search?q=HB-7", auth=auth)
    assert one.status_code == 303
    assert "/parcels/" in one.headers["Location"]
    several = client.get("/search?q=HB", auth=auth).text
    assert "找到 2 项" in several
    assert 'value="HB"' in several


def test_nothing_found_says_what_can_be_searched(drawn, client):
    page = client.get("/search?q=没有这个").text
    assert "没有找到" in page
    assert "登录后还可以找地块和项目" in page
    assert "编号的开头或结尾" in client.get("/search?q=没有这个", auth=("county", PASSWORD)).text
    assert "没有找到" not in client.get("/search?q=%00").text
