//! Tests of the whole program.
#![cfg(test)]

mod corpus;
mod readme;
mod rooms;
mod samples;
mod tokens;
