//! Every number, with its unit and its reason. No other file holds one.

/// Seconds since the Unix epoch. The clock is read once per request, in `edge`, and passed down.
pub type Seconds = u64;

/// Bytes of an access token. Larger ones are refused before anything is decoded.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// Bytes of a DPoP proof: one of an RSA key of 8 192 bits, which is in it, and an address of some
/// 2 000 bytes.
pub const PROOF_BYTES: usize = 8 * 1024;

/// Characters of a proof's `jti`. Clients send 22 to 43.
pub const PROOF_JTI_CHARS: usize = 256;

/// `dpop_max_age`: seconds that a proof's `iat` may be from now, before or after. MCP's extension
/// for DPoP (SEP-1932) has five minutes, so that no setting takes more; the least is what slow
/// networks and clocks take.
pub const DPOP_MAX_AGE: std::ops::RangeInclusive<Seconds> = 10..=DPOP_MAX_AGE_DEFAULT;

/// The default of `dpop_max_age`.
pub const DPOP_MAX_AGE_DEFAULT: Seconds = 300;

/// Seconds after its `iat` for which a proof is remembered: the longest that one may be good for,
/// and as long as a request may wait for keys and for its authorization server.
pub const DPOP_REMEMBERED: Seconds = DPOP_MAX_AGE_DEFAULT + 60;

/// Seconds that one DPoP nonce is given out. It is good for as long again: a client that calls now
/// and then has one that works, and a proof that was made ahead is of no use after ten minutes.
pub const DPOP_NONCE_SECONDS: Seconds = 300;

/// Bytes of `MCP_SERVER_AUTH_DPOP_NONCE_KEY`: as many as the MAC has.
pub const DPOP_NONCE_KEY_BYTES: usize = 32;

/// Proofs that an isolate remembers, so that none is accepted twice: a hundred a second for the
/// 300 s that one is good, in some 2 MB. Beyond it the oldest is forgotten.
pub const DPOP_PROOFS_KEPT: usize = 32_768;

/// Bytes of an issuer's name. It goes into a header and into the log with each request, and may be
/// three times as long there.
pub const ISSUER_BYTES: usize = 1024;

/// Bytes read of a key set or of an issuer's metadata document; more is a failed fetch.
pub const DOCUMENT_BYTES: usize = 64 * 1024;

/// Keys read of a key set; what follows them is not looked at.
pub const KEYS_IN_SET: usize = 64;

/// Keys with the token's `kid` that are tried, so that a set full of one `kid` costs four checks
/// and no more.
pub const KEYS_TRIED: usize = 4;

/// RSA modulus, in bits. Below is breakable, above is a way to burn CPU.
pub const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Bytes of an RSA public exponent: what the runtime's WebCrypto takes (33 bits), rounded down to
/// whole bytes.
pub const RSA_EXPONENT_BYTES: usize = 4;

/// `MCP_SERVER_AUTH_CACHE_TTL`: seconds that a key set is fresh.
pub const CACHE_TTL: std::ops::RangeInclusive<Seconds> = 60..=86_400;

/// The default of `MCP_SERVER_AUTH_CACHE_TTL`.
pub const CACHE_TTL_DEFAULT: Seconds = 3600;

/// Seconds that a key set serves past its freshness while fetching fails.
pub const STALE: Seconds = 24 * 3600;

/// Seconds between two refetches of one key set for the sake of an unknown `kid`: random `kid`s
/// must not become a flood.
pub const KID_COOL_DOWN: Seconds = 30;

/// Seconds after a failed fetch until the next one; doubled with each failure that follows.
pub const RETRY: Seconds = 15;

/// Where that doubling ends.
pub const RETRY_MAX: Seconds = 300;

/// Seconds of freshness that an issuer's `Cache-Control` can not take away.
pub const FRESH_MIN: Seconds = 60;

/// Seconds that fetching a key set may take in all, discovery included.
pub const FETCH_SECONDS: Seconds = 5;

/// Milliseconds after which the next place of an issuer's metadata is asked, though the one before
/// has not answered yet: a quarter of those 5 s, since there are up to three places and a key set.
pub const PLACE_MILLISECONDS: u64 = 1250;

/// Milliseconds that looking for an issuer's metadata may take in all: the rest is the key set's.
pub const DISCOVERY_MILLISECONDS: u64 = 3 * PLACE_MILLISECONDS;

/// Seconds between two looks into an issuer's metadata because of an unknown `kid`.
pub const METADATA_REREAD: Seconds = 600;

/// Requests that may wait for one issuer's keys, per isolate; as many again may wait for a copy of
/// its metadata. A request that waits costs the runtime some 100 KB, so that these hold 30 MB. An
/// isolate that has just started waits some 100 ms for its keys, in which so many do not come.
pub const WAITERS: usize = 256;

/// Seconds after which a request that found no place to wait may come again: an issuer that works
/// has answered by then.
pub const WAITERS_RETRY: Seconds = 1;

/// Milliseconds by which a request that waits may be late to look again, before its place is
/// another's: a hundred times the next number, since a request that the runtime has given up does
/// not come at all.
pub const WAITER_LOST_MILLISECONDS: u64 = 2000;

/// Milliseconds between two looks at whether another request's fetch has ended.
pub const POLL_MILLISECONDS: i32 = 20;

/// `cacheTtl` of a KV read, in seconds. KV's own minimum was 60 for long; freshness is judged by
/// our stored time anyway.
pub const KV_READ_TTL: Seconds = 60;

/// Milliseconds that a KV read may take before it counts as empty.
pub const KV_MILLISECONDS: u64 = 1000;

/// Seconds between two writes of one KV key: KV takes one a second, and its readers do not see them
/// sooner anyway.
pub const KV_WRITE: Seconds = 60;

/// Seconds that a refresh may take in all: KV, the issuer, and rounding.
pub const REFRESH_SECONDS: Seconds = 7;

/// Entries of the list of revoked tokens: with those of usual length a list of 250 KB, which an
/// isolate reads in a few milliseconds, and only where it has changed.
pub const REVOCATIONS: usize = 1000;

/// Bytes of that list. KV takes 25 MiB; each isolate holds a copy.
pub const REVOCATIONS_BYTES: usize = 1024 * 1024;

/// Bytes of the subject, client or `jti` that an entry names.
pub const REVOKED_BYTES: usize = 1024;

/// Seconds after which the list is read again, in the background.
pub const REVOCATIONS_DUE: Seconds = 20;

/// Seconds for which an isolate believes the list that it has read. With the 60 s for which KV may
/// give an older value (`KV_READ_TTL`), a revocation is in force everywhere within 90 s.
pub const REVOCATIONS_BELIEVED: Seconds = 30;

/// Seconds after a failed read of the list until the next one. Meanwhile no request waits for it,
/// and one failure still leaves time for a second try before the list is no longer believed.
pub const REVOCATIONS_RETRY: Seconds = 10;

/// Seconds between two lines of the log that say what is wrong with the list.
pub const REVOCATIONS_SAID: Seconds = 30;

/// Seconds that a read of the list may take in all: `KV_MILLISECONDS`, and rounding.
pub const REVOCATIONS_READING: Seconds = 3;

/// The last second of the year 9999: no later time is written in RFC 3339.
pub const LAST_TIME: Seconds = 253_402_300_799;

/// Seconds by which `revoke --before` may lie ahead: clocks that differ, and not a mistyped year.
pub const REVOKE_AHEAD: Seconds = 86_400;

/// `revoke --for`, in seconds: how long an entry is in force.
pub const REVOKE_FOR: std::ops::RangeInclusive<Seconds> = 60..=3650 * 86_400;

/// The default of `revoke --for`: 30 days, the longest lifetime that the authorization servers of
/// docs/providers.md give to access tokens (Auth0, and a session of Cloudflare Access).
pub const REVOKE_FOR_DEFAULT: Seconds = 30 * 86_400;

/// Imported `CryptoKey`s kept per isolate. Beyond it the store is emptied and fills again with what
/// is in use.
pub const CRYPTO_KEYS: usize = 512;

/// Requests that wait for a signature check, per isolate. The runtime answers a check at once;
/// should it ever not, the oldest is let go. As many of each kind wait for rate limiters, and for a
/// decision; there whoever finds no place is answered at once.
pub const PENDING: usize = 1024;

/// `validation_options.leeway`, in seconds.
pub const LEEWAY: std::ops::RangeInclusive<Seconds> = 0..=300;

/// The default of `validation_options.leeway`.
pub const LEEWAY_DEFAULT: Seconds = 60;

/// Seconds that a copy of an authorization server's metadata serves, and its `max-age`. It is
/// small, seldom asked for, and should not outlive a change for long.
pub const COPY_FRESH: Seconds = 600;

/// `max-age` of the metadata document, in seconds.
pub const METADATA_MAX_AGE: Seconds = 3600;

/// `Access-Control-Max-Age` of a preflight answer, in seconds.
pub const PREFLIGHT_MAX_AGE: Seconds = 86_400;

/// Bytes of `Access-Control-Request-Headers` that are echoed; a longer list gets the default one.
pub const REQUESTED_HEADERS_BYTES: usize = 4096;

/// Characters of a token's `kid` that reach the log: a `kid` is the sender's choice until the
/// signature is checked.
pub const LOGGED_KID_CHARS: usize = 128;

/// Bytes of a request body that the policy reads; a larger one is refused where there are rules.
pub const BODY_BYTES: usize = 1024 * 1024;

/// Messages in a batch: each is judged, and no client sends more than a handful.
pub const BATCH: usize = 100;

/// Names in the path of an argument that a rule demands something of: no tool nests deeper.
pub const ARGUMENT_PATH_NAMES: usize = 16;

/// Characters of such a path: it is told in answers and in the log.
pub const ARGUMENT_PATH_CHARS: usize = 128;

/// Members of an object on such a path, each of which is compared with every path that leads there.
/// No tool takes so many, and a call with more is refused.
pub const ARGUMENT_MEMBERS: usize = 1000;

/// Bytes of a request's id that are sent back in a refusal; a longer one is left out.
pub const ECHOED_ID_BYTES: usize = 1024;

/// Bytes of an answer, or of one event of a stream, in which a list is filtered.
pub const LIST_BYTES: usize = 8 * 1024 * 1024;

/// Characters of `MCP_SERVER_AUTH_RESOURCE_NAME`: a heading, and it keeps the page for people below
/// 12 KiB.
pub const RESOURCE_NAME_CHARS: usize = 100;

/// Characters of the name that the page for people gives the server in a client's configuration.
pub const SLUG_CHARS: usize = 40;

/// `ORIGIN_TIMEOUT_SECONDS`: how long an origin may take to begin its answer. An hour is for
/// origins that answer a long job in one piece.
pub const ORIGIN_TIMEOUT: std::ops::RangeInclusive<Seconds> = 1..=3600;

/// The default of `ORIGIN_TIMEOUT_SECONDS`: what Cloudflare itself gives an origin.
pub const ORIGIN_TIMEOUT_DEFAULT: Seconds = 100;

/// Seconds after which the log says that a request waits for its origin.
pub const ORIGIN_NOTICE: Seconds = 10;

/// Characters of what the runtime or an origin says that reach the log.
pub const LOGGED_DETAIL_CHARS: usize = 256;

/// Characters of a client's name that reach the log: the longest are URLs of documents.
pub const LOGGED_CLIENT_CHARS: usize = 128;

/// Characters of a token's `jti` that reach the log: a SHA-256 in hex is as long.
pub const LOGGED_JTI_CHARS: usize = 64;

/// Characters of a tool's name that reach the log.
pub const LOGGED_NAME_CHARS: usize = 128;

/// Seconds that an assertion is good for: the way to the origin and clocks that differ a little.
pub const ASSERTION_SECONDS: Seconds = 60;

/// Keys that may sign or have signed assertions; a rotation takes two.
pub const ASSERTION_KEYS: usize = 8;

/// `max-age` of our own key set, in seconds. A new key is listed for so long, and for as long as
/// origins keep it, before it signs.
pub const ASSERTION_JWKS_MAX_AGE: Seconds = 300;

/// Bytes of `MCP_SERVER_AUTH_SESSION_KEY`: as many as the MAC has.
pub const SESSION_KEY_BYTES: usize = 32;

/// Bytes of `MCP_SERVER_AUTH_AUDIT_KEY`: as many as the MAC has.
pub const AUDIT_KEY_BYTES: usize = 32;

/// Characters of a caller's hash in reports: 132 bits, so that no two callers have one.
pub const PSEUDONYM_CHARS: usize = 22;

/// Bytes of the Analytics Engine's index; a point with more is lost.
pub const AUDIT_INDEX_BYTES: usize = 96;

/// Bytes of a session id with its MAC, "under 1 KiB".
pub const SESSION_ID_BYTES: usize = 1023;

/// Seconds that an assertion serves again for the same token: half of its lifetime.
pub const ASSERTION_REUSE_SECONDS: Seconds = 30;

/// Assertions kept per isolate; with the next number, under 3 MiB.
pub const ASSERTIONS_KEPT: usize = 256;

/// Bytes of a token whose assertion is kept.
pub const ASSERTION_REUSE_TOKEN_BYTES: usize = 4096;

/// Introspections in flight, per isolate: each may hold a request and an answer of 64 KiB for 5 s,
/// and an authorization server that works answers so many in a fraction of a second.
pub const INTROSPECTIONS: usize = 32;

/// Introspections that an isolate may begin in a second, and at once: made-up tokens must not
/// become a flood at the authorization server, and no MCP server of one isolate has more callers.
pub const INTROSPECTIONS_PER_SECOND: u32 = 50;

/// Seconds after which a token may come again whose server gave no answer that serves.
pub const INTROSPECTION_RETRY: Seconds = 5;

/// Seconds after which a token may come again for which there was no place, or no more in this
/// second.
pub const INTROSPECTION_CROWDED_RETRY: Seconds = 1;

/// Seconds between two lines of the log that say that too many introspections were wanted: a flood
/// of tokens must not become one of lines.
pub const CROWDED_SAID_SECONDS: Seconds = 10;

/// Seconds for which a token that was told inactive is refused without asking again. Few ever
/// become active after that.
pub const INACTIVE_SECONDS: Seconds = 10;

/// Tokens that are remembered as inactive, per isolate: twice as many as can be told in that time,
/// in 40 KiB.
pub const INACTIVE_KEPT: usize = 1024;

/// `introspection.cache_seconds`: how long an authorization server's word on an active token may
/// serve again.
pub const INTROSPECTION_CACHE: std::ops::RangeInclusive<Seconds> = 0..=60;

/// The default of `introspection.cache_seconds`: a revoked token is refused at once.
pub const INTROSPECTION_CACHE_DEFAULT: Seconds = 0;

/// Answers about active tokens that are kept, per isolate; with the next number, under 8 MiB.
pub const ANSWERS_KEPT: usize = 1024;

/// Bytes of such an answer; a longer one is asked for each time.
pub const ANSWER_KEPT_BYTES: usize = 8 * 1024;

/// Limits in a policy: each asks a binding of every request that it matches.
pub const LIMITS: usize = 16;

/// The periods, in seconds, that Cloudflare's rate limiters have.
pub const LIMIT_PERIODS: [Seconds; 2] = [10, 60];

/// Milliseconds that a rate limiter may take before it is gone on without: it keeps its counts near
/// the Worker and answers within one or two.
pub const LIMITER_MILLISECONDS: u64 = 500;

/// Seconds between two lines of the log that say that a rate limiter, or a policy decision point,
/// gives no answer: one that fails does so for every request.
pub const LIMITER_NOTICE: Seconds = 60;

/// Senders of bad tokens that an isolate remembers; the oldest goes first. Some 30 KB.
pub const FLOODS: usize = 256;

/// Good tokens that an isolate knows again behind the address of such a sender: 32 KB of hashes.
pub const TOKENS_KNOWN: usize = 1024;

/// How often one request is counted: a batch of 100 messages, once. Rate limiters answer one count
/// at a time, and what is not answered in time is let through.
pub const COUNTS: usize = 100;

/// Questions about one request that a policy decision point is asked at once: the runtime lets six
/// connections wait for an answer at a time, and no client sends such batches.
pub const DECISIONS: usize = 16;

/// `decide.timeout_ms`: milliseconds in which a policy decision point has to answer. Every request
/// that it decides on waits for it.
pub const DECIDE_MILLISECONDS: std::ops::RangeInclusive<u64> = 10..=10_000;

/// The default of `decide.timeout_ms`: many times what one nearby takes.
pub const DECIDE_MILLISECONDS_DEFAULT: u64 = 500;
