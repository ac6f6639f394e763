// Faults to turn on by hand: what goes wrong in the world can be seen to go wrong here.

import { act, setSwitches } from "./deeds.js";
import { h, replace, whenChanged } from "./dom.js";

const post = (fields) => ({ method: "chat.postMessage", ...fields });
const FAULTS = [
  ["Tell every event three times", { redeliver: 3 }, { redeliver: 1 }, (now) => now.redeliver > 1],
  ["Downloads show a login page", { login_page: true }, { login_page: false }, (now) => now.login_page],
  ["Lose the reply to the next post", { drop_reply: post({ count: 1 }) }, { drop_reply: null }, (now) => now.drop_reply],
  [
    "Refuse two posts (rate limit)",
    { rate_limit: post({ count: 2, retry_after: 2 }) },
    { rate_limit: null },
    (now) => now.rate_limit,
  ],
  ["History lags by 5 s", { history_lag_s: 5 }, { history_lag_s: 0 }, (now) => now.history_lag_s],
  ["The scope chat:write is missing", { missing_scope: ["chat:write"] }, { missing_scope: [] }, (now) => now.missing_scope.length],
  ["Newer blocks are refused", { older_blocks: true }, { older_blocks: false }, (now) => now.older_blocks],
];

export function showFaults(mount, now) {
  whenChanged(mount, now, () => draw(mount, now));
}

function draw(mount, now) {
  const at = [...mount.querySelectorAll("input, button")].indexOf(document.activeElement);
  replace(
    mount,
    h("summary", {}, "As awkward as Slack"),
    FAULTS.map(([label, on, off, isOn]) =>
      h(
        "label",
        {},
        h("input", { type: "checkbox", checked: Boolean(isOn(now)), onchange: (event) => setSwitches(event.target.checked ? on : off) }),
        label,
      ),
    ),
    h("button", { type: "button", class: "button", onclick: () => act("disconnect", { reason: "abrupt" }) }, "Cut the app's connection"),
  );
  if (at >= 0) mount.querySelectorAll("input, button")[at]?.focus();
}
