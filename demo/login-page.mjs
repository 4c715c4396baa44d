// The login page of the demo's authorization server: one page per authorization, login and consent
// in one.
//
// It promises: it says that this is a demo without passwords, who asks and for what, and where the
// answer goes; nothing a client sent reaches the page unescaped; the answer grants exactly what was
// asked for, to the name typed in.

/** GET /login/<uid>: the page. */
export async function loginPage(provider, resource, req, res, complaint) {
  const { params, uid } = await provider.interactionDetails(req, res);
  const client = await provider.Client.find(params.client_id);
  res.writeHead(complaint ? 400 : 200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  res.end(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in (demo)</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 10vh auto; padding: 0 1rem }
  .demo { background: #fff3c4; color: #222; padding: .5rem .75rem; border-radius: .3rem }
  .complaint { color: #b00020 }
  code { overflow-wrap: anywhere }
  input, button { font: inherit; padding: .4rem .7rem }
</style>
<h1>Log in</h1>
<p class="demo">This is a demo: any name logs in, and there is no password. Do not use it for anything real.</p>
<p><strong>${escape(client?.clientName || "An unnamed client")}</strong> asks to call the tools of
<code>${escape(resource)}</code> in your name. Logging in allows it. The answer goes to
<code>${escape(params.redirect_uri)}</code>.</p>
${complaint ? `<p class="complaint">${escape(complaint)}</p>` : ""}
<form method="post" action="/login/${encodeURIComponent(uid)}">
  <label>Name <input name="name" value="demo" maxlength="64" required autofocus></label>
  <button name="action" value="allow">Log in and allow</button>
  <button name="action" value="deny" formnovalidate>Deny</button>
</form>
</html>
`);
}

/**
 * POST /login/<uid>: grants what was asked to the name, or says no; either way back to the client.
 */
export async function answerLogin(provider, resource, req, res) {
  const { params } = await provider.interactionDetails(req, res);
  const form = await readForm(req);
  if (form.get("action") === "deny") {
    const result = { error: "access_denied", error_description: "the user said no" };
    return provider.interactionFinished(req, res, result);
  }
  const name = (form.get("name") ?? "").trim();
  if (!name || name.length > 64) return loginPage(provider, resource, req, res, "A name has 1 to 64 characters.");

  const grant = new provider.Grant({ accountId: name, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  for (const target of [params.resource ?? resource].flat()) grant.addResourceScope(target, params.scope);
  const grantId = await grant.save();
  return provider.interactionFinished(req, res, { login: { accountId: name, remember: false }, consent: { grantId } });
}

async function readForm(req) {
  let body = "";
  for await (const chunk of req.setEncoding("utf8")) {
    body += chunk;
    if (body.length > 4096) throw new Error("the login form is larger than a login form can be");
  }
  return new URLSearchParams(body);
}

function escape(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
