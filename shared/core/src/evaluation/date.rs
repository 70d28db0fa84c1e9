//! Points in time as conditions write them: a W3C profile of ISO 8601, or seconds since 1970.
//!
//! See <https://www.w3.org/TR/NOTE-datetime>.

/// Nanoseconds since 1970. None for what is not a date, or could be two: `2024` is a year and a number of
/// seconds.
pub fn parse(text: &str) -> Option<i128> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let seconds: i128 = (text.len() > 4).then(|| text.parse().ok()).flatten()?;
        return seconds.checked_mul(NANOS);
    }
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let year = parse_digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |text| parse_digits(text, 2))?;
    let day = parts.next().map_or(Some(1), |text| parse_digits(text, 2))?;
    let in_range = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if parts.next().is_some() || !in_range {
        return None;
    }
    let midnight = i128::from(days_since_1970(year, month, day)) * 86_400 * NANOS;
    // A time of day needs a full date before it.
    match time {
        None => Some(midnight),
        Some(time) if date.len() == 10 => Some(midnight + time_of_day(time)?),
        Some(_) => None,
    }
}

const NANOS: i128 = 1_000_000_000;

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.s…`, and always a zone.
fn time_of_day(text: &str) -> Option<i128> {
    let zone_at = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, f)| (clock, Some(f)));
    let mut parts = clock.split(':');
    let (hours, minutes) = (parse_digits(parts.next()?, 2)?, parse_digits(parts.next()?, 2)?);
    let seconds = parts.next();
    let nanos = match fraction {
        None => 0,
        Some(_) if seconds.is_none() => return None,
        Some(fraction) if (1..=9).contains(&fraction.len()) => parse_digits(&format!("{fraction:0<9}"), 9)?,
        Some(_) => return None,
    };
    let seconds = seconds.map_or(Some(0), |text| parse_digits(text, 2))?;
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let local = hours * 3_600 + minutes * 60 + seconds - parse_offset(zone)?;
    Some(i128::from(local) * NANOS + i128::from(nanos))
}

/// The zone's seconds ahead of UTC.
fn parse_offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (parse_digits(hours, 2)?, parse_digits(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn parse_digits(text: &str, count: usize) -> Option<i64> {
    let only_digits = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if only_digits { text.parse().ok() } else { None }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400;
    let in_months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    // 719,162 days lie before 1970-01-01 in the proleptic Gregorian calendar.
    before * 365 + leap_days + in_months + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let second = |text| parse(text).map(|nanos| nanos / NANOS);
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("2024-02-29T12:30:15Z", Some(1_709_209_815)),
            ("2024-02-29T13:30:15+01:00", Some(1_709_209_815)),
            ("2024-02-29T12:30Z", Some(1_709_209_800)),
            ("2000-03", Some(951_868_800)),
            ("1709209815", Some(1_709_209_815)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2024", None),
            ("2023-02-29", None),
            ("2024-02-29T12:30:15", None),
            ("2024-02T12:30Z", None),
            ("", None),
            ("now", None),
            ("99999999999999999999999999999999999999", None),
        ] {
            assert_eq!(second(text), expected, "{text}");
        }
        assert_eq!(parse("1970-01-01T00:00:00.5Z"), Some(NANOS / 2));
    }
}
