// Faults to turn on by hand: what goes wrong in the world can be seen to go wrong here.

import { act, setSwitches } from "./deeds.js";
import { h, replace, whenChanged } from "./dom.js";

const FAULTS = [
  ["Tell every event three times", { redeliver: 3 }, { redeliver: 1 }, (now) => now.redeliver > 1],
  ["Downloads show a login page", { login_page: true }, { login_page: false }, (now) => now.login_page],
  [
    "Lose the reply to the next post",
    { drop_reply: { method: "chat.postMessage", count: 1 } },
    { drop_reply: null },
    (now) => Boolean(now.drop_reply),
  ],
  [
    "Refuse two posts (rate limit)",
    { rate_limit: { method: "chat.postMessage", count: 2, retry_after: 1 } },
    { rate_limit: null },
    (now) => Boolean(now.rate_limit),
  ],
];

export function showFaults(mount, now) {
  whenChanged(mount, now, () => draw(mount, now));
}

function draw(mount, now) {
  const open = mount.open;
  replace(
    mount,
    h("summary", {}, "Make something go wrong"),
    FAULTS.map(([label, on, off, isOn]) =>
      h(
        "label",
        {},
        h("input", { type: "checkbox", checked: isOn(now), onchange: (event) => setSwitches(event.target.checked ? on : off) }),
        label,
      ),
    ),
    h("button", { type: "button", class: "button", onclick: () => act("disconnect", { reason: "abrupt" }) }, "Cut the app's connection"),
  );
  mount.open = open;
}
