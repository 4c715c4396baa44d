// better-auth and its OAuth 2.1 provider as docs/providers.md has them: an application of one file
// that keeps its users in memory. The pages for login and consent are the application's own, and
// hand to better-auth what its client would send from a browser.
import { createServer } from "node:http";
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getAuthTables } from "better-auth/db";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";

const { PORT, RESOURCE } = process.env;
const BASE = `http://127.0.0.1:${PORT}`;

const options = {
  baseURL: BASE,
  secret: crypto.randomUUID(),
  emailAndPassword: { enabled: true },
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: "/login",
      consentPage: "/consent",
      resources: [RESOURCE],
      enforcePerClientResources: false,
      allowDynamicClientRegistration: true,
      allowUnauthenticatedClientRegistration: true,
    }),
  ],
};
const database = memoryAdapter(Object.fromEntries(Object.keys(getAuthTables(options)).map((table) => [table, []])));
const auth = betterAuth({ ...options, database });
const { user } = await auth.api.signUpEmail({ body: { name: "Alice", email: "alice@example.com", password: "correct horse" } });

// Path of a page: its form, and what becomes of what is filled in.
const PAGES = {
  "/login": ['<input name="email"><input name="password" type="password"><button>Log in</button>', "/sign-in/email", (form) => form],
  "/consent": ['<button name="accept" value="yes">Allow</button>', "/oauth2/consent", ({ accept }) => ({ accept: accept === "yes" })],
};

const better = toNodeHandler(auth);
createServer(async (request, response) => {
  const { pathname, search } = new URL(request.url, BASE);
  if (!Object.hasOwn(PAGES, pathname)) return better(request, response);
  const [fields, endpoint, asked] = PAGES[pathname];
  if (request.method !== "POST") return response.setHeader("content-type", "text/html").end(`<form method="post">${fields}</form>`);
  const form = Object.fromEntries(new URLSearchParams(Buffer.concat(await request.toArray()).toString()));
  const answer = await fetch(`${BASE}/api/auth${endpoint}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: BASE, cookie: request.headers.cookie ?? "" },
    body: JSON.stringify({ ...asked(form), oauth_query: search.slice(1) }),
  });
  const text = await answer.text();
  if (!answer.ok) return response.writeHead(answer.status).end(text);
  response.writeHead(303, { location: JSON.parse(text).url, "set-cookie": answer.headers.getSetCookie() }).end();
}).listen(Number(PORT), "127.0.0.1", () => console.log(`alice is ${user.id}`));
