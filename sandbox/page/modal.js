// The modal on top of a person's stack.

import { renderBlocks } from "./blocks.js";
import { act } from "./deeds.js";
import { h, replace } from "./dom.js";
import { Form } from "./form.js";

// Where somebody types in a form that changes while they do: the same field, and the same place in it, afterwards.
function caret(dialog) {
  const { id, selectionStart, selectionEnd } = document.activeElement ?? {};
  if (!id || !dialog.contains(document.activeElement)) return null;
  return {
    restore() {
      const again = dialog.querySelector(`#${CSS.escape(id)}`);
      again?.focus({ preventScroll: true });
      if (typeof selectionStart === "number") again?.setSelectionRange?.(selectionStart, selectionEnd);
      return Boolean(again);
    },
  };
}

export class Modal {
  constructor(dialog, contextOf) {
    this.dialog = dialog;
    this.contextOf = contextOf;
    this.shown = null;
    this.forms = new Map();
    // Enter makes a new line in a long text; with Ctrl or ⌘ it submits from anywhere, as in Slack.
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.querySelector("form")?.requestSubmit();
    });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
  }

  // Show `record`, the open view, or nothing.
  show(record) {
    const drawn = record ? `${record.id}:${record.view.hash}` : null;
    if (drawn === this.shown) return;
    this.shown = drawn;
    if (!record) {
      this.dialog.close();
      this.forms.clear();
      return;
    }
    const at = this.record?.id === record.id && this.dialog.open ? caret(this.dialog) : null;
    this.record = record;
    if (!this.forms.has(record.id)) this.forms.set(record.id, new Form(record.view));
    else this.forms.get(record.id).adopt(record.view);
    this.draw({});
    if (!this.dialog.open) this.dialog.showModal();
    if (!at?.restore()) this.dialog.querySelector("input, textarea, select")?.focus();
  }

  draw({ errors, problem }) {
    const { view, id } = this.record;
    const form = this.forms.get(id);
    const context = {
      ...this.contextOf(),
      form,
      errors,
      act: (one, block, value) =>
        act("clicks", { view_id: id, action_id: one.action_id, block_id: block.block_id, value, values: form.given(view) }),
    };
    this.submit = view.submit && h("button", { class: "button primary", type: "submit" }, view.submit.text);
    replace(
      this.dialog,
      h(
        "form",
        { method: "dialog", onsubmit: (event) => this.send(event), novalidate: true },
        h(
          "header",
          {},
          h("h2", { id: "modal-title" }, view.title.text),
          h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => this.close() }, "✕"),
        ),
        h("div", { class: "modal-body" }, problem && h("p", { class: "alert error", role: "alert" }, problem), renderBlocks(view.blocks, context)),
        h(
          "footer",
          {},
          h("button", { type: "button", class: "button", onclick: () => this.close() }, view.close?.text ?? "Cancel"),
          this.submit,
        ),
      ),
    );
    this.dialog.setAttribute("aria-labelledby", "modal-title");
  }

  async send(event) {
    event.preventDefault();
    if (!this.submit || this.submit.disabled) return;
    this.submit.disabled = true;
    this.submit.classList.add("busy");
    const { id, view } = this.record;
    const answer = await act("submissions", { view_id: id, values: this.forms.get(id).given(view) });
    if (answer?.errors) {
      this.draw({ errors: answer.errors });
      this.dialog.querySelector(".invalid input, .invalid textarea, .invalid select")?.focus();
    } else if (!answer || answer.problem) {
      this.draw({ problem: [answer?.problem ?? "The workspace cannot be reached.", ...(answer?.reasons ?? [])].join(" ") });
    } else {
      this.submit.disabled = false;
      this.submit.classList.remove("busy");
    }
  }

  close() {
    act("closings", { view_id: this.record.id });
  }
}
