"""What rich text may hold."""

from sandbox.blockkit.checks import Check, anything, array, boolean, by_type, integer, one_of, shape, string, typed

STYLE = shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    ),
)
LONGEST = 13_000
INLINE = by_type(
    {
        "text": typed({"text": string(LONGEST)}, {"style": STYLE}),
        "link": typed({"url": string(3000)}, {"text": string(LONGEST), "unsafe": boolean, "style": STYLE}),
        "emoji": typed({"name": string(255)}, {"unicode": string(255), "skin_tone": integer(1, 6), "style": STYLE}),
        "user": typed({"user_id": string(255)}, {"style": STYLE}),
        "usergroup": typed({"usergroup_id": string(255)}, {"style": STYLE}),
        "channel": typed({"channel_id": string(255)}, {"style": STYLE}),
        "broadcast": typed({"range": one_of("here", "channel", "everyone")}, {"style": STYLE}),
        "color": typed({"value": string(16)}, {"style": STYLE}),
        "date": typed(
            {"timestamp": anything, "format": string(255)},
            {"url": string(3000), "fallback": string(255), "style": STYLE},
        ),
    }
)
INLINES = array(INLINE, 1000, 0)
SECTION = typed({"elements": INLINES})
PARTS: dict[str, Check] = {
    "rich_text_section": SECTION,
    "rich_text_list": typed(
        {"style": one_of("bullet", "ordered"), "elements": array(by_type({"rich_text_section": SECTION}), 1000)},
        {"indent": integer(0, 8), "offset": integer(0, 100_000), "border": integer(0, 1)},
    ),
    "rich_text_preformatted": typed({"elements": INLINES}, {"border": integer(0, 1), "language": string(64)}),
    "rich_text_quote": typed({"elements": INLINES}, {"border": integer(0, 1)}),
}
RICH_TEXT = typed({"elements": array(by_type(PARTS), 1000)}, {"block_id": string(255, 0)})
