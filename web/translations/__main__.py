"""``python -m web.translations``: bring the catalogue up to date, name what has no English."""

from web.translations import update

for text in update():
    print(text)  # noqa: T201
