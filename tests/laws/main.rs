//! Laws: what holds for all values, tried on many (proptest), and the tables that go with it.
#![cfg(test)]

mod exceptions;
mod field_path;
mod label_selector;
mod patch;
mod quantity;
mod registration;
