// "Unplug something": break a part while it works, and see that it costs nothing.

import { act, figures } from "./deeds.js";
import { h, replace, whenChanged } from "./dom.js";

const LOOK_MS = 1000;
const SAID_MS = 8000;

export class Unplug {
  // `onBusy` is told when a model begins to train, or has ended.
  constructor(mount, onBusy) {
    this.mount = mount;
    this.onBusy = onBusy;
    this.now = { figures: [], busy: false, said: "" };
    this.said = "";
    this.timer = null;
  }

  show(about) {
    this.mount.hidden = !about.controls?.length;
    if (this.mount.hidden) return;
    whenChanged(this.mount, about.controls, () => this.draw(about.controls));
    if (about.figures && !this.timer) this.timer = setInterval(() => document.hidden || this.look(), LOOK_MS);
    if (about.figures) this.look();
  }

  draw(labels) {
    const buttons = labels.map((label, control) => [label, () => act("controls", { control })]);
    buttons.splice(2, 0, ["Redeliver ×3", again]);
    this.count = h("p", { class: "count", role: "status" });
    this.sentence = h("p", { class: "said", role: "status" });
    replace(
      this.mount,
      h("summary", {}, "Unplug something"),
      this.count,
      this.sentence,
      h("div", { class: "plugs" }, buttons.map(([label, use]) => this.button(label, use))),
    );
  }

  button(label, use) {
    const node = h("button", { type: "button", class: "button" }, label);
    node.addEventListener("click", async () => {
      node.classList.add("busy");
      const answer = await use();
      node.classList.remove("busy");
      if (!answer || answer.error) return;
      this.said = answer.said;
      setTimeout(() => (this.said = ""), SAID_MS);
      this.look();
    });
    return node;
  }

  async look() {
    const now = await figures();
    if (!now) return;
    if (now.busy !== this.now.busy) {
      this.onBusy(now.busy);
      if (now.busy) this.mount.open = true;
    }
    this.now = now;
    this.mount.classList.toggle("now", now.busy);
    whenChanged(this.count, now.figures, () =>
      replace(this.count, now.figures.map(([label, value]) => [`${label}: `, h("strong", {}, value)])),
    );
    const sentence = this.said || now.said;
    whenChanged(this.sentence, sentence, () => replace(this.sentence, sentence));
  }
}

async function again() {
  const answer = await act("redeliver", { times: 3 });
  if (!answer || answer.error) return answer;
  return { said: `Told the app its last ${answer.told} events again, three times each.` };
}
