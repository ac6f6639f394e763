// A list of messages, each drawn again only when it has changed.

import { renderBlocks } from "./blocks.js";
import { act } from "./deeds.js";
import { h, replace } from "./dom.js";
import { emoji, REACTIONS } from "./emoji.js";
import { showMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { picture } from "./picture.js";

export class MessageList {
  constructor(list, contextOf, onThread) {
    this.list = list;
    this.contextOf = contextOf;
    this.onThread = onThread;
    this.drawn = new Map();
    this.atEnd = true;
    list.addEventListener("scroll", () => {
      this.atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    });
    // A picture that arrives late must not push the newest message out of sight. (load does not bubble: capture it.)
    list.addEventListener("load", () => this.atEnd && this.toEnd(), true);
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(list);
  }

  toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.atEnd = true;
  }

  // Draw `messages` in order; `place` names what is shown, so that changing it starts at the end.
  show(messages, place, empty) {
    const moved = place !== this.place;
    if (moved) {
      this.drawn.clear();
      this.list.replaceChildren();
      this.place = place;
    }
    this.list.querySelector(".empty")?.remove();
    const wanted = new Set(messages.map((message) => message.ts));
    for (const [ts, { node }] of this.drawn) {
      if (wanted.has(ts)) continue;
      node.remove();
      this.drawn.delete(ts);
    }
    let previous = null;
    for (const message of messages) previous = this.placeOne(message, previous);
    if (!messages.length && empty) this.list.append(h("li", { class: "empty" }, empty));
    if (moved || this.atEnd) this.toEnd();
  }

  placeOne(message, previous) {
    const context = this.contextOf();
    const signature = JSON.stringify([message, context.names[message.user], this.fileStamp(message, context)]);
    let entry = this.drawn.get(message.ts);
    if (!entry || entry.signature !== signature) {
      const node = this.draw(message, context);
      if (entry) this.swap(entry.node, node);
      entry = { node, signature };
      this.drawn.set(message.ts, entry);
    }
    const before = previous ? previous.nextSibling : this.list.firstChild;
    if (before !== entry.node) this.list.insertBefore(entry.node, before);
    return entry.node;
  }

  // Replace a message that changed, and keep the keyboard where it was.
  swap(old, fresh) {
    const at = [...old.querySelectorAll("button, select, input, summary, a")].indexOf(document.activeElement);
    old.replaceWith(fresh);
    if (at >= 0) fresh.querySelectorAll("button, select, input, summary, a")[at]?.focus({ preventScroll: true });
  }

  fileStamp(message, context) {
    return (message.files ?? []).map((file) => context.file(file.id)?.name);
  }

  draw(message, context) {
    const author = context.users[message.user];
    const mine = { channel: message.channel, ts: message.ts };
    const inner = {
      ...context,
      act: (one, block, value) => act("clicks", { ...mine, action_id: one.action_id, block_id: block.block_id, value }),
    };
    const time = new Date(Number(message.ts) * 1000);
    return h(
      "li",
      { class: `message ${message.is_ephemeral ? "ephemeral" : ""}`, dataset: { ts: message.ts } },
      avatar(author),
      h(
        "article",
        {},
        message.is_ephemeral && h("p", { class: "only-you" }, "Only visible to you"),
        h(
          "header",
          {},
          h("strong", {}, author?.real_name ?? "Local workspace"),
          author?.is_bot && h("span", { class: "chip" }, "APP"),
          author?.is_restricted && h("span", { class: "chip" }, "guest"),
          author?.is_stranger && h("span", { class: "chip" }, "external"),
          h("time", { datetime: time.toISOString(), title: time.toLocaleString() }, clock(time)),
        ),
        body(message, inner),
        (message.files ?? []).map((file) => fileCard(file, context)),
        this.reactions(message),
        this.threadLink(message),
      ),
      !message.is_ephemeral && !message.subtype?.startsWith("tombstone") && this.toolbar(message),
    );
  }

  reactions(message) {
    if (!message.reactions?.length) return null;
    return h(
      "div",
      { class: "reactions" },
      message.reactions.map((one) =>
        h(
          "button",
          {
            type: "button",
            class: "reaction",
            "aria-label": `${one.name}, ${one.count}`,
            onclick: () => act("reactions", { channel: message.channel, ts: message.ts, name: one.name }),
          },
          emoji(one.name),
          ` ${one.count}`,
        ),
      ),
    );
  }

  threadLink(message) {
    if (!this.onThread || !message.reply_count) return null;
    const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
    return h("button", { type: "button", class: "thread-link", onclick: () => this.onThread(message) }, words);
  }

  // Where nothing hovers there is room for the last button only, so its menu holds everything.
  toolbar(message) {
    const mine = { channel: message.channel, ts: message.ts };
    const reactions = () => REACTIONS.map((name) => [emoji(name), () => act("reactions", { ...mine, name }), name]);
    const reply = () => this.onThread(message);
    const shortcuts = this.contextOf().shortcuts;
    const everything = (node) => [
      ...(this.onThread ? [["Reply in thread", reply]] : []),
      ["React…", () => showMenu(node, reactions(), "row")],
      ...shortcuts.map(({ name, callback_id }) => [name, () => act("shortcuts", { ...mine, callback_id })]),
    ];
    return h(
      "div",
      { class: "toolbar" },
      menuButton("React", { class: "hovering" }, (node) => showMenu(node, reactions(), "row")),
      this.onThread && h("button", { type: "button", class: "hovering", "aria-label": "Reply in thread", onclick: reply }, "Reply"),
      menuButton("⋯", { "aria-label": "More: reply, react, the app's shortcuts" }, (node) => showMenu(node, everything(node))),
    );
  }
}

function menuButton(label, props, show) {
  const node = h("button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", ...props }, label);
  node.addEventListener("click", () => show(node));
  return node;
}

const clock = (time) => time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export function avatar(user) {
  const name = user?.real_name ?? "?";
  const node = h("span", { class: "avatar", "aria-hidden": "true" }, user?.is_bot ? "◆" : name[0]);
  const hue = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0) * 7, 0) % 360;
  node.style.setProperty("--hue", hue);
  return node;
}

function body(message, context) {
  // What a person typed is shown from its text: Slack's own composer would have formatted it.
  if (message.blocks?.length && message.bot_id) return h("div", { class: "blocks" }, renderBlocks(message.blocks, context));
  if (!message.text) return null;
  const edited = message.edited && h("small", { class: "edited" }, " (edited)");
  return h("div", { class: "text" }, mrkdwn(message.text, context.names), edited);
}

function fileCard(shown, context) {
  const file = context.file(shown.id);
  if (!file) return h("p", { class: "file gone" }, "This file was deleted.");
  const address = `/sandbox/files/${file.id}`;
  if (["image/png", "image/jpeg", "image/gif", "image/webp"].includes(file.mimetype)) {
    return h(
      "figure",
      { class: "file picture" },
      h("figcaption", {}, file.title),
      picture(address, file.title),
    );
  }
  return h(
    "a",
    { class: "file", href: address, download: file.name },
    h("span", { class: "file-icon", "aria-hidden": "true" }, (file.name.split(".").pop() ?? "").slice(0, 5).toUpperCase()),
    h("span", {}, h("strong", {}, file.title), h("small", {}, `${file.pretty_type} · ${size(file.size)}`)),
  );
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB"];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 3);
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}

const emptyHome =
  "The app has put nothing on its Home. What it has to say stands in the channels: drop a dataset there, and it answers in a thread.";

export function showHome(mount, record, context, act) {
  const key = record ? record.view.hash : "none";
  if (mount.dataset.hash === key) return;
  mount.dataset.hash = key;
  const inner = {
    ...context,
    act: (one, block, value) => act("clicks", { home: true, action_id: one.action_id, block_id: block.block_id, value }),
  };
  replace(mount, record ? renderBlocks(record.view.blocks, inner) : h("p", { class: "empty" }, emptyHome));
}
