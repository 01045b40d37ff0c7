//! Numbers on the wire: plain decimals in their shortest form, at most 18 digits on either side of the point.

use serde_json::{Number, Value};

/// Most digits before and after the point. Eighteen digits always fit `i64`.
pub(crate) const DIGITS: usize = 18;

/// The largest whole number that can be written.
pub(crate) const LARGEST: i64 = 10_i64.pow(DIGITS as u32) - 1;

/// The number's shortest plain decimal form: `12`, not `12.0` or `1.2e1`. The error says what was expected.
pub(crate) fn write(number: &Number) -> Result<String, &'static str> {
    let text = match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(0.0)) => "0".to_owned(),
        (None, Some(float)) => float.to_string(),
        (None, None) => return Err("a finite number"),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if whole.trim_start_matches('-').len() > DIGITS || fraction.len() > DIGITS {
        return Err("a number of at most 18 digits before and after the point");
    }
    Ok(text)
}

/// Length of the number at the start of a text, canonical or not.
pub(crate) fn scan(wire: &str) -> usize {
    let bytes = wire.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let whole = sign + digits(sign);
    match bytes.get(whole) {
        Some(b'.') => whole + 1 + digits(whole + 1),
        _ => whole,
    }
}

/// Reads a number in canonical form.
pub(crate) fn read(text: &str) -> Option<Value> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if digits.is_empty() || digits.len() > DIGITS || leading_zero {
        return None;
    }
    match fraction {
        None if whole == "-0" => None,
        None => whole.parse::<i64>().ok().map(Value::from),
        Some(f) if f.is_empty() || f.len() > DIGITS || f.ends_with('0') => None,
        Some(_) => text.parse::<f64>().ok().map(Value::from),
    }
}
