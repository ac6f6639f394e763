// Emoji. A small set is drawn here, because a machine without an emoji font shows empty boxes for the rest.

const SVG = "http://www.w3.org/2000/svg";

// Each drawing is a list of [tag, attributes], on a square of 20.
const circle = (cx, cy, r, fill, more = {}) => ["circle", { cx, cy, r, fill, ...more }];
const path = (d, fill, more = {}) => ["path", { d, fill, ...more }];
const stroke = (d, color, width = 2.4) =>
  path(d, "none", { stroke: color, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" });
const eye = (x) => [
  ["ellipse", { cx: x, cy: 10, rx: 4, ry: 6, fill: "#fff", stroke: "#555", "stroke-width": 1 }],
  circle(x - 1.3, 11, 2, "#222"),
];
const face = (mouth) => [
  circle(10, 10, 8.5, "#ffc83d", { stroke: "#d79a00", "stroke-width": 0.8 }),
  circle(7, 8, 1.2, "#4a3000"),
  circle(13, 8, 1.2, "#4a3000"),
  mouth,
];
const thumb = [
  path("M3 9.5h3.2v7.5H3z", "#4a7fd6"),
  path("M6.6 9.6 10 3.2c.3-.8 2.4-.4 2.3 1.6L12 8h4.2c1.6 0 2 1.4 1.5 2.6l-1.8 5c-.4 1-1 1.4-2 1.4H6.6z", "#ffc83d", { stroke: "#d79a00", "stroke-width": 0.8 }),
];

const DRAWN = {
  eyes: [...eye(5.4), ...eye(14.2)],
  white_check_mark: [["rect", { x: 2, y: 2, width: 16, height: 16, rx: 4, fill: "#2e9e5b" }], stroke("M6 10.4 9 13.2 14.2 7", "#fff")],
  x: [stroke("M4.5 4.5 15.5 15.5M15.5 4.5 4.5 15.5", "#d8352a", 3)],
  warning: [
    path("M10 2.2 18.6 17H1.4z", "#ffc83d", { stroke: "#b98600", "stroke-width": 1, "stroke-linejoin": "round" }),
    stroke("M10 7.6v4.4", "#3b2b00", 1.9),
    circle(10, 14.6, 1.1, "#3b2b00"),
  ],
  "+1": thumb,
  "-1": [["g", { transform: "rotate(180 10 10)" }, thumb]],
  tada: [
    path("M2.6 17.4 7.4 6.6 13.4 12.6z", "#f0a52b", { stroke: "#b97a12", "stroke-width": 0.8 }),
    circle(14, 4, 1.3, "#d8352a"), circle(17, 8.6, 1.2, "#3f7fe0"), circle(10.4, 3.2, 1.1, "#2e9e5b"), circle(17, 13, 1, "#a24fd0"),
    stroke("M11 8.6q1.6-2.6 4.4-2.2", "#3f7fe0", 1.4),
  ],
  heart: [path("M10 17.4S2 12.6 2 7.4C2 3.6 7.4 1.8 10 5.8 12.6 1.8 18 3.6 18 7.4c0 5.2-8 10-8 10z", "#e0344c")],
  smile: face(stroke("M6.4 11.4q3.6 4.6 7.2 0", "#4a3000", 1.5)),
  thinking_face: face(stroke("M7 13.2h5.4", "#4a3000", 1.5)),
  question: [stroke("M6.6 7q0-3.6 3.4-3.6T13.4 7q0 2.2-3.4 4v2", "#d8352a", 2.4), circle(10, 16.4, 1.5, "#d8352a")],
  hourglass_flowing_sand: [
    path("M4.6 2.6h10.8q0 4.6-4.2 7.4 4.2 2.8 4.2 7.4H4.6q0-4.6 4.2-7.4-4.2-2.8-4.2-7.4z", "#dfe9f5", { stroke: "#7a6a4a", "stroke-width": 1.2 }),
    path("M7 5.4h6q-.6 2.4-3 3.8-2.4-1.4-3-3.8zM6.4 16.6q.8-2.6 3.6-3.4 2.8.8 3.6 3.4z", "#e0a63a"),
  ],
  rocket: [
    path("M10 1.6q4.6 4 3.6 10.4H6.4Q5.4 5.6 10 1.6z", "#cfd6e4", { stroke: "#6b7690", "stroke-width": 0.8 }),
    circle(10, 7, 1.7, "#3f7fe0"),
    path("M6.4 9.6 3.6 14l3-.6zM13.6 9.6 16.4 14l-3-.6z", "#d8352a"),
    path("M8.4 13h3.2L10 18.4z", "#f0a52b"),
  ],
  large_green_circle: [circle(10, 10, 8, "#2e9e5b")],
  large_yellow_circle: [circle(10, 10, 8, "#e9b634")],
  red_circle: [circle(10, 10, 8, "#d8352a")],
};
const SAME = { thumbsup: "+1", thumbsdown: "-1", heavy_check_mark: "white_check_mark", hourglass: "hourglass_flowing_sand" };

const WRITTEN = {
  wave: "👋", fire: "🔥", bulb: "💡", rotating_light: "🚨", bar_chart: "📊", robot_face: "🤖", lock: "🔒", zzz: "💤",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", package: "📦", moneybag: "💰", memo: "📝",
  mag: "🔍", checkered_flag: "🏁", no_entry: "⛔", sparkles: "✨", wrench: "🔧", arrow_down: "↓", arrow_up: "↑",
};

// What a person may react with.
export const REACTIONS = ["eyes", "+1", "-1", "white_check_mark", "tada", "heart", "question"];

export const known = (name) => bare(name) in DRAWN || bare(name) in WRITTEN;

// A node for an emoji, or its name between colons.
export function emoji(name) {
  const drawing = DRAWN[bare(name)];
  if (!drawing) return WRITTEN[bare(name)] ?? `:${name}:`;
  const svg = shape(["svg", { viewBox: "0 0 20 20", class: "emoji", role: "img", "aria-label": `:${name}:` }, drawing]);
  return svg;
}

function bare(name) {
  const plain = name.split("::")[0];
  return SAME[plain] ?? plain;
}

function shape([tag, attributes, children = []]) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map(shape));
  return node;
}
