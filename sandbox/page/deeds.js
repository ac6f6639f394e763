// What a person does, told to the workspace.

import { toast } from "./dom.js";

let me = "U0000MINA0";

export const whoAmI = () => me;
export const becomeUser = (id) => (me = id);

let heard = () => {};

// Be told of every deed whose answer the person will wait for: its name and its body.
export const onDeed = (listener) => (heard = listener);

const AWAITED = new Set(["messages", "commands", "clicks", "submissions", "shortcuts"]);

export async function act(deed, body) {
  if (AWAITED.has(deed)) heard(deed, body);
  const answer = await send(`/sandbox/${deed}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: me, ...body }),
  });
  if (answer && answer.acked === false && !answer.errors && !answer.problem) toast("The app did not respond.");
  return answer;
}

export async function dropFile(file, channel, threadTs) {
  const asked = new URLSearchParams({ user: me, channel, name: file.name });
  if (threadTs) asked.set("thread_ts", threadTs);
  heard("files", { channel, thread_ts: threadTs });
  return send(`/sandbox/files?${asked}`, { method: "POST", body: file });
}

export async function setSwitches(changes) {
  return send("/sandbox/switches", { method: "POST", body: JSON.stringify(changes) });
}

export async function figures() {
  try {
    return await (await fetch("/sandbox/figures")).json();
  } catch {
    return undefined; // the page says elsewhere that nobody answers
  }
}

async function send(address, init) {
  try {
    const response = await fetch(address, init);
    const answer = await response.json();
    if (!response.ok) toast(reason(answer));
    return answer;
  } catch {
    toast("The workspace cannot be reached. Is it still running?");
    return undefined;
  }
}

function reason(answer) {
  return answer.response_metadata?.messages?.join(" ") || answer.error;
}
