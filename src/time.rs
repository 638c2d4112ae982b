//! [`Time`]: the clock as a parameter.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::DateTime;

use crate::error::{Error, Result};

const FIELD: &str = "time";

/// A moment in UTC, to the second, from 1970 to the end of 9999: what a certificate can hold.
///
/// Written and read as RFC 3339: `2026-11-22T09:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The last second that a certificate can hold (RFC 5280, section 4.1.2.5.2).
    const LAST: u64 = 253_402_300_799;

    /// The present moment: the only call in this crate that reads the system clock.
    ///
    /// A clock before 1970 gives 1970.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_secs().min(Self::LAST))
    }

    /// A moment in seconds since 1970, without leap seconds.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`](crate::Code::Invalid) when it is outside the years 1970 to 9999.
    pub fn from_unix(seconds: i64) -> Result<Self> {
        match u64::try_from(seconds) {
            Ok(seconds @ ..=Self::LAST) => Ok(Self(seconds)),
            _ => Err(Error::invalid(FIELD, "a moment in the years 1970 to 9999", &seconds.to_string())),
        }
    }

    /// Seconds since 1970, without leap seconds.
    #[must_use]
    pub fn unix(self) -> i64 {
        // LAST fits.
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// This moment and `duration`, in whole seconds; `None` past the end of 9999.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration.as_secs()).filter(|sum| *sum <= Self::LAST).map(Self)
    }

    /// This moment less `duration`, in whole seconds; not before 1970.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long it is from `earlier` to this moment; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn from_date_time(date_time: DateTime) -> Self {
        Self(date_time.unix_duration().as_secs())
    }

    fn date_time(self) -> der::Result<DateTime> {
        DateTime::from_unix_duration(Duration::from_secs(self.0))
    }

    /// As a certificate holds it: the encoder chooses UTCTime up to 2049 and GeneralizedTime from 2050.
    pub(crate) fn x509(self) -> der::Result<x509_cert::time::Time> {
        Ok(self.date_time()?.into())
    }
}

impl FromStr for Time {
    type Err = Error;

    /// RFC 3339, with `Z` or an offset; fractions of a second are dropped.
    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::invalid(FIELD, "RFC 3339, from 1970 on, such as 2026-11-22T09:00:00Z", text)
        })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date_time() {
            Ok(date_time) => date_time.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

fn parse(text: &str) -> Option<Time> {
    let (moment, rest) = text.split_at_checked(19)?;
    let fraction = rest.strip_prefix('.').map(|rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let zone = match fraction {
        Some(0) => return None,
        Some(digits) => rest.get(1 + digits..)?,
        None => rest,
    };
    let local = format!("{moment}Z").parse::<DateTime>().ok()?.unix_duration().as_secs();
    let seconds = match zone {
        "Z" => local,
        _ => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let (hours, minutes) = match (two_digits(hours), two_digits(minutes)) {
                (true, true) => (hours.parse::<u64>().ok()?, minutes.parse::<u64>().ok()?),
                _ => return None,
            };
            let offset = (hours <= 23 && minutes <= 59).then_some(hours * 3600 + minutes * 60)?;
            match zone.as_bytes().first()? {
                b'+' => local.checked_sub(offset)?,
                b'-' => local.checked_add(offset)?,
                _ => return None,
            }
        }
    };
    (seconds <= Time::LAST).then_some(Time(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_with_offsets_and_fractions() {
        let nine = "2026-11-22T09:00:00Z".parse::<Time>().unwrap();
        for text in ["2026-11-22T10:30:00+01:30", "2026-11-22T08:00:00-01:00", "2026-11-22T09:00:00.999Z"] {
            assert_eq!(text.parse::<Time>().unwrap(), nine, "{text}");
        }
        assert_eq!(nine.to_string(), "2026-11-22T09:00:00Z");
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T09:00:00",
            "2026-13-22T09:00:00Z",
            "2026-11-22T09:00:00.Z",
            "2026-11-22T09:00:00+1:00",
            "1969-12-31T23:59:59Z",
            "2026-11-22T09:00:00é01:00",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }

    #[test]
    fn time_ends_with_the_year_9999() {
        let last = Time::from_unix(253_402_300_799).unwrap();
        assert_eq!(last.to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(last.checked_add(Duration::from_secs(1)), None);
        assert!(Time::from_unix(-1).is_err() && Time::from_unix(253_402_300_800).is_err());
    }
}
