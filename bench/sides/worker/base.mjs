// The base: a pass-through without any authentication. What the runtime costs, and nothing else.
export default {
  async fetch(request, env) {
    if (ANSWER) return new Response('{"status":"ok"}', { headers: { "Content-Type": "application/json" } });
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(env.ORIGIN_URL + pathname.slice("/mcp".length) + search, request));
  },
};
