//! The program behind `npm run doctor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::doctor::run(std::env::args().skip(1))
}
