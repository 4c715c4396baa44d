// results.svg: CPU per request by side for each algorithm, jose = 1, with quartile whiskers and the
// goals' marks. Written by hand, legible on a light and on a dark page.
import { compared } from "./compare.mjs";
import { FORWARD_GOALS } from "./goals.mjs";

const ALGORITHMS = ["RS256", "ES256", "EdDSA", "PS256", "ES384"];
const SIDES = [
  ["base", "no auth (base)"],
  ["bare", "bare check"],
  ["by-hand-lean", "JS by hand, lean"],
  ["by-hand", "JS by hand"],
  ["jose", "JS with jose"],
  ["ours", "mcp-edge-auth"],
];

const WIDTH = 800;
const HEIGHT = 400;
const LEFT = 44;
const RIGHT = 12;
const TOP = 84;
const BOTTOM = 36;
const BAR = 20;
const GAP = 3;

const STYLE = `
  svg { --ink: #1f2328; --soft: #6e7781; --line: #d0d7de; --base: #d0d7de; --bare: #afb8c1; --by-hand-lean: #e8d18a; --by-hand: #d4a72c; --jose: #bc4c00; --ours: #0969da; --goal: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --soft: #8b949e; --line: #30363d; --base: #30363d; --bare: #484f58; --by-hand-lean: #6b5518; --by-hand: #bb8009; --jose: #db6d28; --ours: #58a6ff; --goal: #56d364 }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink) }
  .title { font-size: 15px; font-weight: 600 }
  .soft { fill: var(--soft) }
  .value { font-size: 10px; text-anchor: middle }
  .middle { text-anchor: middle }
  .end { text-anchor: end }
  .grid { stroke: var(--line) }
  .one { stroke: var(--soft); stroke-dasharray: 2 3 }
  .whisker { stroke: var(--ink); stroke-width: 1.2 }
  .goal { stroke: var(--goal); stroke-width: 2.5 }
${SIDES.map(([side]) => `  .${side} { fill: var(--${side}) }`).join("\n")}`;

/** The picture, or nothing where no algorithm was measured against jose. */
export function pictureOf(results) {
  const groups = ALGORITHMS.map((name) => groupOf(results.find((result) => result.name === name), name)).filter(Boolean);
  if (!groups.length) return undefined;
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio.q3)));
  const top = Math.ceil((most + 0.05) * 5) / 5;
  const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const room = (WIDTH - LEFT - RIGHT) / groups.length;
  const parts = [
    `<title>CPU per request, verify and forward, by algorithm; jose = 1</title>`,
    `<desc>${groups.map(({ name, bars }) => `${name}: ${bars.map(({ side, ratio }) => `${side} ${ratio.median.toFixed(2)}`).join(", ")}`).join("; ")}</desc>`,
    `<style>${STYLE}\n</style>`,
    text(LEFT, 22, "title", "CPU per request, verify and forward (jose = 1.00, less is better)"),
    ...legend(),
    ...axis(top, y),
    ...groups.flatMap((group, i) => drawn(group, LEFT + i * room, room, y)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">\n${parts.join("\n")}\n</svg>\n`;
}

function groupOf(result, name) {
  const cellOf = (side) => result?.cells.find((cell) => cell.side === side);
  const jose = cellOf("jose");
  if (!jose) return undefined;
  const bars = SIDES.filter(([side]) => cellOf(side)).map(([side]) => ({ side, ratio: compared(cellOf(side), jose, "cpu") }));
  return { name, bars, goal: FORWARD_GOALS[name] };
}

function legend() {
  let x = LEFT;
  const entries = SIDES.flatMap(([side, label]) => {
    const entry = [`<rect class="${side}" x="${x}" y="38" width="12" height="12" rx="2"/>`, text(x + 17, 48, "", label)];
    x += 34 + label.length * 6.4;
    return entry;
  });
  return [...entries, `<line class="goal" x1="${x}" x2="${x + 16}" y1="44" y2="44"/>`, text(x + 21, 48, "", "goal")];
}

function axis(top, y) {
  const steps = Array.from({ length: Math.round(top / 0.2) + 1 }, (_, i) => i * 0.2);
  return steps.flatMap((value) => [
    `<line class="${Math.abs(value - 1) < 0.01 ? "one" : "grid"}" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(y(value))}" y2="${n(y(value))}"/>`,
    text(LEFT - 6, y(value) + 4, "soft end", value.toFixed(1)),
  ]);
}

function drawn({ name, bars, goal }, left, room, y) {
  const width = bars.length * (BAR + GAP) - GAP;
  const start = left + (room - width) / 2;
  const shapes = bars.flatMap(({ side, ratio }, i) => {
    const x = start + i * (BAR + GAP);
    const centre = x + BAR / 2;
    const marks = [`<rect class="${side}" x="${n(x)}" y="${n(y(ratio.median))}" width="${BAR}" height="${n(y(0) - y(ratio.median))}" rx="2"/>`];
    if (side !== "jose") marks.push(`<line class="whisker" x1="${n(centre)}" x2="${n(centre)}" y1="${n(y(ratio.q1))}" y2="${n(y(ratio.q3))}"/>`);
    const above = Math.min(y(ratio.q3), side === "ours" && goal ? y(goal) : Infinity);
    marks.push(text(centre, above - 5, "value", ratio.median.toFixed(2)));
    if (side === "ours" && goal) marks.push(`<line class="goal" x1="${n(x - 3)}" x2="${n(x + BAR + 3)}" y1="${n(y(goal))}" y2="${n(y(goal))}"/>`);
    return marks;
  });
  return [...shapes, text(left + room / 2, HEIGHT - BOTTOM + 20, "middle", name)];
}

const n = (value) => Number(value.toFixed(1));
const text = (x, y, style, content) => `<text${style && ` class="${style}"`} x="${n(x)}" y="${n(y)}">${content}</text>`;
