// What the tests of the policy share: rules, a stage behind them, and messages.
import { stage } from "./stage.mjs";

export const RULES = [
  { methods: ["tools/call"], names: ["delete_*"], scopes: ["tools:delete"] },
  { methods: ["tools/*"], scopes: ["tools"] },
  { methods: ["prompts/get"], claims: { "org.tier": ["gold", "silver"] } },
  { methods: ["resources/*"], deny: true },
];
export const POLICY = { required_scopes: ["mcp"], rules: RULES };

export const guarded = (t, policy = POLICY, rest = {}) => stage(t, { vars: { MCP_SERVER_AUTH_POLICY: policy, ...rest.vars }, ...rest.stage });
export const call = (name, rest = {}) => ({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: { text: "é" } }, ...rest });
export const post = (body, headers = {}) => ({ body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });
