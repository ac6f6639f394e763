// Block Kit to DOM nodes. `context` gives names, files, and what an interactive element does.

import { dateText } from "./dates.js";
import { h, link, safeHref } from "./dom.js";
import { button, choice, feedback, input } from "./elements.js";
import { emoji, known } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { picture } from "./picture.js";

export function renderBlocks(blocks, context) {
  return blocks.map((block) => {
    const render = BLOCKS[block.type];
    return render ? render(block, context) : h("p", { class: "unknown" }, `[a block of type ${block.type}]`);
  });
}

export function textNodes(object, context) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, context.names) : plain(object.text);
}

// Plain text shows emoji and line breaks, and nothing else.
function plain(text) {
  return text.split("\n").flatMap((line, index) => [
    index ? h("br") : null,
    ...line.split(/:([a-z0-9_+-]+):/).map((part, at) => (at % 2 ? (known(part) ? emoji(part) : `:${part}:`) : part)),
  ]);
}

const BLOCKS = {
  section: (block, context) =>
    h(
      "div",
      { class: "block section" },
      h(
        "div",
        { class: "section-text" },
        block.text && h("p", {}, textNodes(block.text, context)),
        block.fields && h("div", { class: "fields" }, block.fields.map((one) => h("p", {}, textNodes(one, context)))),
      ),
      block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, context)),
    ),
  header: (block, context) => h("h3", { class: "block" }, textNodes(block.text, context)),
  divider: () => h("hr", { class: "block" }),
  context: (block, context) =>
    h("div", { class: "block context" }, block.elements.map((one) => contextPart(one, context))),
  actions: (block, context) =>
    h("div", { class: "block actions" }, block.elements.map((one) => element(one, block, context))),
  context_actions: (block, context) =>
    h("div", { class: "block actions quiet" }, block.elements.map((one) => element(one, block, context))),
  input: (block, context) => input(block, context, textNodes),
  image: (block, context) =>
    h(
      "figure",
      { class: "block" },
      block.title && h("figcaption", {}, textNodes(block.title, context)),
      image(block, context),
    ),
  rich_text: (block, context) => h("div", { class: "block rich" }, block.elements.map((one) => rich(one, context))),
  markdown: (block) => h("div", { class: "block markdown" }, markdown(block.text)),
  file: (block) => h("p", { class: "block context" }, `remote file ${block.external_id}`),
  table,
  task_card: (block, context) => task(block, context),
  plan: (block, context) =>
    h(
      "div",
      { class: "block plan" },
      h("p", { class: "plan-title" }, block.title),
      h("ol", {}, (block.tasks ?? []).map((one) => h("li", {}, task(one, context)))),
    ),
  alert: (block, context) =>
    h("p", { class: `block alert ${block.level ?? "default"}`, role: "note" }, textNodes(block.text, context)),
  video: (block) => h("p", { class: "block" }, link(block.title_url ?? block.video_url, block.title.text)),
};

function element(one, block, context) {
  if (one.type === "image") return image(one, context, true);
  if (one.type === "feedback_buttons") return feedback(one, block, context);
  if (one.type === "button" || one.type === "icon_button") return button(one, block, context);
  return choice(one, block, context, textNodes);
}

function contextPart(one, context) {
  return one.type === "image" ? image(one, context, true) : h("span", {}, textNodes(one, context));
}

function image(one, context, isSmall = false) {
  const reference = one.slack_file;
  const url = reference ? context.fileUrl(reference) : one.image_url;
  const href = safeHref(url ?? "");
  // An image from elsewhere would be a request to elsewhere: it is named and linked, and not loaded.
  if (!href || new URL(href).origin !== location.origin) return h("span", { class: "absent" }, "image: ", link(url, one.alt_text));
  return isSmall ? h("img", { src: href, alt: one.alt_text, loading: "lazy" }) : picture(href, one.alt_text);
}

function table(block, context) {
  const settings = block.column_settings ?? [];
  const cell = (tag, one, column) => {
    const node = h(tag, {}, one.type === "rich_text" ? BLOCKS.rich_text(one, context) : String(one.text ?? one.value));
    node.style.textAlign = settings[column]?.align ?? (one.type === "raw_number" ? "right" : "left");
    if (!settings[column]?.is_wrapped) node.classList.add("tight");
    return node;
  };
  const [head, ...rows] = block.rows;
  return h(
    "div",
    { class: "block table", tabindex: "0", role: "region", "aria-label": "Table" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map((one, column) => cell("th", one, column)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, column) => cell("td", one, column))))),
    ),
  );
}

const STATUS = { pending: "Waiting", in_progress: "Under way", complete: "Done", error: "Failed" };

function task(block, context) {
  const status = block.status ?? "pending";
  return h(
    "div",
    { class: `task ${status}` },
    h("span", { class: "status", role: "img", "aria-label": STATUS[status] }),
    h(
      "div",
      {},
      h("p", { class: "task-title" }, block.title),
      block.details && BLOCKS.rich_text(block.details, context),
      block.output && BLOCKS.rich_text(block.output, context),
      block.sources?.length && h("p", { class: "sources" }, block.sources.map((one) => [link(one.url, one.text), " "])),
    ),
  );
}

function rich(node, context) {
  const inside = () => node.elements.map((one) => richInline(one, context));
  if (node.type === "rich_text_preformatted") return h("pre", {}, inside());
  if (node.type === "rich_text_quote") return h("blockquote", {}, inside());
  if (node.type === "rich_text_list") {
    const list = h(node.style === "ordered" ? "ol" : "ul", {}, node.elements.map((one) => h("li", {}, rich(one, context))));
    list.style.marginInlineStart = `${(node.indent ?? 0) * 1.4}em`;
    return list;
  }
  return h("span", { class: "rich-section" }, inside());
}

function richInline(one, context) {
  const named = {
    text: () => breaks(one.text),
    link: () => link(one.url, one.text ?? one.url),
    emoji: () => emoji(one.name),
    user: () => h("span", { class: "mention" }, `@${context.names[one.user_id] ?? one.user_id}`),
    channel: () => h("span", { class: "mention" }, `#${context.names[one.channel_id] ?? one.channel_id}`),
    broadcast: () => h("span", { class: "mention broadcast" }, `@${one.range}`),
    date: () => dateText(one.timestamp, one.format, one.fallback),
    color: () => one.value,
  };
  let node = (named[one.type] ?? (() => `[${one.type}]`))();
  for (const [style, tag] of Object.entries({ bold: "strong", italic: "em", strike: "s", code: "code", underline: "u" })) {
    if (one.style?.[style]) node = h(tag, {}, node);
  }
  return node;
}

const breaks = (text) => text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));

// The markdown block, in the part of Markdown that messages need: headings, lists, code, bold, links.
function markdown(text) {
  return text.split(/```\w*\n?([\s\S]*?)```/).flatMap((part, index) => {
    if (index % 2) return [h("pre", {}, part)];
    return part.split(/\n{2,}/).filter(Boolean).map((paragraph) => markdownParagraph(paragraph));
  });
}

function markdownParagraph(paragraph) {
  const heading = /^(#{1,6}) (.*)$/.exec(paragraph);
  if (heading) return h("h4", {}, markdownInline(heading[2]));
  const rows = paragraph.split("\n").filter(Boolean);
  if (rows.every((row) => /^[-*] /.test(row))) return h("ul", {}, rows.map((row) => h("li", {}, markdownInline(row.slice(2)))));
  return h("p", {}, rows.flatMap((row, index) => [index ? h("br") : null, ...markdownInline(row)]));
}

function markdownInline(text) {
  const match = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)|(?<!\w)[_*]([^_*]+)[_*](?!\w)/.exec(text);
  if (!match) return text ? [text] : [];
  const [whole, code, strong, label, url, em] = match;
  const node = code ? h("code", {}, code) : strong ? h("strong", {}, strong) : label ? link(url, label) : h("em", {}, em);
  return [text.slice(0, match.index), node, ...markdownInline(text.slice(match.index + whole.length))];
}
