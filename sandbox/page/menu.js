// A small menu beside what opened it: arrow keys, Enter, Escape; it closes when the focus leaves it.

import { h } from "./dom.js";

let open = null;

// `items` are [content, act] or [content, act, name]; the menu is drawn over everything, dialogs included.
export function showMenu(anchor, items, look = "") {
  close();
  const buttons = items.map(([content, act, name]) =>
    h(
      "button",
      { type: "button", role: "menuitem", tabindex: "-1", "aria-label": name, onclick: () => (close(), anchor.focus(), act()) },
      content,
    ),
  );
  const menu = h("div", { class: `menu-list ${look}`, role: "menu" }, buttons);
  menu.addEventListener("keydown", (event) => key(event, buttons));
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) close();
  });
  (anchor.closest("dialog") ?? document.body).append(menu);
  place(menu, anchor.getBoundingClientRect());
  anchor.setAttribute("aria-expanded", "true");
  open = { menu, anchor };
  buttons[0]?.focus({ preventScroll: true });
}

function close() {
  if (!open) return;
  const { menu, anchor } = open;
  open = null;
  anchor.setAttribute("aria-expanded", "false");
  menu.remove();
}

function key(event, buttons) {
  const here = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: here + 1, ArrowRight: here + 1, ArrowUp: here - 1, ArrowLeft: here - 1, Home: 0, End: -1 }[event.key];
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    const { anchor } = open;
    close();
    anchor.focus();
  } else if (to !== undefined) {
    event.preventDefault();
    buttons.at(to % buttons.length).focus();
  }
}

function place(menu, at) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + 4 + height < innerHeight;
  menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}

// It goes where its opener goes: a message that arrives scrolls the list, and must not take the menu away.
function follow() {
  if (!open?.anchor.isConnected) return;
  const at = open.anchor.getBoundingClientRect();
  if (at.bottom < 0 || at.top > innerHeight) close();
  else place(open.menu, at);
}

addEventListener("scroll", follow, true);
addEventListener("resize", follow);
