// What is filled in so far in one view: {block_id: {action_id: plain value}}, from Slack's state and initial values.

export class Form {
  constructor(view) {
    this.values = {};
    this.adopt(view);
  }

  // Take over what the workspace knows of a view; what was typed here stays where the ids stay.
  adopt(view) {
    for (const block of view.blocks) {
      for (const one of [...(block.elements ?? []), block.accessory, block.element]) {
        if (!one?.action_id || one.type === "button" || one.type === "overflow") continue;
        const kept = view.state?.values?.[block.block_id]?.[one.action_id];
        const fields = (this.values[block.block_id] ??= {});
        if (!(one.action_id in fields)) fields[one.action_id] = kept ? plainValue(kept) : initialValue(one);
      }
    }
  }

  get(block, one) {
    return this.values[block.block_id]?.[one.action_id];
  }

  set(block, one, value) {
    (this.values[block.block_id] ??= {})[one.action_id] = value;
  }

  // Only what the view still asks for.
  given(view) {
    const given = {};
    for (const block of view.blocks) {
      for (const one of [...(block.elements ?? []), block.accessory, block.element]) {
        const value = this.values[block.block_id]?.[one?.action_id];
        if (value !== undefined) (given[block.block_id] ??= {})[one.action_id] = value;
      }
    }
    return given;
  }
}

function plainValue(payload) {
  if ("selected_option" in payload) return payload.selected_option?.value ?? null;
  if ("selected_options" in payload) return payload.selected_options.map((option) => option.value);
  const field = Object.keys(payload).find((name) => name !== "type");
  return field ? payload[field] : null;
}

function initialValue(one) {
  if (one.initial_option) return one.initial_option.value;
  if (one.initial_options) return one.initial_options.map((option) => option.value);
  if (one.type === "checkboxes" || one.type.startsWith("multi_")) return [];
  const field = Object.keys(one).find((name) => name.startsWith("initial_"));
  return field ? one[field] : null;
}
