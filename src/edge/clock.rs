//! The time, and moments of waiting.

use std::time::Duration;

use worker::Delay;

use crate::limits::Seconds;

/// A moment on this request's own timer.
pub(super) fn pause(milliseconds: u64) -> Delay {
    Delay::from(Duration::from_millis(milliseconds))
}

/// The clock stands still between I/O in production, so reading it once per step is exact.
pub(super) fn now_milliseconds() -> f64 {
    js_sys::Date::now()
}

pub(super) fn now() -> Seconds {
    seconds(now_milliseconds())
}

pub(super) fn seconds(milliseconds: f64) -> Seconds {
    (milliseconds / 1000.0) as Seconds
}
