//! `instructions SCENARIO N`: the way of a request through the Worker's core, N times, for
//! `bench/budgets/instructions.mjs` to count under callgrind.
//!
//! Everything from the request's head to the origin's request, or to the refusal's answer, is in
//! it. Settings and key set are read before; the signature check, which is the runtime's, says yes;
//! what `edge` does is not in it. No clock, no random numbers, no threads: every run does the same.
//!
//! Without arguments it names the scenarios, one a line.

#![allow(clippy::print_stdout, reason = "a command talks to its caller")]

mod fixtures;
mod scenario;

use std::hint::black_box;
use std::process::ExitCode;

use scenario::Scenario;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            Scenario::NAMES.iter().for_each(|name| println!("{name}"));
            ExitCode::SUCCESS
        }
        [name, times] => match times.parse().map_err(|_| format!("{times} is no number")) {
            Ok(times) => finish(run(name, times)),
            Err(fault) => finish(Err(fault)),
        },
        _ => finish(Err("usage: instructions [SCENARIO N]".to_owned())),
    }
}

fn finish(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// A scenario that ends otherwise than it says would be counted for something else.
fn run(name: &str, times: usize) -> Result<(), String> {
    let scenario = Scenario::named(name)?;
    for _ in 0..times {
        let outcome = black_box(&scenario).request();
        if outcome != scenario.outcome {
            return Err(format!("{name} ends with {outcome}, not with {}", scenario.outcome));
        }
    }
    Ok(())
}
