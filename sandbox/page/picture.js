// Pictures enlarge when pressed.

import { h, replace } from "./dom.js";

export function picture(src, title) {
  const image = h("img", { src, alt: title, loading: "lazy" });
  return h("button", { type: "button", class: "zoom", "aria-label": `Enlarge: ${title}`, onclick: () => enlarge(src, title) }, image);
}

function enlarge(src, title) {
  const dialog = document.getElementById("picture");
  const close = () => dialog.close();
  replace(
    dialog,
    h(
      "header",
      {},
      h("h2", {}, title),
      h("a", { class: "button", href: src, target: "_blank", rel: "noopener" }, "Open alone"),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: close }, "✕"),
    ),
    h("img", { src, alt: title, onclick: close }),
  );
  dialog.showModal();
}
