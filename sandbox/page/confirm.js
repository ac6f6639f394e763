// Slack's confirmation dialog: a question, and a promise of its answer.

import { h, replace } from "./dom.js";

export function confirmed(question) {
  const dialog = document.getElementById("confirm");
  return new Promise((resolve) => {
    const answer = (value) => () => {
      dialog.close();
      resolve(value);
    };
    replace(
      dialog,
      h("header", {}, h("h2", {}, question.title.text)),
      h("p", { class: "modal-body" }, question.text.text),
      h(
        "footer",
        {},
        h("button", { type: "button", class: "button", onclick: answer(false) }, question.deny.text),
        h("button", { type: "button", class: `button ${question.style ?? "primary"}`, onclick: answer(true) }, question.confirm.text),
      ),
    );
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}
