//! Tests of the whole program.
#![cfg(test)]

mod corpus;
mod rooms;
mod samples;
mod tokens;
