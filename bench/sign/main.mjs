// Signatures and MACs, each so many times in one request, in every way that was to choose from.
// `how` names one of SIDES.
import { bindSession, signEdDSA, signES256 } from "./index.js";

const { subtle } = crypto;
const encoder = new TextEncoder();
const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// An assertion of usual length, without its signature.
const INPUT = `${"x".repeat(110)}.${"y".repeat(420)}`;
const OWNER = `27:https://mcp.example.com/mcp,+28:https://as.example.com/as-0,10:user-10000,8:client-1,`;
const ID = "6c1f0c1e7d0f4a7d9b8e1f0a2c3d4e5f";

const kept = {};
const keys = async () => {
  kept.ec ??= (await subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"])).privateKey;
  kept.ed ??= (await subtle.generateKey({ name: "Ed25519" }, false, ["sign"])).privateKey;
  kept.mac ??= await subtle.importKey("raw", encoder.encode("k".repeat(43)), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
};
const signed = async (parameters, key) => `${INPUT}.${base64url(await subtle.sign(parameters, key, encoder.encode(INPUT)))}`.length > 600;

const SIDES = {
  nothing: async () => true,
  "webcrypto-ES256": () => signed({ name: "ECDSA", hash: "SHA-256" }, kept.ec),
  "jwt-simple-ES256": async () => signES256().length > 400,
  "webcrypto-EdDSA": () => signed({ name: "Ed25519" }, kept.ed),
  "jwt-simple-EdDSA": async () => signEdDSA().length > 400,
  "webcrypto-session": async () => {
    const framed = encoder.encode(`23:mcp-edge-auth session 1,${OWNER.length}:${OWNER},${ID.length}:${ID},`);
    const mac = await subtle.sign("HMAC", kept.mac, framed);
    return `${ID}.${base64url(mac)}`.length === 76 && (await subtle.verify("HMAC", kept.mac, mac, framed));
  },
  "hmac-session": async () => bindSession("https://as.example.com/as-0", "user-10000", ID),
};

export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const side = SIDES[searchParams.get("how")];
    await keys();
    let done = 0;
    for (let i = 0; i < Number(searchParams.get("times")); i++) done += Number(await side());
    return new Response(String(done));
  },
};
