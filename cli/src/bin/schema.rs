//! The program behind `npm run -s schema`: prints the JSON Schema of all settings.

use std::io::{Write as _, stdout};

fn main() {
    // Whoever reads a pipe may have seen enough.
    let _ended = stdout().write_all(mcp_edge_auth::settings::schema().as_bytes());
}
