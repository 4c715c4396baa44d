// What is measured: each work is one table. Its cells are its sides times its variants; they take
// turns in every round.
//
//   sides      names; `ours` also stands for the builds given with --ours
//   variants   { label, options of the stage, requests(stage, running), expect: { status, bytes },
//              size: what the cost is held against }
//   connections  how many requests are under way at a time, if not 64
//   network    the origin is a process of its own instead of a Worker inside workerd
//   slice      a factor on the length of a slice (forwarded requests leave garbage that is
//              collected in bursts: a slice must hold several)
//   against    what ratios are taken to: `jose` (or jose-answer, or the first side) of the same
//              variant, or "first": the first variant of the same side
import { PATH, DOCUMENT } from "./support/stage.mjs";
import { BODY, LIST, MODERN_HEADERS, MODERN_PARAMS, calls, callOf, gets } from "./support/requests.mjs";
import { EVENTS, MIB } from "./support/sizes.mjs";

const FORWARD = ["base", "ours", "jose", "by-hand", "by-hand-lean", "bare"];
const ANSWER = ["base-answer", "ours-answer", "jose-answer", "by-hand-answer", "by-hand-lean-answer", "bare-answer"];

const good = (stage, running) => calls((i) => stage.token("good", i), running);
const bad = (kind) => ({
  label: kind,
  requests: (stage, running) => calls((i) => (kind === "none" ? undefined : stage.token(kind, i)), running),
  expect: { status: 401 },
});

const WITHOUT_FORWARDING = 0.6;

const verifying = (name, what, algorithm, sides, slice) => ({
  name,
  slice,
  title: `${algorithm}: verify and ${what}`,
  sides,
  variants: [{ options: { algorithm }, requests: good }],
});
const forward = (algorithm, sides = FORWARD) => verifying(algorithm, "forward", algorithm, sides);
const answer = (algorithm) => verifying(`${algorithm}-answer`, "answer, without forwarding", algorithm, ANSWER, WITHOUT_FORWARDING);

const ruled = (label, options, call = { body: callOf(2048) }) => ({
  label, options, requests: (stage, running) => calls((i) => stage.token("good", i), { ...running, ...call }),
});
const MODERN_CALL = { headers: MODERN_HEADERS, body: callOf(2048, MODERN_PARAMS) };
const KINDS = ["names", "methods", "beginnings", "endings"];

const LIST_MIB = [1, 2, 4, 8];
const TOKEN_KIB = [0.5, 1, 2, 4, 8, 16];

export const WORKS = [
  forward("RS256", ["base", "ours", "jose", "jose-silent", "by-hand", "by-hand-lean", "bare", "contract", "unsigned"]),
  forward("ES256"),
  forward("EdDSA"),
  forward("PS256"),
  forward("ES384", ["base", "ours", "jose", "bare"]),
  answer("RS256"),
  answer("ES256"),
  {
    name: "refused",
    title: "RS256: tokens that are refused, and a good one",
    sides: ["ours", "jose"],
    slice: WITHOUT_FORWARDING,
    variants: [{ label: "good", requests: good }, ...["expired", "audience", "signature", "garbage", "none"].map(bad)],
  },
  {
    name: "metadata",
    title: "The metadata document",
    slice: WITHOUT_FORWARDING,
    sides: ["ours", "jose", "base-answer"],
    variants: [{ requests: () => gets(DOCUMENT) }],
  },
  {
    name: "latency",
    title: "RS256: latency at half of the slower side's greatest throughput",
    sides: ["base", "ours", "jose"],
    variants: [{ requests: good }],
    fixedRate: true,
  },
  {
    name: "1MiB",
    title: "RS256: a tools/call of 1 MiB that is answered with 1 MiB, over the network",
    sides: ["base", "ours", "jose"],
    network: true,
    slice: 1.5,
    variants: [{
      requests: (stage) => calls((i) => stage.token("good", i), { path: `${PATH}/big`, body: callOf(MIB), count: 4 }),
      expect: { status: 200, bytes: MIB },
    }],
  },
  {
    name: "SSE",
    title: `RS256: a tools/call that is answered with a stream of ${EVENTS} events, over the network`,
    sides: ["base", "ours", "jose"],
    network: true,
    slice: 2.5,
    variants: [{ requests: (stage) => calls((i) => stage.token("good", i), { path: `${PATH}/events`, body: BODY }) }],
  },
  {
    name: "servers",
    title: "RS256: other servers that verify (the Worker: with its origin inside workerd; HAProxy: with one on the network)",
    sides: ["ours", "arcade", "fastmcp", "haproxy"],
    variants: [{ requests: good }],
    against: "ours",
  },
  {
    name: "issuers",
    title: "RS256: authorization servers, the token from the last one",
    sides: ["ours"],
    against: "first",
    variants: [1, 10, 100].map((issuers) => ({ label: `${issuers}`, size: issuers, options: { issuers }, requests: good })),
  },
  {
    name: "keys",
    title: "RS256: keys in the set, the token signed with the last one",
    sides: ["ours", "jose"],
    against: "first",
    variants: [1, 10, 60].map((keys) => ({ label: `${keys}`, size: keys, options: { keys }, requests: good })),
  },
  {
    name: "size",
    title: "RS256: tokens from 0.5 to 16 KiB",
    sides: ["ours", "jose"],
    against: "first",
    unit: "KiB",
    variants: TOKEN_KIB.map((size) => ({
      label: `${size} KiB`,
      size,
      requests: (stage, running) => calls((i) => stage.sized(size * 1024, i), { ...running, count: 8 }),
    })),
  },
  {
    name: "policy",
    title: "RS256: a tools/call of 2 KiB, by the rules that it is checked against; only the last rule is for it",
    sides: ["ours"],
    against: "first",
    variants: [
      ruled("no policy", {}),
      ruled("no policy, 2026-07-28", {}, MODERN_CALL),
      ruled("required scopes, no rules", { rules: 0 }),
      ...KINDS.flatMap((of) => [10, 1000].map((rules) => ruled(`${rules} ${of}`, { rules, of }))),
      ruled("10 names, 2026-07-28", { rules: 10, of: "names" }, MODERN_CALL),
    ],
  },
  {
    name: "list",
    title: "RS256: a tools/list that is answered with one event, in pieces of 16 KiB, whose list is filtered; over the network",
    sides: ["ours"],
    network: true,
    connections: 1,
    slice: 0.7,
    against: "first",
    unit: "MiB",
    variants: LIST_MIB.map((size) => ({
      label: `${size} MiB`,
      size,
      options: { rules: 1, of: "names", filterLists: true },
      requests: (stage) => calls((i) => stage.token("good", i), { path: `${PATH}/list?MiB=${size}`, body: LIST, count: 4 }),
    })),
  },
];
