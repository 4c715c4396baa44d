//! How often something may be done. What counts is a binding of the runtime's; what it is told, and
//! what its answer means, is said here.
//!
//! 1. Each message is counted by each limit that it matches. A batch of ten costs ten, or batches
//!    would go around a limit.
//! 2. What is counted is named by a SHA-256: no name of a user, a client or a tool leaves. Each
//!    part of it stands behind its length, so that no two of them can be read as two others, and
//!    the limit's place in the policy is one of them: two limits never share a count.
//! 3. Whoever has not what a limit counts by is counted all the same: a caller without a token by
//!    its address, a token without a client by its issuer.
//! 4. Only a binding's plain no refuses. One that fails lets through.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use sha2::{Digest as _, Sha256};

use super::denial::Denial;
use super::operation::Operation;
use super::pattern::{MethodPattern, NamePattern};

use crate::limits::{self, Seconds};
use crate::refusal::Refusal;
use crate::token::verify::Verified;

/// A member of `limits`.
#[derive(Clone, Debug)]
pub struct Limit {
    pub by: By,
    /// The rate limiter, which knows how many there may be.
    pub binding: String,
    /// In which time, as the binding has it: what `Retry-After` says.
    pub period: Seconds,
    /// None: every method.
    pub methods: Option<Vec<MethodPattern>>,
    /// None: every name, and what has none.
    pub names: Option<Vec<NamePattern>>,
}

/// What has a count of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Issuer and subject.
    User,
    /// Issuer and client.
    Client,
    /// The tool that is called, whoever calls it.
    Tool,
    UserAndTool,
    /// The address that the request comes from.
    Ip,
}

impl By {
    pub const ALL: [(&'static str, Self); 5] = [
        ("user", Self::User),
        ("client", Self::Client),
        ("tool", Self::Tool),
        ("user+tool", Self::UserAndTool),
        ("ip", Self::Ip),
    ];

    /// Whether only the call of a tool has it.
    pub const fn needs_tool(self) -> bool {
        matches!(self, Self::Tool | Self::UserAndTool)
    }
}

/// A limit that a request's messages match, so many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its place in the policy.
    limit: u32,
    /// The tool that is called, where that matters.
    tool: Option<String>,
    times: usize,
}

/// Whose request it is.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'s> {
    /// The canonical URL of the server that it is for.
    pub resource: &'s str,
    /// None: there is no token.
    pub verified: Option<&'s Verified>,
    /// As the runtime has it, a port included; empty: unknown.
    pub address: &'s str,
}

/// What a binding is to count, so many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub binding: String,
    pub key: String,
    pub times: usize,
    /// The limit's place in the policy.
    pub limit: u32,
    pub period: Seconds,
}

/// What a binding says of one: whether it is within the limit. `None`: nothing of use.
pub type Answer = Option<bool>;

impl Hit {
    pub(super) fn forget_tool(&mut self) {
        self.tool = None;
    }
}

impl Limit {
    fn matches(&self, operation: &Operation<'_>) -> bool {
        operation.is_among(self.methods.as_deref(), self.names.as_deref())
    }

    /// Whether it is about tokens that are refused, too: it counts by address, whatever is asked
    /// for.
    const fn is_of_floods(&self) -> bool {
        matches!(self.by, By::Ip) && self.methods.is_none() && self.names.is_none()
    }
}

/// Whether senders of tokens that are refused are counted.
pub fn count_floods(limits: &[Limit]) -> bool {
    limits.iter().any(Limit::is_of_floods)
}

/// What counts a token that was refused. `address`: where it came from.
pub fn flood_counts(limits: &[Limit], resource: &str, address: &str) -> Vec<Count> {
    let of_floods = (0..).zip(limits).filter(|(_, limit)| limit.is_of_floods());
    let sender = Sender { resource, verified: None, address };
    of_floods.map(|(at, limit)| Count::new(limit, at, 1, &key(at, None, &sender, None))).collect()
}

impl Count {
    fn new(limit: &Limit, at: u32, times: usize, key: &str) -> Self {
        Self { binding: limit.binding.clone(), key: key.to_owned(), times, limit: at, period: limit.period }
    }

    /// What is refused where this count is exceeded.
    pub fn denial(&self) -> Denial {
        Denial { limit: Some(self.limit), ..Refusal::RateLimited(self.period).into() }
    }
}

/// The limits that these operations match.
///
/// # Errors
/// It is too much to be counted at once.
pub(super) fn hits(limits: &[Limit], operations: &[Operation<'_>]) -> Result<Vec<Hit>, Refusal> {
    let (mut hits, mut times): (Vec<Hit>, usize) = (Vec::new(), 0);
    for (at, limit) in (0..).zip(limits) {
        for operation in operations.iter().filter(|operation| limit.matches(operation)) {
            let called = operation.names.first().copied().flatten();
            let tool = match (limit.by.needs_tool(), operation.method, called) {
                (false, ..) => None,
                (true, Some(CALL), Some(name)) => Some(name),
                // What calls no tool has no count by tools.
                (true, ..) => continue,
            };
            // Who asks for so much at once could otherwise see to it that not all of it is counted.
            times += 1;
            if times > limits::COUNTS {
                return Err(Refusal::MessageInvalid);
            }
            match hits.iter_mut().find(|hit| hit.limit == at && hit.tool.as_deref() == tool) {
                Some(hit) => hit.times += 1,
                None => hits.push(Hit { limit: at, tool: tool.map(str::to_owned), times: 1 }),
            }
        }
    }
    Ok(hits)
}

const CALL: &str = "tools/call";

pub(super) fn counts(limits: &[Limit], hits: &[Hit], sender: &Sender<'_>) -> Vec<Count> {
    let limit = |hit: &Hit| {
        let limit = limits.get(hit.limit as usize)?;
        let key = key(hit.limit, Some(limit.by), sender, hit.tool.as_deref());
        Some(Count::new(limit, hit.limit, hit.times, &key))
    };
    hits.iter().filter_map(limit).collect()
}

/// The first count that is exceeded. `answers`: one for each time of each count, in their order.
pub fn exceeded(counts: &[Count], answers: &[Answer]) -> Option<Denial> {
    let mut answers = answers.iter();
    let is_over = |count: &&Count| answers.by_ref().take(count.times).any(|answer| *answer == Some(false));
    counts.iter().find(is_over).map(Count::denial)
}

/// The binding that has not answered one of these, if there is one. Where nobody was asked, it is
/// none.
pub fn unanswered<'c>(counts: &'c [Count], answers: &[Answer]) -> Option<&'c str> {
    if answers.is_empty() {
        return None;
    }
    let mut answers = answers.iter();
    let is_silent = |count: &&Count| answers.by_ref().take(count.times).flatten().count() < count.times;
    counts.iter().find(is_silent).map(|count| count.binding.as_str())
}

/// What keys of this kind begin with.
const LABEL: &str = "mcp-edge-auth limit 1";

/// The name of a count. `by`: none for tokens that are refused.
fn key(limit: u32, by: Option<By>, sender: &Sender<'_>, tool: Option<&str>) -> String {
    let mut framed = String::with_capacity(256);
    let place = limit.to_string();
    let kind = By::ALL.iter().find(|(_, one)| by == Some(*one)).map_or("refused", |(name, _)| name);
    for part in [LABEL, sender.resource, &place, kind] {
        frame(&mut framed, part);
    }
    let identity = sender.verified.map(|verified| (verified, verified.permit().identity()));
    match (by, identity) {
        (Some(By::Tool), _) => {}
        (Some(By::User | By::UserAndTool), Some((_, identity))) => {
            framed.push('+');
            frame(&mut framed, identity.issuer());
            frame(&mut framed, identity.subject());
        }
        (Some(By::Client), Some((verified, identity))) => {
            framed.push('+');
            frame(&mut framed, identity.issuer());
            // Without one, it is counted with all others of its issuer that have none.
            if let Some(client) = verified.client_id() {
                frame(&mut framed, client);
            }
        }
        (None | Some(By::Ip), _) | (_, None) => {
            framed.push('-');
            frame(&mut framed, &counted_address(sender.address));
        }
    }
    if let Some(tool) = tool {
        frame(&mut framed, tool);
    }
    hex(&Sha256::digest(framed.as_bytes()))
}

fn frame(into: &mut String, part: &str) {
    _ = write!(into, "{}:{part},", part.len()); // into memory: it cannot fail
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        _ = write!(text, "{byte:02x}");
    }
    text
}

/// An address as it counts: without its port, and of IPv6 the first 64 bits, all of which one
/// customer of a network has. What is no address counts as it is.
fn counted_address(address: &str) -> String {
    let with_port = |address: &str| address.parse::<SocketAddr>().ok().map(|address| address.ip());
    match address.parse().ok().or_else(|| with_port(address)).map(|address: IpAddr| address.to_canonical()) {
        Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).to_string(),
        Some(IpAddr::V4(address)) => address.to_string(),
        None => address.to_owned(),
    }
}
