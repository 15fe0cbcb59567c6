"""The record in a browser: project, eligibility, assessment, period, units, certificate."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.worker import run_worker
from tests.web import record_world

PHONE = {"viewport": {"width": 360, "height": 740}}


@pytest.fixture(scope="module")
def town(pg, clone, tmp_path_factory):
    made = record_world.build(
        pg, clone, tmp_path_factory.mktemp("county"), tmp_path_factory.mktemp("state")
    )
    yield made
    made.engine.dispose()


def fits(page):
    """Nothing is wider than the screen."""
    return page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def yes(page, button):
    """Press a button that asks first, and say yes."""
    page.get_by_role("button", name=button, exact=True).first.click()
    page.locator("#confirm-dialog button[value=yes]").click()


def work(town, page):
    """Let a worker do what was asked; the open page renews itself."""
    with ThreadPoolExecutor(1) as pool:  # the browser's own loop holds this thread
        pool.submit(run_worker, town.engine, layer_dir=town.state / "layers", once=True).result()
    page.wait_for_selector("#job [data-tone=good]")


def test_from_a_project_to_a_certificate(town, desk, look, tmp_path):
    paper = tmp_path / "声明.pdf"
    paper.write_bytes(b"statement")
    with desk("company") as page:
        here = create(page, look)
    with desk("county") as page:
        approve(page, look, town, here)
        assess(page, look, town, here)
        count_against(page, look, here)
        page.goto(here)
        page.get_by_role("link", name="提交监测期").click()
        page.get_by_label("抽样误差").fill("8")
        page.get_by_role("button", name="提交", exact=True).click()
        page.wait_for_url(re.compile("/periods/[0-9a-f-]{36}$"))
        period = page.url
    with desk("verifier", **PHONE) as page:
        page.goto(period)
        assert fits(page)
        look(page, "verifier-360")
        page.get_by_label("核证声明").set_input_files(paper)
        yes(page, "核证通过")
        page.wait_for_selector("text=核证已登记")
    with desk("company") as page:
        issue_and_pass_on(page, look, period)
    with desk("buyer", **PHONE) as page:
        retire(page, look)


def count_against(page, look, here):
    """Enter what counts against the project, and see it in its account line by line."""
    page.goto(here)
    page.get_by_role("link", name="看项目核算").click()
    page.wait_for_url(re.compile("/account$"))
    page.get_by_label("年份").fill("2025")
    page.get_by_label("公斤二氧化碳当量").fill("250")
    page.get_by_label("依据").fill("放牧调查")
    page.get_by_role("button", name="登记", exact=True).click()
    page.wait_for_selector("text=明细已登记")
    assert page.get_by_text("放牧调查").count() >= 2
    assert fits(page)
    look(page, "project-account")


def create(page, look):
    page.get_by_text("项目", exact=True).first.click()
    page.get_by_role("link", name="项目", exact=True).click()
    page.get_by_role("link", name="新建项目").click()
    page.get_by_label("项目名称").fill("航埠示例碳普惠")
    page.get_by_label("业主").select_option(label="示例company")
    page.get_by_label("方法学").select_option(value=record_world.PROGRAMME)
    for name, day in (("开工日期", "2025-01-01"), ("计入期第一天", "2025-01-01")):
        page.get_by_label(name).fill(day)
    page.get_by_label("计入期最后一天").fill("2099-12-31")
    page.get_by_role("button", name="建立项目").click()
    page.wait_for_selector(".alert.tone-bad")
    look(page, "project-fault")
    assert page.get_by_label("项目名称").input_value() == "航埠示例碳普惠"
    page.get_by_label("计入期最后一天").fill("2044-12-31")
    page.get_by_role("button", name="建立项目").click()
    page.get_by_role("link", name="列入地块").click()
    page.wait_for_url("**/parcels")
    assert page.get_by_text("怎么改").or_(page.get_by_text("要带什么")).count()
    look(page, "project-candidates")
    page.get_by_role("button", name="列入所选地块").click()
    page.wait_for_selector("[data-map][data-ready=true]")
    page.get_by_role("button", name="提交审批").click()
    page.wait_for_selector("text=已记录")
    page.wait_for_selector("[data-map][data-ready=true]")
    look(page, "project-submitted")
    return page.url


def approve(page, look, town, here):
    page.goto(here)
    page.get_by_role("button", name="核查全部地块").click()
    page.wait_for_url(re.compile("/jobs/"))
    look(page, "job-open")
    work(town, page)
    look(page, "job-done")
    page.get_by_role("link", name="返回项目").click()
    yes(page, "批准")
    page.wait_for_selector("text=已记录")
    yes(page, "对计入期提出主张")
    page.wait_for_selector("text=已对全部地块提出主张")
    page.wait_for_selector("[data-map][data-ready=true]")
    look(page, "project-claimed")


def assess(page, look, town, here):
    for kind, last in (("预测：将来", "2044"), ("监测：已过去的年份", "2025")):
        page.goto(here)
        page.get_by_role("link", name="新的测算").click()
        page.get_by_label(kind).check()
        page.get_by_label("第一年").fill("2025")
        page.get_by_label("最后一年").fill(last)
        page.get_by_role("button", name="开始测算").click()
        page.wait_for_url(re.compile("/jobs/"))
        work(town, page)
    page.get_by_role("link", name="看结果").click()
    page.wait_for_url("**/assessments/*")
    look(page, "run")
    page.locator("#parcels .how-link").first.click()
    page.wait_for_url("**/parcels/*/2025")
    look(page, "how")


def issue_and_pass_on(page, look, period):
    page.goto(period)
    yes(page, "签发")
    page.wait_for_selector("text=已签发。")
    look(page, "period-issued")
    page.get_by_role("link", name=re.compile("^CN-330802")).click()
    page.wait_for_url("**/batches/*")
    look(page, "batch")
    page.goto("/units")
    look(page, "units")
    page.get_by_role("link", name="转让或捐赠").click()
    page.get_by_label("序列号").select_option(index=1)
    page.get_by_label("数量").fill("2.5")
    page.get_by_label("转给谁").fill("示例enterprise")
    yes(page, "转出")
    page.wait_for_selector("text=单位已转出")


def retire(page, look):
    page.goto("/units")
    assert fits(page)
    look(page, "units-360")
    page.get_by_role("link", name="注销使用", exact=True).click()
    page.get_by_label("序列号").select_option(index=1)
    page.get_by_label("数量").fill("1")
    page.locator("#f-beneficiary").fill("示例会议")
    page.get_by_label("受益人所在地").fill("浙江衢州")
    look(page, "retire-360")
    yes(page, "注销使用")
    page.wait_for_url("**/retirements/*")
    page.get_by_role("button", name="开证书").click()
    page.wait_for_url("**/certificates/*")
    assert fits(page)
    look(page, "certificate-360")
    page.get_by_role("link", name=re.compile("^CN-330802")).click()
    page.wait_for_url("**/serials/*")
    assert fits(page)
    look(page, "serial-360")


def test_the_menu_works_with_keys_alone_and_in_large_text_on_a_phone(desk, look, town):
    with desk("county", **PHONE) as page:
        menu = page.locator("details.nav-group").first
        menu.locator("summary").focus()
        page.keyboard.press("Enter")
        assert menu.get_attribute("open") is not None
        page.keyboard.press("Escape")
        assert menu.get_attribute("open") is None
        page.get_by_role("button", name="大字版").click()
        page.wait_for_selector("html[data-size=large]")
        for path in ("/projects", "/projects/new", "/assessments", "/periods", "/units", "/jobs"):
            page.goto(path)
            assert fits(page), path
        menu.locator("summary").click()
        look(page, "menu-large-360")
