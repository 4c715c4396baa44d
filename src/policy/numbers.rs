//! Numbers as they are written: two texts of one number are equal, and no two numbers are, however
//! little they differ.

use std::cmp::Ordering;

/// Beyond, readers take different whole numbers for the same, or lose their sign.
pub const EXACT: i64 = (1 << 53) - 1;

const EXACT_DIGITS: &[u8] = b"9007199254740991";

/// A number of the settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    value: f64,
    decimal: Decimal,
}

impl Number {
    /// `None`: beyond [`EXACT`].
    #[inline(never)]
    pub fn new(number: &serde_json::Number) -> Option<Self> {
        let value = number.as_f64()?;
        let decimal = Decimal::new(&number.to_string())?;
        decimal.is_exact().then_some(Self { value, decimal })
    }

    /// To compare with a number of which only this is known.
    pub const fn value(&self) -> f64 {
        self.value
    }

    pub(super) const fn decimal(&self) -> &Decimal {
        &self.decimal
    }
}

/// A number of JSON, whatever its size: `0.` and these digits, times ten to the power of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Never of zero, for which there is no digit either.
    is_negative: bool,
    /// Neither the first nor the last is 0.
    digits: Vec<u8>,
    exponent: i64,
}

fn whole_number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let next = |number: i64, digit: u8| number.checked_mul(10)?.checked_add(sign * digit_value(digit)?);
    digits.bytes().try_fold(0, next)
}

fn digit_value(digit: u8) -> Option<i64> {
    digit.is_ascii_digit().then(|| i64::from(digit - b'0'))
}

impl Decimal {
    /// `None`: no number of JSON, or an exponent that cannot be counted with.
    #[inline(never)]
    pub(super) fn new(json: &str) -> Option<Self> {
        let (is_negative, json) = json.strip_prefix('-').map_or((false, json), |rest| (true, rest));
        let (significand, exponent) = json.split_once(['e', 'E']).unwrap_or((json, "0"));
        let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
        let mut digits = Vec::with_capacity(significand.len());
        digits.extend(whole.bytes().chain(fraction.bytes()));
        if whole.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, exponent: 0 });
        }
        let places = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(zeros).ok()?)?;
        let exponent = whole_number(exponent)?.checked_add(places)?;
        Some(Self { is_negative, digits, exponent })
    }

    /// Whether it lies where every reader knows each whole number from the next.
    pub(super) fn is_exact(&self) -> bool {
        self.size() <= (true, EXACT_DIGITS.len() as i64, EXACT_DIGITS)
    }

    #[inline(never)]
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| match self.is_negative {
            false => self.size().cmp(&other.size()),
            true => other.size().cmp(&self.size()),
        })
    }

    const fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Without the sign. Zero is the least, which it is by its digits alone.
    fn size(&self) -> (bool, i64, &[u8]) {
        (!self.digits.is_empty(), self.exponent, &self.digits)
    }
}
