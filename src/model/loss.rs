//! What a job lets a tag lose on its way to a target that can't take it as it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Class;

/// What was done about a tag that its target does not take as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// It was cut, and ends with a digest of the whole.
    Truncated,
    /// Characters of it were replaced.
    Replaced,
    /// It was left out.
    Dropped,
    /// It goes as the target will rewrite it.
    Allowed,
}

impl Remedy {
    const ALL: [Self; 4] = [Self::Truncated, Self::Replaced, Self::Dropped, Self::Allowed];

    /// The word that ledger and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
            Self::Allowed => "allowed",
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Remedy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|remedy| remedy.as_str() == text)
            .ok_or_else(|| format!("unknown remedy `{text}`"))
    }
}

/// Something that a tag lost because the job allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Why the tag could not go as it was: the class under which its row would be rejected.
    pub class: Class,
    /// What was done about it.
    pub remedy: Remedy,
    /// What was lost.
    pub message: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.class, self.remedy, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_read_from_its_word() {
        for remedy in Remedy::ALL {
            assert_eq!(remedy.as_str().parse(), Ok(remedy));
        }
        assert_eq!("cut".parse::<Remedy>(), Err("unknown remedy `cut`".to_owned()));
    }

    #[test]
    fn a_loss_says_its_class_and_what_was_done() {
        let loss = Loss {
            class: Class::TooLong,
            remedy: Remedy::Truncated,
            message: "value of `a` is cut".to_owned(),
        };
        assert_eq!(loss.to_string(), "too_long (truncated): value of `a` is cut");
    }
}
