//! Rows into wishes: what each record of an inventory asks for.
//!
//! [`Mapper::compile`] turns the `[[tag]]`, `[[tags_from]]` and `[document]` tables of a job into templates once, and [`Mapper::map`]
//! runs them over records. What templates look up in other files is handed over by [`Mapper::join`]. No vendor's rules are
//! known here, and a row that can't be mapped is a [`Failure`](crate::model::Failure) to be kept, not an error that ends
//! the job.

mod blame;
mod columns;
mod condition;
mod conversion;
mod document;
mod emit;
mod engine;
mod entity;
mod error;
mod filters;
mod list;
mod lookup;
mod many;
mod mapper;
mod nearest;
mod options;
mod pattern;
mod rendering;
mod row;
mod tag;
mod tagged;
mod template;
mod wishes;

pub use entity::LiveKey;
pub use error::{MappingError, Place};
pub use lookup::{
    BadRows, Crosswalk, CrosswalkBuilder, CrosswalkOptions, FileCount, LookupError, LookupOptions, Repeated,
    ValueOptions,
};
pub use mapper::{Mapped, Mapper};
pub(crate) use nearest::nearest;
pub use options::{
    Columns, DocumentOptions, Empty, Entity, MatchOptions, Options, TagOptions, TagsFrom, Trouble,
};
pub(crate) use template::{is_plain, is_variable};
pub use wishes::agreed;
