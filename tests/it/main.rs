//! Tests of the whole program.
#![cfg(test)]

mod actions;
mod classic;
mod commands;
mod corpus;
mod desk;
mod inventories;
mod names;
mod plans;
mod repeats;
mod retries;
mod safety;
