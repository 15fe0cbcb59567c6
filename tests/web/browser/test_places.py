"""The way of a plot, in a browser: import, findings on the map, drawing, approval by another."""

import json

from tests.geo.makers import CGCS2000
from tests.web.conftest import square

BOW = [[118.83, 28.95], [118.834, 28.954], [118.834, 28.95], [118.83, 28.954], [118.83, 28.95]]


def plots(tmp_path):
    shapes = [square(118.800), square(118.806), {"type": "Polygon", "coordinates": [BOW]}]
    rows = [
        {"type": "Feature", "geometry": shape, "properties": {"name": f"航埠-{number}"}}
        for number, shape in enumerate(shapes, 1)
    ]
    path = tmp_path / "航埠地块.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": rows}))
    return path


def ready(page):
    page.wait_for_selector("[data-map][data-ready=true], [data-draw][data-ready=true]")


def test_a_file_is_previewed_imported_and_approved_by_another_person(desk, look, tmp_path):
    with desk("township") as page:
        look(page, "home-township")
        page.goto("/imports/new")
        look(page, "import-form")
        page.get_by_label("文件").set_input_files(plots(tmp_path))
        page.get_by_role("button", name="预览").click()
        page.wait_for_url("**/imports/preview/*")
        ready(page)
        assert page.locator(".stat-value").all_inner_texts() == ["3行", "2行", "0行", "1行"]
        row = page.locator("#findings tr[data-row='3']").first
        assert "自己相交" in row.inner_text()
        row.get_by_role("button").click()
        assert "is-active" in row.get_attribute("class")
        look(page, "import-preview")
        page.get_by_role("button", name="确认导入 2 行").click()
        page.wait_for_url(lambda url: "/imports/" in url and "preview" not in url)
        ready(page)
        receipt = page.url
        assert page.get_by_role("button", name="整批批准").count() == 0
        look(page, "import-receipt")
    with desk("county") as page:
        page.goto(receipt)
        ready(page)
        page.get_by_role("button", name="整批批准").click()
        page.locator("#confirm-dialog button[value=yes]").click()
        page.wait_for_selector("text=已批准 2 个地块")
        ready(page)
        page.goto("/parcels")
        ready(page)
        look(page, "parcel-map")
        page.get_by_role("link", name="航埠-1").click()
        page.wait_for_url("**/parcels/*-*")
        ready(page)
        assert "已批准" in page.locator(".page-head").inner_text()
        look(page, "parcel-page")


def test_a_plot_is_drawn_refused_for_an_overlap_mended_and_approved(desk, look):
    with desk("township") as page:
        page.goto("/parcels/new")
        ready(page)
        corners = [(118.85, 28.90), (118.852, 28.90), (118.852, 28.902), (118.85, 28.902)]
        fill_corners(page, corners)
        page.get_by_label("地块编号").fill("手画-1")
        look(page, "draw")
        page.get_by_role("button", name="保存并提交").click()
        page.wait_for_url("**/parcels/*-*")
        ready(page)
        drawn = page.url
        assert "64.86" in page.locator(".stat-value").first.inner_text()
        page.goto("/parcels/new")
        ready(page)
        fill_corners(page, [(x + 0.001, y) for x, y in corners])
        page.get_by_role("button", name="保存并提交").click()
        page.wait_for_selector(".alert.tone-bad")
        assert "重叠" in page.locator(".alert.tone-bad").inner_text()
        assert json.loads(page.locator("[data-draw-field]").input_value())["coordinates"]
        look(page, "draw-overlap")
    with desk("county") as page:
        page.goto(drawn)
        ready(page)
        page.get_by_label("退回原因").fill("缺少权属证明")
        page.get_by_role("button", name="退回").click()
        page.wait_for_selector("text=已记录")
        assert "缺少权属证明" in page.locator(".timeline").inner_text()
    with desk("township") as page:
        page.goto(drawn)
        page.get_by_role("button", name="提交").click()
        page.wait_for_selector("text=已记录")
    with desk("county") as page:
        page.goto(drawn)
        page.get_by_role("button", name="批准").click()
        page.locator("#confirm-dialog button[value=yes]").click()
        page.wait_for_selector("text=已记录")
        assert "已批准" in page.locator(".page-head").inner_text()


def fill_corners(page, corners):
    """Use the table of corners: the way without a mouse."""
    page.locator("[data-draw] summary").click()
    for at, (lon, lat) in enumerate(corners):
        page.locator("[data-draw-action=add-point]").press("Enter")
        inputs = page.locator("[data-draw-points] input")
        inputs.nth(2 * at).fill(f"{lon:.6f}")
        inputs.nth(2 * at + 1).fill(f"{lat:.6f}")
        inputs.nth(2 * at + 1).press("Tab")


def test_english_large_text_and_a_phone(desk, look):
    phone = {"viewport": {"width": 380, "height": 800}, "has_touch": True}
    with desk("township", **phone) as page:
        page.get_by_role("button", name="大字版").click()
        assert page.locator("html").get_attribute("data-size") == "large"
        page.get_by_role("button", name="English").click()
        page.wait_for_selector("html[lang=en]")
        page.goto("/parcels")
        ready(page)
        assert page.locator("html").get_attribute("data-size") == "large"
        assert page.get_by_role("heading", name="Parcel map").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 380
        look(page, "phone-large-english")


def test_the_public_sees_figures_and_the_way_in(desk, look):
    with desk(None) as page:
        page.goto("/")
        assert page.get_by_role("link", name="登录").count() >= 1
        look(page, "home-public")
        page.goto("/parcels")
        assert page.url.endswith("/sign-in?next=/parcels")
        look(page, "sign-in")
