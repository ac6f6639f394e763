// Builds DOM nodes. Text always becomes a text node: nothing here, or anywhere on the page, parses HTML.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child);
  }
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

// Draw `node` again only when what it shows has changed: the keyboard stays where it is.
export function whenChanged(node, shown, draw) {
  const signature = JSON.stringify(shown);
  if (node.dataset.shown === signature) return;
  node.dataset.shown = signature;
  draw();
}

export function toast(text) {
  const box = document.getElementById("toasts");
  const note = h("p", { class: "toast" }, text);
  box.append(note);
  setTimeout(() => note.remove(), 6000);
}

// Only addresses that a link may safely have.
export function safeHref(url) {
  try {
    const parsed = new URL(url, location.href);
    return ["http:", "https:", "mailto:"].includes(parsed.protocol) ? parsed.href : undefined;
  } catch {
    return undefined;
  }
}

export function link(url, ...children) {
  const href = safeHref(url);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, children) : h("span", {}, children);
}
