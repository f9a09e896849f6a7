//! Tests of the whole program.
#![cfg(test)]

mod actions;
mod corpus;
mod desk;
mod names;
mod plans;
mod repeats;
mod safety;
