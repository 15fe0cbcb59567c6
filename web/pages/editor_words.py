"""The words of the boundary editor and the drawing board: tools, and what their scripts say."""

from flask_babel import gettext


def tools() -> tuple[tuple[str, str], ...]:
    """Return the tools of the editor by name, in the order of the toolbar."""
    return (
        ("modify", gettext("改拐点")),
        ("redraw", gettext("重画边界")),
        ("split", gettext("分割")),
        ("merge", gettext("合并")),
        ("hole", gettext("挖空")),
        ("trim", gettext("修剪到邻界")),
        ("boundary", gettext("移公共边界")),
    )


def words() -> dict[str, str]:
    """Return everything the script says, by name; places in braces are filled in there."""
    return (
        _how()
        | _table()
        | _beside()
        | _saved()
        | divisions()
        | {
            "zoom_in": gettext("放大"),
            "zoom_out": gettext("缩小"),
            "failed": gettext("没有读到数据，请再试一次。"),
            "area": gettext("约 {mu} 亩（{ha} 公顷）"),
            "area_hole": gettext("，挖去约 {mu} 亩"),
            "crossing": gettext("边线自己相交：第 {a} 条边和第 {b} 条边"),
            "overlap": gettext("压到相邻地块"),
            "look": gettext("看位置"),
        }
    )


def divisions() -> dict[str, str]:
    """Return how a map says in which divisions the pointer, or what is drawn, lies."""
    return {
        "division_here": gettext("指针处：{chain}"),
        "division_whole": gettext("所在区划：{chain}"),
        "division_cut": gettext("跨区划：{shares}。请核对，或沿区划界分开。"),
        "division_outside": gettext("{levels}：不在已知边界内"),
        "division_no_boundary": gettext("{levels}：没有边界资料"),
        "level_province": gettext("省级"),
        "level_city": gettext("市级"),
        "level_county": gettext("县级"),
        "level_township": gettext("乡镇"),
        "level_village": gettext("村"),
    }


def _how() -> dict[str, str]:
    return {
        "how_modify": gettext("拖动拐点；拖动边线中间加一个拐点；按住 Alt 点拐点删除。"),
        "how_redraw": gettext(
            "沿边界逐点点击，双击结束；点在相邻地块的边上，再沿边移动，就会描着它走。"
        ),
        "how_split": gettext("画一条穿过地块的线，两端画到边界以外，双击结束。"),
        "how_merge": gettext("点一个相邻地块，或从列表里选。"),
        "how_hole": gettext("在地块里面逐点画出要挖掉的范围，双击结束。"),
        "how_trim": gettext("保存后，压到相邻地块的部分会被剪掉。"),
        "how_boundary": gettext("先选相邻地块，再画新的公共边界，两端画到两块地以外，双击结束。"),
        "save_first": gettext("边界已经改过：请先保存，或撤销到原来的样子，再做这一步。"),
    }


def _table() -> dict[str, str]:
    return {
        "lon": gettext("经度"),
        "lat": gettext("纬度"),
        "insert": gettext("在后面加一点"),
        "remove": gettext("删除"),
        "bad_degree": gettext("第 {row} 点：请填 -{most} 到 {most} 之间的度数。"),
        "row_open": gettext("第 {row} 点还没有填完。"),
        "too_few": gettext("至少要 {least} 个点。"),
        "part": gettext("第 {n} 部分"),
        "path_outer": gettext("外圈"),
        "path_inner": gettext("空洞 {n}"),
        "path_split": gettext("分割线"),
        "path_boundary": gettext("新的公共边界"),
        "path_hole": gettext("要挖掉的范围"),
    }


def _beside() -> dict[str, str]:
    return {
        "choose": gettext("请选择"),
        "no_neighbour": gettext("没有相邻的同类地块"),
        "neighbour": gettext("{side}，约 {mu} 亩"),
        "chosen": gettext("已选相邻地块 {code}。"),
        "out_of_reach": gettext("这个相邻地块不在您管理的范围，不能合并或移动边界。"),
        "east": gettext("东边"),
        "northeast": gettext("东北边"),
        "north": gettext("北边"),
        "northwest": gettext("西北边"),
        "west": gettext("西边"),
        "southwest": gettext("西南边"),
        "south": gettext("南边"),
        "southeast": gettext("东南边"),
    }


def _saved() -> dict[str, str]:
    return {
        "reason_needed": gettext("请写明修改原因，再保存。"),
        "not_sent": gettext("没有连上服务器，修改还留在这台电脑上，请再保存一次。"),
        "saved": gettext("已保存：原来 {before} 亩，现在 {n} 个地块共 {after} 亩。"),
        "removed": gettext("有 {m2} 平方米不再属于这些地块。"),
        "claims_moved": gettext("{n} 项碳汇主张已转到新的地块。"),
        "claims_to_review": gettext("{n} 项碳汇主张仍按原来的边界，需要复核。"),
        "plots_outside": gettext("{n} 个样地现在不在任何地块内，请核对。"),
        "decided_again": gettext("已提交，等待另一位管理员审批。"),
        "open_parcel": gettext("看地块（{mu} 亩）"),
    }
