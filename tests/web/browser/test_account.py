"""Signing in with a second factor, as a person does it: scan, confirm, keep the codes, come back."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from tests.web.conftest import PASSWORD


@pytest.mark.parametrize("width", [360, 1280])
def test_the_second_factor_from_the_picture_to_a_recovery_code(desk, width):
    with desk("company", viewport={"width": width, "height": 900}) as page:
        page.goto("/me")
        page.get_by_role("link", name="开通").click()
        page.wait_for_selector(".qr svg")
        secret = page.locator(".mono").inner_text().strip()
        assert "碳汇 Tanhui" in page.locator("main").inner_text()
        page.fill("[name=code]", pyotp.TOTP(secret).now())
        page.get_by_role("button", name="确认开通").click()
        page.wait_for_selector(".once-word")
        codes = page.locator(".once-word").all_inner_texts()
        assert len(codes) == 10
        page.get_by_role("link", name="已保存，继续").click()
        page.wait_for_url("**/me")
        with page.expect_navigation():
            page.get_by_role("button", name="退出").first.click()
        enter(page)
        page.fill("[name=code]", "000000")
        page.get_by_role("button", name="登录").click()
        assert re.search(r"还可试 \d 次", page.locator(".alert").inner_text())
        page.fill("[name=code]", pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30)))
        with page.expect_navigation():
            page.get_by_role("button", name="登录").click()
        page.goto("/me")
        assert "两步验证" in page.locator("main").inner_text()
        overflow = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not overflow
        page.get_by_text("关闭两步验证").click()
        page.fill("#f-off-password", PASSWORD)
        page.fill("#f-off-code", codes[3])
        with page.expect_navigation():
            page.get_by_role("button", name="关闭", exact=True).click()
        assert "未开通" in page.locator("main").inner_text()


def enter(page):
    page.goto("/sign-in")
    page.fill("[name=username]", "company")
    page.fill("[name=password]", PASSWORD)
    page.locator("main").get_by_role("button", name="登录").click()
    page.wait_for_url("**/sign-in/code**")
