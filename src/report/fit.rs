//! What of a list fits into so many characters and lines.

/// The columns of the narrowest usual terminal.
pub(super) const WIDTH: usize = 80;

/// Its lines.
pub(super) const SCREEN: usize = 24;

/// Groups that are shown at most: more are no review but a list.
const MOST_GROUPS: usize = 10;

/// A text of at most so many characters: what is too long ends with `…`.
pub(super) fn cut(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        None => text.to_owned(),
        Some(_) => text.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Items of keys with commas between, as many as fit, and how many more there are. One is always there, cut if need be.
pub(super) fn joined(items: &[String], room: usize) -> String {
    let width = |text: &str| text.chars().count();
    let whole = items.join(", ");
    if width(&whole) <= room {
        return whole;
    }
    let more = |n: usize| match items.len() - n {
        0 => String::new(),
        1 => ", 1 more key".to_owned(),
        more => format!(", {more} more keys"),
    };
    let fits = |n: &usize| width(&items[..*n].join(", ")) + width(&more(*n)) <= room;
    let most = (1..items.len()).rev().find(fits).unwrap_or(1);
    let tail = more(most);
    cut(&items[..most].join(", "), room.saturating_sub(width(&tail))) + &tail
}

/// How many groups are shown, and how many lines are left beside them and the lines that count the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) exceptions: usize,
    pub(super) usual: usize,
    pub(super) left: usize,
}

/// Shows at least half of what there is room for to either kind, and the rest to whichever needs it.
pub(super) fn fitted(exceptions: usize, usual: usize, room: usize) -> Fitted {
    let most = MOST_GROUPS.min(room.saturating_sub(2));
    let half = most / 2;
    let of_usual = usual.min(half.max(most.saturating_sub(exceptions)));
    let of_exceptions = exceptions.min(most - of_usual);
    let folds = usize::from(of_usual < usual) + usize::from(of_exceptions < exceptions);
    Fitted {
        exceptions: of_exceptions,
        usual: of_usual,
        left: room.saturating_sub(of_usual + of_exceptions + folds),
    }
}

/// How many samples of each group are shown where there is room for so many lines: one of each before a second of any.
pub(super) fn shown(each: &[usize], room: usize) -> Vec<usize> {
    let mut shown = vec![0; each.len()];
    let mut left = room;
    while left > 0 {
        let before = left;
        for (shown, all) in shown.iter_mut().zip(each) {
            if *shown < *all && left > 0 {
                *shown += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_ends_with_an_ellipsis() {
        for (text, room, want) in [
            ("", 3, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("größer", 5, "größ…"),
            ("abc", 0, "…"),
        ] {
            assert_eq!(cut(text, room), want, "{text} {room}");
        }
    }

    #[test]
    fn items_are_joined_as_far_as_they_fit() {
        let items = ["alpha", "beta", "gamma"].map(str::to_owned);
        for (room, want) in [
            (18, "alpha, beta, gamma"),
            (17, "alp…, 2 more keys"),
            (14, "…, 2 more keys"),
        ] {
            let items: Vec<String> = items.to_vec();
            assert_eq!(joined(&items, room), want, "{room}");
        }
        let long = ["alpha", "beta", "gamma", "delta-epsilon"].map(str::to_owned);
        assert_eq!(joined(&long, 30), "alpha, beta, gamma, 1 more key");
        assert_eq!(joined(&long, 29), "alpha, beta, 2 more keys");
    }

    #[test]
    fn exceptions_leave_room_for_the_usual_and_the_other_way_round() {
        for ((exceptions, usual, room), (want_exceptions, want_usual, left)) in [
            ((0, 1, 15), (0, 1, 14)),
            ((2, 3, 15), (2, 3, 10)),
            ((40, 3, 15), (7, 3, 4)),
            ((40, 40, 15), (5, 5, 3)),
            ((1, 40, 15), (1, 9, 4)),
            ((40, 40, 7), (3, 2, 0)),
        ] {
            let want = Fitted {
                exceptions: want_exceptions,
                usual: want_usual,
                left,
            };
            assert_eq!(
                fitted(exceptions, usual, room),
                want,
                "{exceptions} {usual} {room}"
            );
        }
    }

    #[test]
    fn every_group_has_a_sample_before_any_has_two() {
        for (each, room, want) in [
            (&[3, 3, 3][..], 4, &[2, 1, 1][..]),
            (&[1, 3], 9, &[1, 3]),
            (&[3, 3], 1, &[1, 0]),
            (&[], 5, &[]),
        ] {
            assert_eq!(shown(each, room), want, "{each:?} {room}");
        }
    }
}
