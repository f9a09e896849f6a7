//! The options of other rooms, under the names that the job file uses.

pub use crate::collide::Policy as Collision;
pub use crate::fit::Options as LossOptions;
pub use crate::inventory::{Format as SourceFormat, Options as InventoryOptions};
pub use crate::transport::{
    CredentialForm, CredentialSource, NameSource, Options as NetworkOptions, Pace, Rate, SecretSource,
    TimeSpan,
};
