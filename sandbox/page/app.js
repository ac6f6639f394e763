// The page: what is shown where, and for whom.

import { Attention } from "./attention.js";
import { Composer } from "./composer.js";
import { act, becomeUser, onDeed, whoAmI } from "./deeds.js";
import { h, replace, whenChanged } from "./dom.js";
import { showFaults } from "./faults.js";
import { Live } from "./live.js";
import { MessageList, showHome } from "./messages.js";
import { Modal } from "./modal.js";
import { showChannels, showPeople, showPresence } from "./sidebar.js";
import { Unplug } from "./unplug.js";

const at = (id) => document.getElementById(id);
const state = { channel: "C0TUNING00", thread: null, home: false, seen: {}, isNew: true };
const narrow = matchMedia("(max-width: 820px)");

const live = new Live(changed);
const attention = new Attention();
const about = () => live.get("about", "workspace") ?? { commands: [], hints: [], shortcuts: [] };
const contextOf = () => {
  const users = live.table("user");
  const names = {};
  for (const user of Object.values(users)) names[user.id] = user.name;
  for (const channel of Object.values(live.table("channel"))) if (channel.name) names[channel.id] = channel.name;
  return {
    users,
    names,
    shortcuts: about().shortcuts,
    file: (id) => live.get("file", id),
    fileUrl: ({ id, url }) =>
      `/sandbox/files/${id ?? Object.values(live.table("file")).find((file) => [file.url_private, file.permalink].includes(url))?.id}`,
  };
};
const modal = new Modal(at("modal"), contextOf);
const unplug = new Unplug(at("unplug"), (busy) => at("to-unplug").classList.toggle("now", busy));
const roots = new MessageList(at("messages"), contextOf, (message) => openThread(message.thread_ts ?? message.ts));
const replies = new MessageList(at("thread-messages"), contextOf, null);
const place = (label, threadTs) => () => {
  const channel = live.get("channel", state.channel);
  const people = Object.values(live.table("user"))
    .filter((user) => channel?.members.includes(user.id) && user.id !== whoAmI())
    .map((user) => ({ name: user.name, what: user.real_name }));
  return { channel: state.channel, threadTs: threadTs(), label: label(channel), commands: about().commands, hints: about().hints, people };
};
const composer = new Composer(at("composer"), place(labelOf, () => undefined), at("room"), "composer-text");
const threadComposer = new Composer(at("thread-composer"), place(() => "the thread", () => state.thread), at("thread"), "thread-text");

onDeed((deed, body) => {
  const message = live.get("message", `${body.channel}:${body.ts}`);
  attention.did(lastTs(), body.thread_ts ?? message?.thread_ts ?? message?.ts);
});

let scheduled = false;
function changed(kinds) {
  if (kinds.has("offline")) {
    showPresence(at("presence"), undefined);
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
  if (state.isNew) begin();
  follow();
  showPeople(at("me"), Object.values(live.table("user")).filter((user) => !user.is_bot), whoAmI());
  showPresence(at("presence"), Boolean(live.get("connection", "app")?.connections));
  drawChannels();
  drawRoom();
  drawThread();
  const mine = Object.values(live.table("view")).filter((record) => record.user === whoAmI());
  modal.show(mine.at(-1) ?? null);
  unplug.show(about());
  at("to-unplug").hidden = at("unplug").hidden;
  showFaults(at("faults"), live.get("switch", "switches") ?? {});
}

// A page opens on the last thread in which the app has said something, or waits for the first.
function begin() {
  state.isNew = false;
  const last = inChannel().findLast((message) => message.reply_count && message.reply_users?.includes(about().bot_user));
  if (last) state.thread = last.ts;
  else attention.did("0");
}

// Open the thread in which the app answers. On a phone, a thread makes room for an answer outside it.
function follow() {
  const found = attention.look(inChannel(), whoAmI());
  const isWriting = at("thread-text").value !== "";
  if (found.thread && !isWriting && !state.home) state.thread = found.thread;
  else if (found.root && narrow.matches && !isWriting) state.thread = null;
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
  showChannels(at("channels"), mine, state.home, { openChannel, openHome });
}

function isUnread(channelId) {
  const seen = state.seen[channelId];
  return seen !== undefined && channelId !== state.channel && lastTs(channelId) > seen;
}

function drawRoom() {
  const channel = live.get("channel", state.channel);
  if (!channel) return;
  at("room-name").textContent = state.home ? "Home" : labelOf(channel);
  at("room-topic").textContent = state.home ? "What the app shows you" : (channel.topic?.value ?? "Direct message with the app");
  whenChanged(at("badges"), about().badges ?? [], () =>
    replace(at("badges"), (about().badges ?? []).map(({ usage, what }) => h("span", { class: "chip badge", title: what }, usage))),
  );
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
  const isOpen = Boolean(state.thread) && !state.home;
  at("thread").hidden = !isOpen;
  at("shell").classList.toggle("with-thread", isOpen);
  if (!isOpen) return;
  const shown = inChannel().filter((m) => m.ts === state.thread || m.thread_ts === state.thread);
  at("thread-place").textContent = labelOf(live.get("channel", state.channel));
  threadComposer.refresh();
  replies.show(shown, `${state.thread}:${whoAmI()}`, null);
}

function emptyRoom(channel) {
  if (channel.is_im) return [h("strong", {}, "Only you and the app are here."), " Say something, and it answers."];
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
    if ((!channelId || message.channel === channelId) && message.ts > last) last = message.ts;
  }
  return last;
}

function labelOf(channel) {
  if (!channel) return "";
  return channel.is_im ? (live.get("user", about().bot_user)?.name ?? "the app") : `#${channel.name}`;
}

function goTo(there) {
  attention.leave();
  Object.assign(state, { thread: null, home: false, ...there });
  showSidebar(false);
  draw();
}

function openChannel(id) {
  goTo({ channel: id });
  at("composer-text").focus();
}

function openHome() {
  act("home", {});
  goTo({ home: true });
}

function openThread(ts) {
  state.thread = ts;
  draw();
  at("thread-text").focus();
}

function closeThread() {
  attention.leave();
  state.thread = null;
  draw();
  at("composer-text").focus();
}

function showSidebar(open) {
  at("shell").classList.toggle("with-sidebar", open);
  at("menu").setAttribute("aria-expanded", String(open));
}

function closeSidebar() {
  showSidebar(false);
  at("menu").focus();
}

const isSidebarOpen = () => at("shell").classList.contains("with-sidebar");
at("menu").addEventListener("click", () => {
  if (isSidebarOpen()) {
    closeSidebar();
    return;
  }
  showSidebar(true);
  at("channels").querySelector("button")?.focus();
});
at("to-unplug").addEventListener("click", () => {
  showSidebar(true);
  at("unplug").open = true;
  at("unplug").scrollIntoView({ block: "nearest" });
  at("unplug").querySelector("summary").focus();
});
at("sidebar-close").addEventListener("click", closeSidebar);
at("scrim").addEventListener("click", () => (isSidebarOpen() ? closeSidebar() : closeThread()));
at("thread-close").addEventListener("click", closeThread);
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (isSidebarOpen()) closeSidebar();
  else if (state.thread) closeThread();
});
at("me").addEventListener("change", (event) => {
  becomeUser(event.target.value);
  const channel = live.get("channel", state.channel);
  const first = Object.values(live.table("channel")).find((one) => one.is_channel && one.members.includes(whoAmI()));
  const isIn = channel?.members.includes(whoAmI());
  goTo({ channel: isIn ? state.channel : (first?.id ?? `D${whoAmI().slice(1)}`), home: state.home });
});
