// The list of channels, whether the app is there, and who one is.

import { h, replace, whenChanged } from "./dom.js";

export function showPeople(select, people, me) {
  whenChanged(select, [people.map((user) => user.id), me], () => {
    replace(select, people.map((user) => h("option", { value: user.id }, `${user.real_name} · ${user.profile.title}`)));
    select.value = me;
  });
}

export function showPresence(mount, connected) {
  const words = { true: "The app is connected", false: "The app is not connected", undefined: "The workspace is not running" };
  whenChanged(mount, [connected ?? null], () =>
    replace(mount, h("span", { class: `dot ${connected ? "on" : ""}` }), words[connected]),
  );
}

// `channels` are {id, label, isDirect, shared, here, unread}.
export function showChannels(mount, channels, isHome, { openChannel, openHome }) {
  const button = (one) =>
    entry([one.label, one.shared && h("span", { class: "chip" }, "shared")], { ...one, onclick: () => openChannel(one.id) });
  whenChanged(mount, [channels, isHome], () =>
    replace(
      mount,
      h("h3", {}, "Channels"),
      channels.filter((one) => !one.isDirect).map(button),
      h("h3", {}, "Apps"),
      channels.filter((one) => one.isDirect).map(button),
      entry("Home", { here: isHome, onclick: openHome }),
    ),
  );
}

function entry(label, { here, unread, onclick }) {
  const look = `channel ${unread ? "unread" : ""}`;
  return h("button", { type: "button", class: look, "aria-current": here ? "page" : undefined, onclick }, label);
}
