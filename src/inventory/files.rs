//! Which files an inventory is made of.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glob::{MatchOptions, Pattern};

use super::InventoryError;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The name that the user knows it by: as the job has it, or relative to the job's folder for a pattern.
    pub name: Arc<str>,
    /// Where it is; `None` is standard input.
    pub path: Option<PathBuf>,
}

impl Place {
    /// Whether the name says gzip.
    pub(super) fn is_gzip(&self) -> bool {
        Path::new(&*self.name)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
    }
}

/// As a shell matches: a pattern's `*` finds no hidden file and does not cross folders.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that a path or pattern names, in the order of their names. A name that exists as it is written is no
/// pattern, even with brackets in it.
pub(super) fn list(file: &str, base: &Path) -> Result<Vec<Place>, InventoryError> {
    match file {
        "" => return Err(InventoryError::NoFile),
        "-" => {
            return Ok(vec![Place {
                name: "-".into(),
                path: None,
            }]);
        }
        _ => {}
    }
    let path = base.join(file);
    let is_pattern = file.contains(['*', '?', '[']) && fs::symlink_metadata(&path).is_err();
    if is_pattern {
        return matching(file, base);
    }
    let metadata = fs::metadata(&path).map_err(|source| InventoryError::Open {
        file: file.to_owned(),
        source,
    })?;
    if metadata.is_dir() {
        return Err(InventoryError::Folder {
            file: file.trim_end_matches('/').to_owned(),
        });
    }
    Ok(vec![Place {
        name: file.into(),
        path: Some(path),
    }])
}

fn matching(pattern: &str, base: &Path) -> Result<Vec<Place>, InventoryError> {
    let whole = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        Path::new(&Pattern::escape(&base.to_string_lossy()))
            .join(pattern)
            .to_string_lossy()
            .into_owned()
    };
    let found = glob::glob_with(&whole, LIKE_A_SHELL).map_err(|source| InventoryError::Pattern {
        pattern: pattern.to_owned(),
        source,
    })?;
    let mut places = Vec::new();
    for path in found {
        let path = path.map_err(|error| InventoryError::Open {
            file: error.path().display().to_string(),
            source: error.into(),
        })?;
        if !path.is_dir() {
            let name = path.strip_prefix(base).unwrap_or(&path).to_string_lossy().into();
            places.push(Place {
                name,
                path: Some(path),
            });
        }
    }
    if places.is_empty() {
        return Err(InventoryError::NoMatch {
            pattern: pattern.to_owned(),
        });
    }
    places.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "a\n1\n").unwrap();
        }
        folder
    }

    fn names(file: &str, base: &Path) -> Vec<String> {
        list(file, base)
            .unwrap()
            .into_iter()
            .map(|place| place.name.to_string())
            .collect()
    }

    #[test]
    fn a_pattern_lists_its_files_in_order_without_folders_and_hidden_ones() {
        let folder = folder(&[
            "in/b.csv",
            "in/a.csv",
            "in/.hidden.csv",
            "in/c.json",
            "in/d.csv/x",
        ]);
        assert_eq!(names("in/*.csv", folder.path()), ["in/a.csv", "in/b.csv"]);
        assert_eq!(names("**/*.json", folder.path()), ["in/c.json"]);
    }

    #[test]
    fn a_folder_with_brackets_in_its_name_is_no_pattern() {
        let folder = folder(&["[x]/a.csv", "x/b.csv"]);
        assert_eq!(names("[x]/a.csv", folder.path()), ["[x]/a.csv"]);
        assert_eq!(names("*.csv", &folder.path().join("[x]")), ["a.csv"]);
    }

    #[test]
    fn standard_input_and_absolute_paths_are_named_as_they_are() {
        let folder = folder(&["a.csv.GZ"]);
        assert_eq!(
            list("-", folder.path()).unwrap(),
            [Place {
                name: "-".into(),
                path: None
            }]
        );
        let absolute = folder.path().join("a.csv.GZ").display().to_string();
        let elsewhere = Path::new("/nowhere");
        assert_eq!(names(&absolute, elsewhere), [absolute.as_str()]);
        assert_eq!(
            names(&absolute.replace("csv", "*"), elsewhere),
            [absolute.as_str()]
        );
        assert!(list(&absolute, elsewhere).unwrap()[0].is_gzip());
    }

    #[test]
    fn what_is_not_there_is_named() {
        let folder = folder(&["in/a.csv"]);
        for (file, message) in [
            ("", "the source names no `file`; give a path, a pattern or `-`"),
            ("b.csv", "b.csv: the file can't be opened"),
            (
                "in/",
                "in: is a folder; name a file in it, or a pattern such as `in/*.csv`",
            ),
            ("in/*.tsv", "in/*.tsv: no file matches the pattern"),
            ("in/[", "in/[: the pattern can't be understood"),
        ] {
            assert_eq!(list(file, folder.path()).unwrap_err().to_string(), message);
        }
    }
}
