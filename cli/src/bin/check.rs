//! The program behind `npm run check`.

use std::io::{stderr, stdin, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    if cli::check::run(stdin(), &mut stdout(), &mut stderr()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
