//! Timestamps (RFC 3161): an authority's signed word that some bytes existed at a time.
//!
//! A [`Request`] holds the SHA-256 of the bytes; [`ask`] sends it; the [`Token`] that comes back
//! is kept byte for byte (`.tsr`) and checked without asking anyone: [`Token::verify`] against the
//! [`Anchors`] an auditor trusts. Other programs check the same file, such as
//! `openssl ts -verify -in x.tsr -data checkpoint -CAfile ca.pem`.
//!
//! Answers are hostile until they hold: DER is read by a strict reader with fixed nesting, sizes
//! are capped, and nothing that is read is allocated beyond its own size.
//!
//! Deliberately not here: what is stamped and when (the caller's), revocation lists, SHA-1.

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::integer_division,
    clippy::arithmetic_side_effects
)]

mod algorithm;
mod anchors;
mod asn1;
mod certificate;
mod client;
mod name;
mod request;
mod signed;
mod statement;
mod token;
mod verify;

pub use anchors::{ANCHORS_BYTES_MAX, Anchors, AnchorsError};
pub use asn1::Malformed;
pub use client::{AskError, ask};
pub use request::Request;
pub use token::{TOKEN_BYTES_MAX, Token, TokenError};
pub use verify::{Stamped, TimestampError};
