//! Who may do what: the decision after the token's, on what a request asks for (MCP 2026-07-28,
//! authorization: scope challenges, step-up).
//!
//! 1. Rules only ever demand. All that match apply, so no order of rules and no second name opens
//!    what another rule closes.
//! 2. Where there are rules, the body decides, never a header; a body that readers could disagree
//!    about is not forwarded (`message`, `mirror`).
//! 3. A denial and a claim that is not met come before missing scopes: there is no use in a
//!    client's stepping up for what it will not get.
//! 4. Neither there is of an argument that is not accepted (`arguments`). Lists are filtered as if
//!    there were no demands on arguments.
//! 5. A challenge names every scope that the operation needs, so a token with just these passes.
//! 6. Limits are counted after the rules have said yes (`limits`), and after them somebody else may
//!    be asked (`decision`). An `Authorized`, by which alone a request is forwarded, comes of a
//!    `Cleared` to which nothing is open any more.
//! 7. In report mode whatever this module would refuse is let through and said in the log. It never
//!    lets a token through that `verify` refused, nor a request without a credential that is not
//!    listed as anonymous.

mod arguments;
mod authorize;
mod caller;
pub mod decision;
mod demands;
mod denial;
pub mod events;
pub mod floods;
mod folding;
pub mod limits;
pub mod lists;
pub mod message;
pub mod mirror;
mod numbers;
mod operation;
mod pattern;
mod rules;

pub use arguments::Arguments;
pub use authorize::{Authorized, Body, Cleared, Head, PolicyInput, RpcSummary, authorize, reads_body};
pub use caller::Caller;
pub use demands::{Accepted, Condition, Demand, MemberDemand};
pub use denial::Denial;
pub use numbers::{EXACT, Number};
pub use operation::Operation;
pub use pattern::{MethodPattern, NamePattern};
pub use rules::{Mode, Policy, Rule, Rules};
