// The page: what is shown where, and for whom.

import { Composer } from "./composer.js";
import { act, becomeUser, whoAmI } from "./deeds.js";
import { h, replace, whenChanged } from "./dom.js";
import { showFaults } from "./faults.js";
import { Live } from "./live.js";
import { MessageList, showHome } from "./messages.js";
import { Modal } from "./modal.js";

const at = (id) => document.getElementById(id);
const state = { channel: "C0TUNING00", thread: null, home: false, seen: {} };

const live = new Live(changed);
const about = () => live.get("about", "workspace") ?? { commands: [] };
const contextOf = () => {
  const users = live.table("user");
  const names = {};
  for (const user of Object.values(users)) names[user.id] = user.name;
  for (const channel of Object.values(live.table("channel"))) if (channel.name) names[channel.id] = channel.name;
  return {
    users,
    names,
    file: (id) => live.get("file", id),
    fileUrl: ({ id, url }) =>
      `/sandbox/files/${id ?? Object.values(live.table("file")).find((file) => [file.url_private, file.permalink].includes(url))?.id}`,
  };
};
const modal = new Modal(at("modal"), contextOf);
const roots = new MessageList(at("messages"), contextOf, (message) => openThread(message.thread_ts ?? message.ts));
const replies = new MessageList(at("thread-messages"), contextOf, null);
const composer = new Composer(
  at("composer"),
  () => ({ channel: state.channel, label: labelOf(live.get("channel", state.channel)), commands: about().commands }),
  at("room"),
  "composer-text",
);
const threadComposer = new Composer(
  at("thread-composer"),
  () => ({ channel: state.channel, threadTs: state.thread, label: "the thread", commands: about().commands }),
  at("thread"),
  "thread-text",
);

let scheduled = false;
function changed(kinds) {
  if (kinds.has("offline")) {
    delete at("presence").dataset.shown;
    replace(at("presence"), h("span", { class: "dot" }), "The workspace is not running");
    return;
  }
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

function draw() {
  drawPeople();
  drawChannels();
  drawRoom();
  drawThread();
  const mine = Object.values(live.table("view")).filter((record) => record.user === whoAmI());
  modal.show(mine.at(-1) ?? null);
  showFaults(at("faults"), live.get("switch", "switches") ?? {});
}

function drawPeople() {
  const people = Object.values(live.table("user")).filter((user) => !user.is_bot);
  const select = at("me");
  if (select.childElementCount === people.length) return;
  replace(select, people.map((user) => h("option", { value: user.id }, `${user.real_name} · ${user.profile.title}`)));
  select.value = whoAmI();
}

function drawChannels() {
  const mine = Object.values(live.table("channel"))
    .filter((channel) => channel.members.includes(whoAmI()))
    .map((channel) => ({
      id: channel.id,
      label: labelOf(channel),
      isDirect: channel.is_im,
      shared: channel.is_ext_shared,
      here: !state.home && channel.id === state.channel,
      unread: isUnread(channel.id),
    }));
  whenChanged(at("channels"), [mine, state.home], () =>
    replace(
      at("channels"),
      h("h3", {}, "Channels"),
      mine.filter((one) => !one.isDirect).map(channelButton),
      h("h3", {}, "Apps"),
      mine.filter((one) => one.isDirect).map(channelButton),
      sidebarButton("Home", { here: state.home, onclick: openHome }),
    ),
  );
  const connected = Boolean(live.get("connection", "app")?.connections);
  whenChanged(at("presence"), connected, () =>
    replace(
      at("presence"),
      h("span", { class: `dot ${connected ? "on" : ""}` }),
      connected ? "The app is connected" : "The app is not connected",
    ),
  );
}

const channelButton = (one) =>
  sidebarButton([one.label, one.shared && h("span", { class: "chip" }, "shared")], {
    ...one,
    onclick: () => openChannel(one.id),
  });

function sidebarButton(label, { here, unread, onclick }) {
  const look = `channel ${unread ? "unread" : ""}`;
  return h("button", { type: "button", class: look, "aria-current": here ? "page" : undefined, onclick }, label);
}

function isUnread(channelId) {
  const seen = state.seen[channelId];
  return seen !== undefined && channelId !== state.channel && lastTs(channelId) > seen;
}

function drawRoom() {
  const channel = live.get("channel", state.channel);
  if (!channel) return;
  const title = state.home ? "Home" : labelOf(channel);
  at("room-name").textContent = title;
  at("room-topic").textContent = state.home ? "What the app shows you" : (channel.topic?.value ?? "Direct message with the app");
  at("messages").hidden = state.home;
  at("composer").hidden = state.home;
  at("home").hidden = !state.home;
  composer.refresh();
  if (state.home) {
    showHome(at("home"), live.get("home", whoAmI()), contextOf(), act);
    return;
  }
  const shown = inChannel().filter((m) => !m.thread_ts || m.thread_ts === m.ts || m.subtype === "thread_broadcast");
  roots.show(shown, `${state.channel}:${whoAmI()}`, emptyRoom(channel));
  state.seen[state.channel] = lastTs(state.channel);
  for (const { id } of Object.values(live.table("channel"))) state.seen[id] ??= lastTs(id);
}

function drawThread() {
  const shown = inChannel().filter((m) => m.ts === state.thread || m.thread_ts === state.thread);
  at("thread").hidden = !state.thread || state.home;
  at("shell").classList.toggle("with-thread", Boolean(state.thread) && !state.home);
  if (!state.thread) return;
  threadComposer.refresh();
  replies.show(shown, `${state.thread}:${whoAmI()}`, null);
}

function emptyRoom(channel) {
  if (channel.members.includes(about().bot_user)) {
    return [h("strong", {}, `This is ${labelOf(channel)}.`), ` Drop a .jsonl file here, or type ${about().commands[0]} help.`];
  }
  const invite = () => act("members", { channel: channel.id });
  return [
    h("strong", {}, "The bot is not in this channel, so it hears nothing here."),
    " ",
    h("button", { type: "button", class: "button", onclick: invite }, "Invite it"),
  ];
}

function inChannel() {
  const mine = Object.values(live.table("ephemeral")).filter((message) => message.to === whoAmI());
  return [...Object.values(live.table("message")), ...mine]
    .filter((message) => message.channel === state.channel)
    .sort((one, other) => (one.ts < other.ts ? -1 : 1));
}

function lastTs(channelId) {
  let last = "0";
  for (const message of Object.values(live.table("message"))) {
    if (message.channel === channelId && message.ts > last) last = message.ts;
  }
  return last;
}

function labelOf(channel) {
  if (!channel) return "";
  return channel.is_im ? (live.get("user", about().bot_user)?.name ?? "the app") : `#${channel.name}`;
}

function openChannel(id) {
  Object.assign(state, { channel: id, thread: null, home: false });
  showSidebar(false);
  draw();
  at("composer-text").focus();
}

function openThread(ts) {
  state.thread = ts;
  draw();
  at("thread-text").focus();
}

function openHome() {
  Object.assign(state, { home: true, thread: null });
  showSidebar(false);
  act("home", {});
  draw();
}

function showSidebar(open) {
  at("shell").classList.toggle("with-sidebar", open);
  at("menu").setAttribute("aria-expanded", String(open));
}

at("menu").addEventListener("click", () => showSidebar(!at("shell").classList.contains("with-sidebar")));
at("thread-close").addEventListener("click", () => {
  state.thread = null;
  draw();
  at("composer-text").focus();
});
at("me").addEventListener("change", (event) => {
  becomeUser(event.target.value);
  const channel = live.get("channel", state.channel);
  if (!channel?.members.includes(whoAmI())) {
    const first = Object.values(live.table("channel")).find((one) => one.is_channel && one.members.includes(whoAmI()));
    state.channel = first?.id ?? `D${whoAmI().slice(1)}`;
  }
  state.thread = null;
  draw();
});
