"""What a person has filled in: element values as Slack's payloads carry them."""

from collections.abc import Iterator
from typing import Any, cast

Json = dict[str, Any]

TEXT_INPUTS = frozenset({"plain_text_input", "number_input", "email_text_input", "url_text_input"})
SINGLE_CHOICE = frozenset({"static_select", "radio_buttons", "overflow"})
MANY_CHOICES = frozenset({"checkboxes", "multi_static_select"})
# Element type -> the field of its payload that holds a plain string or a list of strings.
PLAIN_FIELDS = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
REQUIRED = "Please complete this required field."


def interactive_elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield every element that has an `action_id`, with its block."""
    for block in blocks:
        inside = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in inside:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def find_element(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json] | None:
    """Find an element by its action id, within one block when `block_id` is given."""
    for block, element in interactive_elements(blocks):
        if element["action_id"] == action_id and block_id in (None, block.get("block_id")):
            return block, element
    return None


def options_of(element: Json) -> list[Json]:
    """Return an element's options, those in groups included."""
    groups: list[Json] = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def option(element: Json, wanted: str) -> Json:
    """Find an option by its value or its text; raises LookupError that names the options."""
    for candidate in options_of(element):
        if wanted in (candidate.get("value"), candidate["text"]["text"]):
            return candidate
    names = ", ".join(repr(candidate["text"]["text"]) for candidate in options_of(element))
    raise LookupError(f"no option {wanted!r}; there are {names}")


def initial_value(element: Json) -> Json:
    """Return the payload of an element nobody has touched."""
    kind: str = element["type"]
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": element.get("initial_value")}
    if kind in SINGLE_CHOICE:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in MANY_CHOICES:
        return {"type": kind, "selected_options": element.get("initial_options") or []}
    if kind in PLAIN_FIELDS:
        field = PLAIN_FIELDS[kind]
        start = element.get(field.replace("selected", "initial"))
        return {"type": kind, field: start if start or not kind.startswith("multi_") else []}
    return {"type": kind}


def filled_value(element: Json, given: Any) -> Json:
    """Return the payload of an element filled with a plain value: a text, an option's value or text, a list."""
    kind: str = element["type"]
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": None if given in (None, "") else str(given)}
    if kind in SINGLE_CHOICE:
        return {"type": kind, "selected_option": option(element, str(given)) if given not in (None, "") else None}
    if kind in MANY_CHOICES:
        several = cast("list[Any]", given) if isinstance(given, list) else [given] if given else []
        return {"type": kind, "selected_options": [option(element, str(one)) for one in several]}
    if kind in PLAIN_FIELDS:
        return {"type": kind, PLAIN_FIELDS[kind]: given}
    return {"type": kind}


def is_empty(payload: Json) -> bool:
    """Say whether a payload holds no answer."""
    return not any(value for field, value in payload.items() if field != "type")


def state_values(blocks: list[Json], kept: Json, given: Json) -> Json:
    """Return `state.values`: initial values, then those kept from before, then `given` {block_id: {action_id: value}}.

    Raises LookupError when `given` names a field that the blocks do not have, or an option a field does not have.
    """
    values: Json = {}
    for block, element in interactive_elements(blocks):
        if element["type"] == "button" or (element["type"] == "overflow"):
            continue
        block_id, action_id = block["block_id"], element["action_id"]
        payload = initial_value(element)
        before = kept.get(block_id, {}).get(action_id)
        if before and before["type"] == element["type"]:
            payload = before
        if action_id in given.get(block_id, {}):
            payload = filled_value(element, given[block_id][action_id])
        values.setdefault(block_id, {})[action_id] = payload
    for block_id, fields in given.items():
        for action_id in fields:
            if action_id not in values.get(block_id, {}):
                known = [f"{b}/{a}" for b, actions in values.items() for a in actions]
                raise LookupError(f"no field {block_id}/{action_id}; there are {', '.join(known) or 'none'}")
    return values


def form_errors(blocks: list[Json], values: Json) -> dict[str, str]:
    """Return what Slack's own client refuses before the app hears of a submission: {block_id: sentence}."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element: Json = block["element"]
        payload: Json = values.get(block["block_id"], {}).get(element["action_id"], {})
        sentence = REQUIRED if is_empty(payload) and not block.get("optional") else text_error(element, payload)
        if sentence:
            errors[block["block_id"]] = sentence
    return errors


def text_error(element: Json, payload: Json) -> str | None:
    """Return why a text or a number does not fit its input, or None."""
    text: str | None = payload.get("value")
    if text is None:
        return None
    if len(text) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(text) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    return number_error(element, text) if element["type"] == "number_input" else None


def number_error(element: Json, text: str) -> str | None:
    """Return why a text is not the number its input asks for, or None."""
    try:
        number = float(text)
    except ValueError:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and not number.is_integer():
        return "Please enter a whole number."
    lowest, highest = element.get("min_value"), element.get("max_value")
    if lowest is not None and number < float(lowest):
        return f"Please enter a number of at least {lowest}."
    if highest is not None and number > float(highest):
        return f"Please enter a number of at most {highest}."
    return None
