// Slack's dates: `<!date^seconds^format^link|fallback>`, shown in the zone of whoever reads.

const DAY_MS = 86_400_000;

const style = (options) => (date) => date.toLocaleDateString([], options);
const PARTS = {
  date_num: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  date_slash: (date) => `${two(date.getMonth() + 1)}/${two(date.getDate())}/${date.getFullYear()}`,
  date: style({ year: "numeric", month: "long", day: "numeric" }),
  date_short: style({ year: "numeric", month: "short", day: "numeric" }),
  date_long: style({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
  time: (date) => date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }),
  time_secs: (date) => date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (date) => ago(date),
};

// The text of a date, or its fallback where the format or the number makes no sense.
export function dateText(seconds, format, fallback) {
  const date = new Date(Number(seconds) * 1000);
  if (!format || Number.isNaN(date.getTime())) return fallback ?? "";
  return format.replace(/\{(\w+)\}/g, (whole, name) => part(name, date) ?? whole);
}

function part(name, date) {
  if (name in PARTS) return PARTS[name](date);
  const base = name.replace("_pretty", "");
  return base in PARTS ? (pretty(date) ?? PARTS[base](date)) : null;
}

function pretty(date) {
  const days = Math.round((midnight(date) - midnight(new Date())) / DAY_MS);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
const two = (number) => String(number).padStart(2, "0");

function ago(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const [unit, size] = [["day", 86_400], ["hour", 3_600], ["minute", 60]].find(([, one]) => Math.abs(seconds) >= one) ?? ["second", 1];
  return words.format(Math.round(seconds / size), unit);
}
