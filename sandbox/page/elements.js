// Interactive elements. In a message or a block of actions they act at once; in an input block they wait for submit.
// `context.act(element, block, value)` tells the app; `context.form` keeps what is filled in, for modals.

import { confirmed } from "./confirm.js";
import { h, safeHref } from "./dom.js";
import { showMenu } from "./menu.js";

export function button(one, block, context) {
  const label = one.type === "icon_button" ? `✕ ${one.text.text}` : one.text.text;
  const node = h(
    "button",
    { type: "button", class: `button ${one.style ?? ""}`, "aria-label": one.accessibility_label },
    label,
  );
  node.addEventListener("click", async () => {
    if (one.confirm && !(await confirmed(one.confirm))) return;
    if (one.url && safeHref(one.url)) window.open(safeHref(one.url), "_blank", "noopener");
    await busy(node, () => context.act(one, block, null));
  });
  return node;
}

export function feedback(one, block, context) {
  return [one.positive_button, one.negative_button].map((side) =>
    h("button", { type: "button", class: "button", onclick: () => context.act(one, block, side.value) }, side.text.text),
  );
}

async function busy(node, work) {
  node.disabled = true;
  node.classList.add("busy");
  try {
    await work();
  } finally {
    node.disabled = false;
    node.classList.remove("busy");
  }
}

// A menu, boxes or a picker that acts when it is used.
export function choice(one, block, context, textNodes) {
  if (one.type === "overflow") return overflow(one, block, context);
  const changed = async (value) => {
    if (one.confirm && !(await confirmed(one.confirm))) return;
    context.form?.set(block, one, value);
    await context.act(one, block, value);
  };
  return control(one, context.form?.get(block, one), changed, textNodes, context);
}

function overflow(one, block, context) {
  const chosen = (option) => async () => {
    if (one.confirm && !(await confirmed(one.confirm))) return;
    await context.act(one, block, option.value);
  };
  const opener = h(
    "button",
    { type: "button", class: "button", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false" },
    "⋯",
  );
  opener.addEventListener("click", () => showMenu(opener, one.options.map((option) => [option.text.text, chosen(option)])));
  return opener;
}

// An input block: its label, control, hint and error.
export function input(block, context, textNodes) {
  const one = block.element;
  const id = `input-${block.block_id}-${one.action_id}`;
  const error = context.errors?.[block.block_id];
  const changed = async (value) => {
    context.form?.set(block, one, value);
    if (block.dispatch_action) await context.act(one, block, value);
  };
  const node = control(one, context.form?.get(block, one), changed, textNodes, context, id);
  if (error) node.setAttribute("aria-invalid", "true");
  const many = ["checkboxes", "radio_buttons"].includes(one.type);
  return h(
    many ? "fieldset" : "div",
    { class: `block input ${error ? "invalid" : ""}`, dataset: { block: block.block_id } },
    h(
      many ? "legend" : "label",
      many ? {} : { for: id },
      textNodes(block.label, context),
      block.optional && h("span", { class: "optional" }, " (optional)"),
    ),
    node,
    error && h("p", { class: "error", role: "alert" }, error),
    block.hint && h("p", { class: "hint" }, textNodes(block.hint, context)),
  );
}

function control(one, value, changed, textNodes, context, id) {
  const build = CONTROLS[one.type] ?? CONTROLS[one.type.replace("multi_", "")];
  if (!build) return h("p", { class: "unknown" }, `[${one.type} cannot be used in this workspace]`);
  return build({ one, value, changed, textNodes, context, id, many: one.type.startsWith("multi_") });
}

const optionsOf = (one) => one.options ?? one.option_groups?.flatMap((group) => group.options) ?? [];

function text({ one, value, changed, id }, type, extra = {}) {
  const props = { id, type, placeholder: one.placeholder?.text, value: value ?? "", ...extra };
  if (one.focus_on_load) props.autofocus = true;
  const node = one.multiline ? h("textarea", { ...props, type: undefined, rows: 4 }) : h("input", props);
  node.addEventListener("input", () => changed(node.value));
  return node;
}

function select({ one, value, changed, id, many, context }, options) {
  const chosen = many ? (value ?? []) : [value];
  const node = h(
    "select",
    { id, multiple: many, "aria-label": id ? undefined : (one.placeholder?.text ?? "Choose") },
    many ? null : h("option", { value: "" }, one.placeholder?.text ?? "Choose…"),
    options.map((option) =>
      option.options
        ? h("optgroup", { label: option.label }, option.options.map((one) => optionNode(one, chosen)))
        : optionNode(option, chosen),
    ),
  );
  node.addEventListener("change", () =>
    changed(many ? [...node.selectedOptions].map((o) => o.value) : node.value || null),
  );
  return node;
}

const optionNode = ({ value, label }, chosen) => h("option", { value, selected: chosen.includes(value) }, label);

const labelled = (options) => options.map((option) => ({ value: option.value, label: option.text.text }));

const named = (context, mark, test) =>
  Object.entries(context.names).filter(([id]) => test.test(id)).map(([value, name]) => ({ value, label: mark + name }));

function boxes({ one, value, changed, textNodes, context }, type) {
  const name = `${one.action_id}-${Math.random().toString(36).slice(2)}`;
  const box = h("div", { class: "boxes" });
  for (const option of optionsOf(one)) {
    const checked = type === "checkbox" ? (value ?? []).includes(option.value) : value === option.value;
    box.append(
      h(
        "label",
        {},
        h("input", { type, name, value: option.value, checked }),
        h("span", {}, textNodes(option.text, context), option.description && h("small", {}, textNodes(option.description, context))),
      ),
    );
  }
  box.addEventListener("change", () => {
    const chosen = [...box.querySelectorAll("input:checked")].map((node) => node.value);
    changed(type === "checkbox" ? chosen : (chosen[0] ?? null));
  });
  return box;
}

const CONTROLS = {
  plain_text_input: (given) => text(given, "text", { maxlength: given.one.max_length, minlength: given.one.min_length }),
  number_input: (given) =>
    text(given, "text", { inputmode: given.one.is_decimal_allowed ? "decimal" : "numeric" }),
  email_text_input: (given) => text(given, "email"),
  url_text_input: (given) => text(given, "url"),
  datepicker: (given) => text(given, "date"),
  timepicker: (given) => text(given, "time"),
  static_select: (given) =>
    select(
      given,
      given.one.option_groups?.map((group) => ({ label: group.label.text, options: labelled(group.options) })) ??
        labelled(optionsOf(given.one)),
    ),
  users_select: (given) => select(given, named(given.context, "@", /^U/)),
  channels_select: (given) => select(given, named(given.context, "#", /^C/)),
  conversations_select: (given) => select(given, named(given.context, "#", /^C/)),
  radio_buttons: (given) => boxes(given, "radio"),
  checkboxes: (given) => boxes(given, "checkbox"),
};
