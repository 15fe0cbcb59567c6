"""The certificate's page: what anyone sees of a number, and nothing for one that is none."""

from web.pages.certificates import _groups


def test_an_unknown_number_is_a_clear_page(client):
    answer = client.get("/certificates/CERT-2026-424242")
    assert answer.status_code == 404
    assert "CERT-2026-424242" in answer.get_data(as_text=True)


def test_the_short_address_leads_to_the_certificate(client):
    answer = client.get("/c/CERT-2026-000001")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/certificates/CERT-2026-000001")


def test_a_hash_is_shown_whole_in_groups():
    assert _groups("00" * 32).replace(" ", "") == "00" * 32
