// The runtime's side of limits. No decision is made here.
import { on_counted } from "./index.js";

/**
 * Asks rate limiters; `on_counted` goes on with what they say. `asked`: the name of a binding, a
 * key, another name, another key … Whoever has not answered after `limit` milliseconds has said
 * nothing.
 */
export function count(exchange, asked, limit) {
  const { env, id } = exchange;
  const list = asked.split("\n");
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, limit)));
  const answers = [];
  for (let i = 0; i < list.length; i += 2) answers.push(Promise.race([said(env[list[i]], list[i + 1]), late]));
  return Promise.all(answers).then((said) => {
    clearTimeout(timer);
    return on_counted(exchange, id, said);
  });
}

/** What one says of a key; nothing if it fails. */
async function said(limiter, key) {
  try {
    const { success } = await limiter.limit({ key });
    return success;
  } catch {
    return undefined;
  }
}

/** The client's address and port, where the runtime says whose socket it is: outside Cloudflare. */
export const socket = ({ request }) => request.cf?.clientIp;
