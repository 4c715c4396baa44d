// The page for people, in a browser: it loads nothing, breaks no rule of its policy, and can be read and used by everybody.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chromiumPath, startBrowser } from "./support/browser.mjs";
import { stage } from "./support/stage.mjs";

const skip = chromiumPath() ? false : "there is no Chromium here: set CHROMIUM_PATH, or install one";
const VARS = {
  MCP_SERVER_AUTH_RESOURCE_NAME: "Example Tools",
  MCP_SERVER_AUTH_RESOURCE_DOCUMENTATION: "https://docs.example.com/mcp",
  MCP_SERVER_AUTH_RESOURCE_POLICY_URI: "https://example.com/policy",
  MCP_SERVER_AUTH_RESOURCE_TOS_URI: "https://example.com/terms",
};
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 780 };

/** Opens the page; `requests` and `complaints` grow with what the browser asks for and says. */
async function visit(t, browser, { vars = VARS, ...context } = {}) {
  const s = await stage(t, { vars });
  const page = await (await browser.newContext({ viewport: DESKTOP, ...context })).newPage();
  const requests = [];
  const complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  const url = `${s.worker.url}/mcp`;
  const response = await page.goto(url);
  assert.equal(response.status(), 401);
  return { s, page, requests, complaints, url };
}

/** What the page has that can be reached, in its order: an accessible name each. */
const reachable = (page) => page.evaluate(() => [...document.querySelectorAll("a, textarea")].map((element) => element.id || element.textContent));

test("it asks for nothing, and the browser has nothing to complain of", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { page, requests, complaints, url } = await visit(t, browser);
  await page.waitForLoadState("networkidle");
  assert.deepEqual(requests, [url]);
  // Chromium says of every 401 that it is one.
  assert.deepEqual(complaints.filter((text) => !/status of 401/.test(text)), []);
  assert.equal(await page.locator("script, img, iframe, form, link").count(), 0);
  const font = await page.evaluate(() => getComputedStyle(document.querySelector("main")).maxWidth);
  assert.notEqual(font, "none", "the style was let in");
});

test("its policy keeps out what gets into it all the same", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { s, page } = await visit(t, browser);
  const violations = await page.evaluate(async () => {
    const seen = [];
    addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
    const add = (name, members) => document.body.append(Object.assign(document.createElement(name), members));
    add("script", { textContent: "window.ran = true" });
    add("style", { textContent: "h1 { display: none }" });
    add("img", { src: "/x.png" });
    add("base", { href: "https://other.example.com/" });
    await new Promise((resolve) => setTimeout(resolve, 0));
    for (const until = Date.now() + 5000; seen.length < 4 && Date.now() < until; ) await new Promise((resolve) => setTimeout(resolve, 20));
    return { seen: seen.sort(), ran: window.ran, display: getComputedStyle(document.querySelector("h1")).display };
  });
  assert.deepEqual(violations, { seen: ["base-uri", "img-src", "script-src-elem", "style-src-elem"], ran: undefined, display: "block" });
  assert.equal(s.worker.lines("request").length, 1, "the Worker was asked for the page and nothing else");
});

test("the keyboard reaches every link and box in the order of reading, sees where it is, and takes a whole line", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { page } = await visit(t, browser);
  const expected = await reachable(page);
  assert.ok(expected.length > 12);
  const reached = [];
  for (const _ of expected) {
    await page.keyboard.press("Tab");
    const { name, box, outline } = await page.evaluate(() => {
      const { activeElement: element } = document;
      return { name: element.id || element.textContent, box: element.tagName === "TEXTAREA", outline: getComputedStyle(element).outlineStyle };
    });
    reached.push(name);
    assert.equal(outline, "solid", name);
    if (!box) continue;
    await page.keyboard.press("Control+A");
    const whole = await page.evaluate(({ activeElement: { selectionStart, selectionEnd, value } } = document) => selectionStart === 0 && selectionEnd === value.length && value.length > 0);
    assert.ok(whole, `${name} is selected whole`);
  }
  assert.deepEqual(reached, expected);
});

test("who listens to it hears headings, regions, and a name of its own for every box and link", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { page } = await visit(t, browser);
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  assert.equal(await page.title(), "Example Tools");
  const levels = await page.evaluate(() => [...document.querySelectorAll("h1, h2, h3")].map(({ tagName }) => tagName).join(" "));
  assert.equal(levels, `H1 H2${" H3".repeat(7)}`);
  const heard = await page.locator("body").ariaSnapshot();
  const names = [...heard.matchAll(/- '?(textbox|link|region|navigation) "([^"]*)"/g)].map(([, role, name]) => `${role} ${name}`);
  for (const name of [
    "textbox Address", "navigation About this server", "link Documentation", "link Policy", "link Terms of service", "region Claude", "link Add to Claude",
    "region Visual Studio Code", "textbox Visual Studio Code Or in a terminal", "link Add to Cursor", "textbox MCP Inspector In a terminal",
  ]) assert.ok(names.includes(name), `${name}\n${heard}`);
  assert.equal(new Set(names).size, names.length, "no two are named alike");
  const counted = await page.evaluate(() => document.querySelectorAll("textarea, a, section, nav").length);
  assert.equal(names.length, counted, `each has a name\n${heard}`);
});

for (const colorScheme of ["light", "dark"]) {
  for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`it can be read in ${colorScheme} colours on a ${device}`, { skip }, async (t) => {
      const browser = await startBrowser(t);
      const { page } = await visit(t, browser, { colorScheme, viewport });
      const found = await page.evaluate(() => {
        const channels = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number);
        const luminance = (color) => {
          const [r, g, b] = channels(color).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (element) => {
          const { backgroundColor } = getComputedStyle(element);
          return /, 0\)$|transparent/.test(backgroundColor) ? ground(element.parentElement) : backgroundColor;
        };
        const ratio = (element) => {
          const [high, low] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => b - a);
          return (high + 0.05) / (low + 0.05);
        };
        const said = [...document.querySelectorAll("h1, h2, h3, p, a, label, textarea")];
        const boxes = [...document.querySelectorAll("textarea")];
        return {
          contrast: Math.min(...said.map(ratio)),
          dark: luminance(getComputedStyle(document.body).backgroundColor) < 0.2,
          overflow: document.documentElement.scrollWidth - innerWidth,
          cut: boxes.filter((box) => box.scrollHeight > box.clientHeight || box.scrollWidth > box.clientWidth).map((box) => box.id),
        };
      });
      assert.ok(found.contrast >= 4.5, `a contrast of ${found.contrast}`);
      assert.deepEqual([found.dark, found.overflow, found.cut], [colorScheme === "dark", 0, []]);
    });
  }
}
