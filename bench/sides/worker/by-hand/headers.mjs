// Which of a request's headers its origin does not get: the credential, what could pass for a
// header of ours, and what is meant for the connection. Servers read every character that is no
// letter and no digit as a hyphen, so names are compared that way.

const HYPHEN = "[^a-z0-9]";
const OF_CONNECTION = ["connection", "expect", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "upgrade"];
const FRAMING = ["content-length", "host", "transfer-encoding"];
const spelled = (name) => name.replaceAll("-", HYPHEN);
const REMOVED = new RegExp(`^(?:${spelled("x-mcp-auth-")}|(?:${["authorization", ...OF_CONNECTION, ...FRAMING].map(spelled).join("|")})$)`);

/** The names to be removed. They are in lower case already. */
export function removedFrom(headers) {
  const removed = [];
  let hasConnection = false;
  for (const name of headers.keys()) {
    if (!REMOVED.test(name) || FRAMING.includes(name)) continue;
    removed.push(name);
    if (name === "connection") hasConnection = true;
  }
  if (hasConnection) removed.push(...nominated(headers));
  return removed;
}

/** What `Connection` names as meant for this connection. */
function nominated(headers) {
  const folded = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, "-");
  const options = headers.get("connection").split(",").map((option) => folded(option.trim()));
  return [...headers.keys()].filter((name) => options.includes(folded(name)) && !FRAMING.includes(name));
}

/** Whether an `Upgrade` asks for a WebSocket, among others perhaps. */
export const namesWebSocket = (upgrade) => upgrade.split(",").some((protocol) => protocol.split("/")[0].trim().toLowerCase() === "websocket");
