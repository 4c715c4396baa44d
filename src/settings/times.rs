//! A time as people write it.

/// The seconds from 1970 to a time of RFC 3339, such as `2026-01-31T12:00:00Z`; what there is of a
/// second beyond is left out. `None`: it is no such time.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't'])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let offset_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, offset) = time.split_at_checked(offset_at)?;
    let clock = match clock.split_once('.') {
        Some((clock, part)) if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) => clock,
        Some(_) => return None,
        None => clock,
    };
    let [hours, minutes, seconds] = numbers(clock, ':', [2, 2, 2])?;
    let is_time = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hours < 24
        && minutes < 60
        && seconds < 60;
    let clock = (hours * 60 + minutes) * 60 + seconds;
    let days = days_before(year, month) + day - 1;
    is_time.then_some(days * 86_400 + clock - self::offset(offset)?)
}

/// Seconds by which a clock is ahead of that of UTC.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let (sign, clock) = text.split_at_checked(1)?;
    let sign = if sign == "-" { -1 } else { 1 };
    let [hours, minutes] = numbers(clock, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(between);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        for digit in part.bytes() {
            *number = *number * 10 + digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        }
    }
    parts.next().is_none().then_some(numbers)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a month.
fn days_before(year: i64, month: i64) -> i64 {
    // The leap days before a year, counted from the year 0.
    let leaps = |year: i64| (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let years = (year - 1970) * 365 + leaps(year) - leaps(1970);
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>()
}
