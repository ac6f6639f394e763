// Where a person writes: text, slash commands, files picked, pasted or dropped.

import { Completion } from "./complete.js";
import { act, dropFile } from "./deeds.js";
import { h, toast } from "./dom.js";

export class Composer {
  // `place()` gives {channel, threadTs, label, commands, hints, people}; `zone` is where files may be dropped.
  constructor(mount, place, zone, id) {
    this.place = place;
    this.text = h("textarea", { id, rows: 1, "aria-label": "Message", autocomplete: "off" });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, "aria-label": "Choose files" });
    this.status = h("p", { class: "uploading", role: "status", hidden: true });
    const attach = h("button", { type: "button", class: "icon-button", "aria-label": "Attach a file" }, "＋");
    const send = h("button", { type: "submit", class: "button primary send", "aria-label": "Send" }, "Send");
    attach.addEventListener("click", () => this.picker.click());
    this.picker.addEventListener("change", async () => {
      await this.drop([...this.picker.files]);
      this.picker.value = "";
    });
    this.completion = new Completion(this.text, () => this.offered(), () => this.grow());
    this.form = h("form", { class: "composer" }, this.completion.list, this.picker, attach, this.text, send);
    this.form.addEventListener("submit", (event) => this.send(event));
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("input", () => this.grow());
    this.text.addEventListener("paste", (event) => this.paste(event));
    mount.append(this.status, this.form);
    this.watch(zone);
  }

  refresh() {
    this.text.placeholder = `Message ${this.place().label}`;
    this.text.setAttribute("aria-label", this.text.placeholder);
  }

  // Slack has no commands in threads.
  offered() {
    const { threadTs, hints, people } = this.place();
    return { hints: threadTs ? [] : hints, people };
  }

  key(event) {
    if (this.completion.key(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 180)}px`;
  }

  paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.drop(files);
  }

  async send(event) {
    event.preventDefault();
    const written = this.text.value.trim();
    if (!written) return;
    const { channel, threadTs, commands } = this.place();
    const command = written.split(/\s+/)[0];
    const isCommand = commands.includes(command);
    if (!isCommand && /^\/[a-z]/i.test(command)) {
      toast(`${command} is not a valid command. There is ${commands.join(", ")}.`);
      return;
    }
    if (isCommand && threadTs) {
      toast(`${command} is not supported in threads. Sorry!`);
      return;
    }
    this.text.value = "";
    this.completion.hide();
    this.grow();
    const text = written.slice(command.length).trim();
    const answer = isCommand
      ? await act("commands", { channel, command, text })
      : await act("messages", { channel, text: written, thread_ts: threadTs });
    if (!answer || answer.error) this.text.value = written;
  }

  async drop(files) {
    const { channel, threadTs } = this.place();
    for (const file of files) {
      this.status.hidden = false;
      this.status.textContent = `Uploading ${file.name}…`;
      await dropFile(file, channel, threadTs);
    }
    this.status.hidden = true;
  }

  watch(zone) {
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    zone.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      zone.classList.add("dropping");
      zone.dataset.drop = `Drop to share in ${this.place().label}`;
    });
    zone.addEventListener("dragleave", (event) => {
      if (!zone.contains(event.relatedTarget)) zone.classList.remove("dropping");
    });
    zone.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      zone.classList.remove("dropping");
      this.drop([...event.dataTransfer.files]);
    });
  }
}
