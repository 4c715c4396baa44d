// The origin that every Worker side has inside its own workerd: it stands for the network, answers
// at once, and costs the same everywhere. It serves the issuers' key sets, too, and at /probe what
// it was sent.
import { ORIGINS_OWN } from "../../support/sizes.mjs";

const ANSWER_TEXT = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  result: { content: [{ type: "text", text: "The weather in Bristol is 14 degrees, light rain, wind from the west. ".repeat(3) }], isError: false },
});

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") await request.arrayBuffer();
    if (pathname.endsWith("/probe")) return Response.json([...request.headers]);
    const keys = env.KEY_SETS[pathname];
    if (keys) return Response.json(keys);
    return new Response(ANSWER_TEXT, { headers: { "Content-Type": "application/json", "Access-Control-Allow-Origin": ORIGINS_OWN } });
  },
};
