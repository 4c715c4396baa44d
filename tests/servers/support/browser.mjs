// What a person's browser does with a login page that needs no JavaScript: cookies, redirects,
// forms.
import assert from "node:assert/strict";
import { send } from "../../e2e/support/http.mjs";

const HOPS = 20;

/**
 * Opens the authorization URL and fills in one form after the other, until the server sends the
 * browser back to the client; gives that URL. forms: what is typed into each, by the names of the
 * fields, or an async function that gives it.
 */
export async function logIn(authorizationUrl, forms) {
  const redirectUri = new URL(authorizationUrl).searchParams.get("redirect_uri");
  const browser = newBrowser();
  const toFill = [...forms];
  let page = await browser.open(authorizationUrl, redirectUri);
  while (page.text !== undefined) {
    const typed = toFill.shift();
    assert.ok(page.status === 200 && typed, `${page.url.href} answered ${page.status}, and nothing is left to fill in:\n${page.text}`);
    const { action, method, fields } = formOn(page);
    const filled = new URLSearchParams({ ...fields, ...(typeof typed === "function" ? await typed() : typed) });
    page = method === "post" ? await browser.open(action, redirectUri, filled) : await browser.open(`${action.href.split("?")[0]}?${filled}`, redirectUri);
  }
  assert.equal(page.url.searchParams.get("error"), null, page.url.href);
  return page.url;
}

/**
 * open(url, end, form): the page at the end of all redirects as { url, status, text }, or { url }
 * when one leads to `end`.
 */
export function newBrowser() {
  const cookies = new Map();
  async function open(url, end, form) {
    let next = new URL(url);
    for (let hop = 0; hop < HOPS; hop++) {
      // Not with fetch, which says of itself that it is no navigation.
      const headers = { host: next.host, accept: "text/html", "sec-fetch-mode": "navigate", cookie: [...cookies].map((pair) => pair.join("=")).join("; ") };
      if (form) Object.assign(headers, { origin: next.origin, "content-type": "application/x-www-form-urlencoded" });
      const response = await send(Number(next.port), { method: form ? "POST" : "GET", path: next.pathname + next.search, headers, body: form?.toString() });
      for (const line of response.all("set-cookie")) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value && !/;\s*max-age=0/i.test(line)) cookies.set(name, value);
        else cookies.delete(name);
      }
      const location = response.get("location");
      if (!location) return { url: next, status: response.status, text: response.text };
      next = new URL(location, next);
      form = undefined;
      if (next.href.startsWith(end)) return { url: next };
    }
    throw new Error(`redirected in a circle: ${next.href}`);
  }
  return { open };
}

/** The page's first form: { action, method, fields: what it has filled in already }. */
function formOn({ url, text }) {
  const [, attributes, body] = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(text) ?? assert.fail(`${url.href} has no form:\n${text}`);
  const inputs = [...body.matchAll(/<input\b[^>]*>/gi)].map(([tag]) => [attribute(tag, "name"), attribute(tag, "value") ?? ""]);
  return {
    action: new URL(attribute(attributes, "action") ?? "", url),
    method: (attribute(attributes, "method") ?? "get").toLowerCase(),
    fields: Object.fromEntries(inputs.filter(([name]) => name)),
  };
}

const ENTITIES = { "&amp;": "&", "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">" };
const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`, "i").exec(tag)?.[1].replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => ENTITIES[entity]);
