// OpenAuth as docs/providers.md has it: an issuer that mails a code, and keeps its keys in memory.
// The mail is a line on stdout here.
import { serve } from "@hono/node-server";
import { issuer } from "@openauthjs/openauth";
import { CodeProvider } from "@openauthjs/openauth/provider/code";
import { MemoryStorage } from "@openauthjs/openauth/storage/memory";
import { CodeUI } from "@openauthjs/openauth/ui/code";
import { Hono } from "hono";

// What MCP clients look for, and OpenAuth 0.4 leaves out.
const MISSING = {
  "/.well-known/oauth-authorization-server": { code_challenge_methods_supported: ["S256"] },
  "/token": { token_type: "Bearer" },
};

const app = new Hono();
app.use(async (c, next) => {
  await next();
  const missing = MISSING[c.req.path];
  if (missing && c.res.status === 200) c.res = Response.json({ ...(await c.res.json()), ...missing }, c.res);
});
app.route("/", issuer({
  providers: { code: CodeProvider(CodeUI({ sendCode: async ({ email }, code) => console.log(`code for ${email}: ${code}`) })) },
  storage: MemoryStorage(),
  subjects: {},
  ttl: { access: 300 },
  success: (answer, { claims }) => answer.subject("user", { email: claims.email }, { subject: claims.email }),
}));

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
