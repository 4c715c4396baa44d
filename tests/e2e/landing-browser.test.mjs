// The page for people, in a browser: it loads nothing, breaks no rule of its policy, and can be
// read and used by everybody.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chromiumPath, startBrowser } from "./support/browser.mjs";
import { CANONICAL, stage } from "./support/stage.mjs";

const skip = chromiumPath() ? false : "there is no Chromium here: set CHROMIUM_PATH, or install one";
const VARS = {
  MCP_SERVER_AUTH_RESOURCE_NAME: "Example Tools",
  MCP_SERVER_AUTH_RESOURCE_DOCUMENTATION: "https://docs.example.com/mcp",
  MCP_SERVER_AUTH_RESOURCE_POLICY_URI: "https://example.com/policy",
  MCP_SERVER_AUTH_RESOURCE_TOS_URI: "https://example.com/terms",
};
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 780 };

/**
 * Opens the page; `requests` and `complaints` grow with what the browser asks for and says.
 * `host`: a name that the browser resolves to loopback.
 */
async function visit(t, browser, { vars = VARS, host, ...context } = {}) {
  const s = await stage(t, { vars });
  const page = await (await browser.newContext({ viewport: DESKTOP, ...context })).newPage();
  const requests = [];
  const complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  const url = `${host ? s.worker.url.replace("127.0.0.1", host) : s.worker.url}/mcp`;
  const response = await page.goto(url);
  assert.equal(response.status(), 401);
  return { s, page, requests, complaints, url };
}

/** What the page has that can be reached, in its order: an accessible name each. */
const reachable = (page) => page.evaluate(() => [...document.querySelectorAll("a, button, textarea")].map((element) => element.id || element.textContent));

const CLIPBOARD = { permissions: ["clipboard-read", "clipboard-write"] };
const statuses = (page) => page.locator("[role=status]").allTextContents();

/** Presses a button, and waits until a status says something. */
async function copy(page, name) {
  await page.getByRole("button", { name, exact: true }).click();
  await page.waitForFunction(() => [...document.querySelectorAll("[role=status]")].some(({ textContent }) => textContent));
}

test("it asks for nothing, and the browser has nothing to complain of", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { page, requests, complaints, url } = await visit(t, browser);
  await page.waitForLoadState("networkidle");
  assert.deepEqual(requests, [url]);
  // Chromium says of every 401 that it is one.
  assert.deepEqual(complaints.filter((text) => !/status of 401/.test(text)), []);
  assert.equal(await page.locator("script[src], img, iframe, form, link").count(), 0);
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
  const names = [...heard.matchAll(/- '?(textbox|button|link|region|navigation) "([^"]*)"/g)].map(([, role, name]) => `${role} ${name}`);
  for (const name of [
    "textbox Address", "navigation About this server", "link Documentation", "link Policy", "link Terms of service", "region Claude", "link Add to Claude",
    "region Visual Studio Code", "textbox Visual Studio Code Or in a terminal", "link Add to Cursor", "textbox MCP Inspector In a terminal",
    "button Copy Address", "button Copy Visual Studio Code Or in a terminal",
  ]) assert.ok(names.includes(name), `${name}\n${heard}`);
  assert.equal(new Set(names).size, names.length, "no two are named alike");
  const counted = await page.evaluate(() => document.querySelectorAll("textarea, button, a, section, nav").length);
  assert.equal(names.length, counted, `each has a name\n${heard}`);
});

for (const colorScheme of ["light", "dark"]) {
  for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`it can be read in ${colorScheme} colours on a ${device}`, { skip }, async (t) => {
      const browser = await startBrowser(t);
      const { page } = await visit(t, browser, { colorScheme, viewport, ...CLIPBOARD });
      await copy(page, "Copy Address");
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
        const said = [...document.querySelectorAll("h1, h2, h3, p, a, label, textarea, button, [role=status]")];
        const boxes = [...document.querySelectorAll("textarea")];
        return {
          contrast: Math.min(...said.map(ratio)),
          dark: luminance(getComputedStyle(document.body).backgroundColor) < 0.2,
          low: [...document.querySelectorAll("button")].filter((button) => button.getBoundingClientRect().height < 24).length,
          overflow: document.documentElement.scrollWidth - innerWidth,
          cut: boxes.filter((box) => box.scrollHeight > box.clientHeight || box.scrollWidth > box.clientWidth).map((box) => box.id),
        };
      });
      assert.ok(found.contrast >= 4.5, `a contrast of ${found.contrast}`);
      assert.deepEqual([found.dark, found.low, found.overflow, found.cut], [colorScheme === "dark", 0, 0, []]);
    });
  }
}

test("each box has a button that copies it, without a network, by mouse and by keyboard, and a status says so", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { s, page } = await visit(t, browser, CLIPBOARD);
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  const boxes = await page.locator("textarea").evaluateAll((all) => all.map(({ id, value }) => ({ id, value })));
  assert.equal(await page.locator("button").count(), boxes.length);
  await page.context().setOffline(true);
  for (const [at, { id, value }] of boxes.entries()) {
    const button = page.locator(`#${id} + p > button`);
    await (at % 2 ? button.press("Enter") : button.click());
    await page.waitForFunction((at) => [...document.querySelectorAll("[role=status]")][at].textContent, at);
    assert.equal(await clipboard(), value, id);
    assert.deepEqual(await statuses(page), boxes.map((_, other) => (other === at ? "Copied" : "")), "the last one, and no other");
    assert.ok(await button.evaluate((element) => element === document.activeElement), "the focus stays on the button");
  }
  assert.equal(s.worker.lines("request").length, 1, "the Worker was asked for the page and nothing else");
});

test("where the browser will not copy, the box is selected and a status says what to press", { skip }, async (t) => {
  const browser = await startBrowser(t);
  // Chromium refuses those that are not named.
  const { page } = await visit(t, browser, { permissions: ["geolocation"] });
  await copy(page, "Copy Address");
  assert.match((await statuses(page))[0], /selected: press Ctrl\+C/);
  const selected = await page.evaluate(({ activeElement: { id, value, selectionStart, selectionEnd } } = document) => [id, value.slice(selectionStart, selectionEnd)]);
  assert.deepEqual(selected, ["address", await page.locator("#address").inputValue()]);
});

test("without JavaScript there are the boxes and no buttons", { skip }, async (t) => {
  const browser = await startBrowser(t);
  const { page } = await visit(t, browser, { javaScriptEnabled: false });
  assert.equal(await page.locator("#address").inputValue(), CANONICAL);
  assert.equal(await page.locator("button, [role=status]").count(), 0);
});

test("over plain http from elsewhere than loopback browsers have no clipboard, and there are no buttons", { skip }, async (t) => {
  const browser = await startBrowser(t, ["--host-resolver-rules=MAP mcp.example.com 127.0.0.1"]);
  const { page, complaints } = await visit(t, browser, { host: "mcp.example.com" });
  assert.deepEqual(await page.evaluate(() => [isSecureContext, typeof navigator.clipboard]), [false, "undefined"]);
  assert.ok((await page.locator("textarea").count()) > 5);
  assert.equal(await page.locator("button, [role=status]").count(), 0);
  assert.deepEqual(complaints.filter((text) => !/status of 401/.test(text)), []);
});
