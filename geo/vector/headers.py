"""Column names of coordinate tables as surveyors and field apps write them."""

import re
import unicodedata
from typing import Final, Literal

Role = Literal[
    "wkt", "vertices", "parcel", "part", "ring", "order", "lon", "lat", "east", "north", "x", "y"
]

_ALIASES: Final[dict[Role, str]] = {
    "wkt": "wkt geometry geom the_geom shape_wkt geometry_wkt 几何 图形 空间坐标",
    "vertices": "vertices coordinates coords 坐标 坐标串 坐标集 坐标列表 顶点 顶点坐标 拐点坐标"
    " 界址点坐标 边界坐标 范围坐标 拐点 边界",
    "parcel": "parcel parcel_id parcel_no plot plot_id plot_no polygon_id 地块编号 地块号 地块名称"
    " 地块 地块代码 宗地号 宗地编号 图斑编号 图斑号 小班号 小班编号 面号",
    "part": "part part_no part_id 部件 部件号 部分",
    "ring": "ring ring_no ring_id 圈号 环号 地块圈号",
    "order": "order vertex vertex_no point point_no point_id seq no id 序号 点号 点序 点序号"
    " 界址点号 界址点序号 拐点号 拐点编号 顶点号 点名 编号",
    "lon": "lon lng long longitude 经度 东经 大地经度 l",
    "lat": "lat latitude 纬度 北纬 大地纬度 b",
    "east": "east easting e 东坐标 横坐标 横坐标y y东 东 y横坐标 x东",
    "north": "north northing n 北坐标 纵坐标 纵坐标x x北 北 x纵坐标 y北",
    "x": "x x坐标 坐标x x_coord xcoord point_x x值",
    "y": "y y坐标 坐标y y_coord ycoord point_y y值",
}
_ROLES: Final[dict[str, Role]] = {
    alias: role for role, text in _ALIASES.items() for alias in text.split()
}
_BRACKETS: Final = re.compile(r"[(（\[【].*?[)）\]】]")
_SEPARATORS: Final = re.compile(r"[\s_\-./]+")
_CONTINUED: Final = re.compile(r"^(.*?)[\s_]*(\d{1,3})$")
_CODE: Final = re.compile(r"\b(?:EPSG\s*:?\s*)(\d{4,6})\b", re.IGNORECASE)

CRS_NAMES: Final = frozenset(
    {"crs", "epsg", "srid", "坐标系", "坐标系统", "坐标参照系", "空间参考"}
)


def plain(header: str) -> str:
    """Header without width, case, units in brackets and separators."""
    text = unicodedata.normalize("NFKC", header).strip().lower()
    text = _BRACKETS.sub("", text) or text
    return _SEPARATORS.sub("_", text.strip()).strip("_")


def role_of(header: str) -> Role | None:
    """What a column holds by its name; None for an attribute."""
    name = plain(header)
    return _ROLES.get(name) or _ROLES.get(name.replace("_", ""))


def continued(header: str) -> tuple[str, int]:
    """Name and number of a column that continues another: `wkt_2` is the second of `wkt`."""
    found = _CONTINUED.match(plain(header))
    return (found.group(1), int(found.group(2))) if found else (plain(header), 1)


def crs_in(header: str) -> str | None:
    """Code of a reference system written into a header: `WKT (EPSG:4490)`."""
    found = _CODE.search(unicodedata.normalize("NFKC", header))
    return f"EPSG:{found.group(1)}" if found else None
