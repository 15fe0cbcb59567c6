"""``/search``: one box for names, codes and numbers."""

from registry.reads import search
from web.api.endpoints import Noun, Read
from web.auth import PUBLIC

NOUN = Noun(
    name="search",
    title=("查找", "Search"),
    endpoints=(
        Read(
            name="search",
            rule="/search",
            permission=PUBLIC,
            query=search.SearchQuery,
            read=search.search,
            summary=(
                "按名称、编号查找：区划人人可查，地块和项目按权限",
                "Find by a part of a name or number; plots and projects by right",
            ),
        ),
    ),
)
