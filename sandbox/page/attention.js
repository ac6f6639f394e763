// What a person waits for: the thread in which the app answers what they did opens by itself.

const PATIENCE_MS = 600_000;

export class Attention {
  constructor() {
    this.roots = new Set();
    this.since = "0";
    this.until = 0;
  }

  // A person has done something; `root` is the thread it was done in, if any. `last` is the newest message then.
  did(last, root) {
    this.roots = new Set(root ? [root] : []);
    this.since = last;
    this.until = Date.now() + PATIENCE_MS;
  }

  // They have closed the thread, or gone elsewhere: it stays closed.
  leave() {
    this.until = 0;
  }

  // What is new among a channel's messages: {thread} to open, or {root}, an answer of the app's at the channel's root.
  look(messages, me) {
    if (Date.now() > this.until) return {};
    const found = {};
    for (const message of messages) {
      if (message.ts <= this.since || message.is_ephemeral) continue;
      const isRoot = !message.thread_ts || message.thread_ts === message.ts;
      if (isRoot && (message.bot_id || message.user === me)) {
        if (message.bot_id && !this.roots.has(message.ts)) found.root = message.ts;
        this.roots.add(message.ts);
      } else if (message.bot_id && this.roots.has(message.thread_ts)) {
        found.thread = message.thread_ts;
        this.since = message.ts;
      }
    }
    return found;
  }
}
