//! Instants in derived files: seconds and nanoseconds, which are quicker to read than text.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

/// An instant as seconds since 1970 and nanoseconds.
pub(crate) type Parts = (i64, i32);

pub(crate) fn parts(at: Timestamp) -> Parts {
    (at.as_second(), at.subsec_nanosecond())
}

pub(crate) fn instant((second, nanosecond): Parts) -> Result<Timestamp, jiff::Error> {
    Timestamp::new(second, nanosecond)
}

pub(crate) fn serialize<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
    parts(*at).serialize(out)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
    instant(Parts::deserialize(input)?).map_err(D::Error::custom)
}

/// The same for an instant that may be absent.
pub(crate) mod optional {
    use super::{Parts, instant, parts};
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with a reference")]
    pub(crate) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(parts).serialize(out)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<Parts>::deserialize(input)?
            .map(instant)
            .transpose()
            .map_err(D::Error::custom)
    }
}
