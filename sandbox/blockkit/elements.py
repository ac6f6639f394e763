"""Block elements, and which block takes which. Limits as published at docs.slack.dev (November 2026)."""

from sandbox.blockkit.checks import (
    Check,
    anything,
    array,
    boolean,
    by_type,
    exactly_one,
    integer,
    one_of,
    shape,
    string,
    typed,
)
from sandbox.blockkit.compositions import (
    BOX_OPTION,
    CONFIRM,
    DISPATCH,
    FILTER,
    IMAGE_FIELDS,
    OPTION,
    OPTION_GROUP,
    OVERFLOW_OPTION,
    initial_among_options,
    plain_text,
)

ACTION: dict[str, Check] = {"action_id": string(255)}
CONFIRMED: dict[str, Check] = {**ACTION, "confirm": CONFIRM}
FOCUSED: dict[str, Check] = {**CONFIRMED, "focus_on_load": boolean, "placeholder": plain_text(150)}
CHOSEN: dict[str, Check] = {"options": array(OPTION, 100), "option_groups": array(OPTION_GROUP, 100)}
TYPED: dict[str, Check] = {
    **ACTION,
    "dispatch_action_config": DISPATCH,
    "focus_on_load": boolean,
    "placeholder": plain_text(150),
    "initial_value": string(3000, 0),
}
MANY: dict[str, Check] = {"max_selected_items": integer(1, 1000)}
ID = string(255)
IDS = array(ID, 1000, 0)

IMAGE = typed({"alt_text": string(2000)}, IMAGE_FIELDS, exactly_one("image_url", "slack_file"))

BUTTON = typed(
    {"text": plain_text(75)},
    {
        **CONFIRMED,
        "url": string(3000),
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
    },
)
SELECTS: dict[str, Check] = {
    "static_select": typed(
        {}, {**FOCUSED, **CHOSEN, "initial_option": anything},
        exactly_one("options", "option_groups"), initial_among_options,
    ),
    "users_select": typed({}, {**FOCUSED, "initial_user": ID}),
    "channels_select": typed({}, {**FOCUSED, "initial_channel": ID, "response_url_enabled": boolean}),
    "conversations_select": typed(
        {},
        {
            **FOCUSED, "initial_conversation": ID, "default_to_current_conversation": boolean,
            "response_url_enabled": boolean, "filter": FILTER,
        },
    ),
    "external_select": typed({}, {**FOCUSED, "initial_option": OPTION, "min_query_length": integer(0, 1000)}),
}  # fmt: skip
MULTI_SELECTS: dict[str, Check] = {
    "multi_static_select": typed(
        {}, {**FOCUSED, **CHOSEN, **MANY, "initial_options": array(OPTION, 100)},
        exactly_one("options", "option_groups"), initial_among_options,
    ),
    "multi_users_select": typed({}, {**FOCUSED, **MANY, "initial_users": IDS}),
    "multi_channels_select": typed({}, {**FOCUSED, **MANY, "initial_channels": IDS}),
    "multi_conversations_select": typed(
        {}, {**FOCUSED, **MANY, "initial_conversations": IDS, "default_to_current_conversation": boolean,
             "filter": FILTER},
    ),
    "multi_external_select": typed(
        {}, {**FOCUSED, **MANY, "initial_options": array(OPTION, 100), "min_query_length": integer(0, 1000)}
    ),
}  # fmt: skip
BOXES: dict[str, Check] = {
    "checkboxes": typed(
        {"options": array(BOX_OPTION, 10)},
        {**CONFIRMED, "focus_on_load": boolean, "initial_options": array(BOX_OPTION, 10)},
        initial_among_options,
    ),
    "radio_buttons": typed(
        {"options": array(BOX_OPTION, 10)},
        {**CONFIRMED, "focus_on_load": boolean, "initial_option": anything},
        initial_among_options,
    ),
}
PICKERS: dict[str, Check] = {
    "datepicker": typed({}, {**FOCUSED, "initial_date": string(10)}),
    "timepicker": typed({}, {**FOCUSED, "initial_time": string(5), "timezone": string(255)}),
}
DATETIME: dict[str, Check] = {
    "datetimepicker": typed({}, {**CONFIRMED, "focus_on_load": boolean, "initial_date_time": integer(0, 9_999_999_999)})
}
OVERFLOW: dict[str, Check] = {"overflow": typed({"options": array(OVERFLOW_OPTION, 5)}, CONFIRMED)}
WORKFLOW = typed(
    {"text": plain_text(75), "workflow": anything},
    {**ACTION, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
)
TEXT_INPUTS: dict[str, Check] = {
    "plain_text_input": typed(
        {},
        {**TYPED, "multiline": boolean, "min_length": integer(0, 3000), "max_length": integer(1, 3000)},
    ),
    "number_input": typed(
        {"is_decimal_allowed": boolean}, {**TYPED, "min_value": string(64), "max_value": string(64)}
    ),
    "email_text_input": typed({}, TYPED),
    "url_text_input": typed({}, TYPED),
    "rich_text_input": typed(
        {}, {**TYPED, "initial_value": anything, "min_lines": integer(1, 100), "max_lines": integer(1, 100)}
    ),
    "file_input": typed({}, {**ACTION, "filetypes": array(string(64), 100), "max_files": integer(1, 10)}),
}  # fmt: skip

_FEEDBACK = shape({"text": plain_text(75), "value": string(2000)}, {"accessibility_label": string(75)})
CONTEXT_ACTION_ELEMENTS: dict[str, Check] = {
    "feedback_buttons": typed({"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, ACTION),
    "icon_button": typed(
        {"icon": one_of("trash"), "text": plain_text(75)},
        {**CONFIRMED, "value": string(2000), "accessibility_label": string(75), "visible_to_user_ids": IDS},
    ),
}

IN_ACTIONS = by_type(
    {"button": BUTTON, "workflow_button": WORKFLOW, **SELECTS, **MULTI_SELECTS, **BOXES, **PICKERS, **DATETIME,
     **OVERFLOW}
)  # fmt: skip
IN_SECTION = by_type(
    {"button": BUTTON, "image": IMAGE, "workflow_button": WORKFLOW, **SELECTS, **MULTI_SELECTS, **BOXES, **PICKERS,
     **OVERFLOW}
)  # fmt: skip
IN_INPUT = by_type({**SELECTS, **MULTI_SELECTS, **BOXES, **PICKERS, **DATETIME, **TEXT_INPUTS})
