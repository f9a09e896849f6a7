//! Tests of the whole program.
#![cfg(test)]

mod actions;
mod addresses;
mod apache;
mod classic;
mod commands;
mod contract;
mod corpus;
mod crash;
mod credentials;
mod desk;
mod disk;
mod exports;
mod faults;
mod harness;
mod inventories;
mod live;
mod locks;
mod names;
mod plans;
mod readme;
mod repeats;
mod retries;
mod review;
mod rooms;
mod safety;
mod samples;
mod signals;
mod switches;
mod throttling;
mod tokens;
