//! Tests of the whole program.
#![cfg(test)]

mod corpus;
mod desk;
mod plans;
mod repeats;
mod safety;
