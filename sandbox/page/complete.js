// What a person is offered while they type: the verbs of a command, and the names after an @.

import { h, replace } from "./dom.js";

const MENTION = /(^|\s)@([\w-]*)$/;

export class Completion {
  // `source()` gives {hints: [{usage, what}], people: [{name, what}]}; `done()` is called when the text has changed.
  constructor(text, source, done) {
    Object.assign(this, { text, source, done, offers: [], at: 0 });
    const id = `${text.id}-offers`;
    this.list = h("ul", { class: "offers", id, role: "listbox", "aria-label": "Suggestions", hidden: true });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": id })) {
      text.setAttribute(name, value);
    }
    text.addEventListener("input", () => this.offer());
    text.addEventListener("blur", () => this.hide());
    this.hide();
  }

  // Take a key before the composer does; true when it was ours.
  key(event) {
    if (this.list.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.choose((this.at + step + this.offers.length) % this.offers.length);
    else if (event.key === "Escape") this.hide();
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !this.isComplete())) this.take(this.offers[this.at]);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  offer() {
    const typed = this.text.value.slice(0, this.text.selectionStart);
    this.offers = typed.startsWith("/") ? this.commands(typed) : this.mentions(typed);
    if (!this.offers.length) {
      this.hide();
      return;
    }
    replace(this.list, this.offers.map((one, index) => this.row(one, index)));
    this.list.hidden = false;
    this.text.setAttribute("aria-expanded", "true");
    this.choose(0);
  }

  commands(typed) {
    return this.source()
      .hints.map(({ usage, what }) => ({ label: usage, what, whole: usage.split(" ").slice(0, 2).join(" ") }))
      .filter(({ whole }) => whole.startsWith(typed) || `${whole} ` === typed);
  }

  mentions(typed) {
    const match = MENTION.exec(typed);
    if (!match) return [];
    return this.source()
      .people.filter(({ name }) => name.startsWith(match[2].toLowerCase()))
      .map(({ name, what }) => ({ label: `@${name}`, what, whole: typed.slice(0, typed.length - match[2].length - 1) + `@${name}` }));
  }

  row({ label, what }, index) {
    const node = h("li", { role: "option", id: `${this.list.id}-${index}` }, h("strong", {}, label), h("span", {}, what));
    // mousedown, not click: the text must not lose the focus first
    node.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.take(this.offers[index]);
    });
    return node;
  }

  choose(at) {
    this.at = at;
    for (const [index, node] of [...this.list.children].entries()) node.setAttribute("aria-selected", String(index === at));
    this.list.children[at].scrollIntoView({ block: "nearest" });
    this.text.setAttribute("aria-activedescendant", `${this.list.id}-${at}`);
  }

  // Enter sends what is whole already, rather than completing it to itself.
  isComplete() {
    const typed = this.text.value.slice(0, this.text.selectionStart).trimEnd();
    return this.offers[this.at].whole === typed;
  }

  take({ whole }) {
    const rest = this.text.value.slice(this.text.selectionStart).trimStart();
    this.text.value = `${whole} ${rest}`;
    this.text.setSelectionRange(whole.length + 1, whole.length + 1);
    this.hide();
    this.done();
  }

  hide() {
    this.list.hidden = true;
    this.text.setAttribute("aria-expanded", "false");
    this.text.removeAttribute("aria-activedescendant");
  }
}
