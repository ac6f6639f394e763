// Slack's mrkdwn to DOM nodes: *bold*, _italic_, ~strike~, `code`, ```blocks```, > quotes, <references>, :emoji:.

import { dateText } from "./dates.js";
import { h, link } from "./dom.js";
import { emoji, known } from "./emoji.js";

export const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

export function mrkdwn(text, names) {
  const nodes = [];
  for (const [index, part] of text.split(/```\n?([\s\S]*?)```/).entries()) {
    if (index % 2) nodes.push(h("pre", {}, unescape(part)));
    else if (part) nodes.push(...lines(part, names));
  }
  return nodes;
}

function lines(text, names) {
  const nodes = [];
  let quote = null;
  for (const [index, line] of text.split("\n").entries()) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      if (quote) quote.append(h("br"));
      else nodes.push((quote = h("blockquote")));
      quote.append(...inline(quoted[1], names));
      continue;
    }
    if (index && !quote) nodes.push(h("br"));
    quote = null;
    nodes.push(...inline(line, names));
  }
  return nodes;
}

// One mark a pass, the earliest first; what is inside a mark is parsed again, but code and references are not.
const MARKS = [
  [/`([^`\n]+)`/, ([, code]) => h("code", {}, unescape(code))],
  [/<([@#!])([^|>]+)(?:\|([^>]*))?>/, (match, names) => reference(match, names)],
  [/<([^@#!|>][^|>]*)(?:\|([^>]*))?>/, ([, url, label]) => link(unescape(url), unescape(label ?? url))],
  [/(?<![\w*])\*(?=\S)([^*\n]*[^\s*])\*(?![\w*])/, ([, text], names) => h("strong", {}, inline(text, names))],
  [/(?<![\w_])_(?=\S)([^_\n]*[^\s_])_(?![\w_])/, ([, text], names) => h("em", {}, inline(text, names))],
  [/(?<![\w~])~(?=\S)([^~\n]*[^\s~])~(?![\w~])/, ([, text], names) => h("s", {}, inline(text, names))],
  [/:([a-z0-9_+-]+(?:::[a-z0-9-]+)?):/, ([whole, name]) => (known(name) ? emoji(name) : whole)],
];

function inline(text, names) {
  let first = null;
  for (const [pattern, build] of MARKS) {
    const match = pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { match, build };
  }
  if (!first) return text ? [unescape(text)] : [];
  const { match, build } = first;
  const before = text.slice(0, match.index);
  return [
    ...(before ? [unescape(before)] : []),
    build(match, names),
    ...inline(text.slice(match.index + match[0].length), names),
  ];
}

function reference([, mark, target, label], names) {
  if (mark === "!" && target.startsWith("date^")) return date(target, label);
  if (mark === "!") return h("span", { class: "mention broadcast" }, `@${target.split("^")[0]}`);
  const name = names[target] ?? label ?? target;
  return h("span", { class: "mention" }, (mark === "#" ? "#" : "@") + unescape(name));
}

function date(target, label) {
  const [, seconds, format, address] = target.split("^");
  const title = new Date(Number(seconds) * 1000).toLocaleString();
  const node = h("time", { title }, dateText(seconds, unescape(format ?? ""), unescape(label ?? "")));
  return address ? link(unescape(address), node) : node;
}
