//! Tests of the room: what each option does to each kind of tag, and the laws.

use proptest::prelude::*;

use super::*;
use crate::model::{Reserved, Rule, TextRule, ValueRule, Wish};

const RESERVED: &[Reserved] = &[Reserved {
    prefix: "[",
    why: "it is reserved",
}];

fn rules(key: TextRule, value: ValueRule, join: Option<&str>) -> TagRules {
    TagRules {
        key,
        value,
        tags_per_entity: None,
        reserved: RESERVED,
        join: join.map(str::to_owned),
        sources: &[],
    }
}

fn text(max: usize, allowed: Option<fn(char) -> bool>) -> TextRule {
    TextRule { min: 1, max, allowed }
}

/// Keys of 10 and values of 20 characters; values hold no control characters, and no `/` and `:`.
fn pairs() -> TagRules {
    let value = text(20, Some(|c| !c.is_control() && !matches!(c, '/' | ':')));
    rules(text(10, None), ValueRule::Optional(value), None)
}

/// Plain strings of 16 capitals, digits, `.` and `_`.
fn capitals(join: Option<&str>) -> TagRules {
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '.' | '_');
    rules(text(16, Some(legal)), ValueRule::None, join)
}

fn upper(tag: &Tag) -> Tag {
    Tag::new(
        tag.key.to_ascii_uppercase(),
        tag.value.as_deref().map(str::to_ascii_uppercase),
    )
}

/// Fits a tag at a target that keeps it as `written` makes it.
fn fitted(
    rules: &TagRules,
    written: fn(&Tag) -> Tag,
    tag: &Tag,
    options: Options,
) -> Result<Fitted, Failure> {
    let kept = |tag: &Tag| {
        let written = written(tag);
        rules.check(&written).map(|()| written)
    };
    let target = Target {
        rules,
        kept: &kept,
        rewrites_as_asked: false,
    };
    fit(tag, &target, options)
}

/// The tag and the losses in words, or the class and message of the rejection.
fn told(fitted: Result<Fitted, Failure>) -> String {
    match fitted {
        Ok(Fitted { tag, losses }) => {
            let tag = tag.map_or_else(|| "nothing".to_owned(), |tag| tag.to_string());
            let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
            [vec![tag], losses].concat().join("; ")
        }
        Err(failure) => format!("{}: {}", failure.class, failure.message),
    }
}

fn options(toml: &str) -> Options {
    toml::from_str(toml).unwrap()
}

fn pair(key: &str, value: &str) -> Tag {
    Tag::new(key, Some(value))
}

const TRUNCATE: &str = "too_long = 'truncate'";
const REPLACE: &str = "illegal = 'replace'";
const BOTH: &str = "too_long = 'truncate'\nillegal = 'replace'";
const DROP: &str = "too_long = 'drop'\nillegal = 'drop'";

#[test]
fn keys_and_values_lose_what_the_options_say() {
    let long = "abcdefghijklmnopqrstu";
    for (tag, given, want) in [
        (pair("k", "v"), BOTH, "k:v"),
        (
            pair("k", long),
            "",
            "too_long: value of `k` has 21 characters, and at most 20 are allowed",
        ),
        (
            pair("k", long),
            TRUNCATE,
            "k:abcdefghijk-614a685b; too_long (truncated): value of `k` has 21 characters, and 20 fit: it ends after 11 with \
             `-614a685b`",
        ),
        (
            pair("k", long),
            DROP,
            "nothing; too_long (dropped): value of `k` has 21 characters, and at most 20 are allowed; the tag is left out",
        ),
        (
            pair("k", "a/b:c"),
            "",
            "illegal: value of `k` holds `/`, which is not allowed",
        ),
        (
            pair("k", "a/b:c"),
            REPLACE,
            "k:a_b_c; illegal (replaced): value of `k` holds 2 characters that are not allowed; `_` stands in their places",
        ),
        (
            pair("k", "a\n"),
            REPLACE,
            "k:a_; illegal (replaced): value of `k` holds a character that is not allowed; `_` stands in its place",
        ),
        (
            pair("k", "a/b"),
            DROP,
            "nothing; illegal (dropped): value of `k` holds `/`, which is not allowed; the tag is left out",
        ),
        (
            pair("[k", "v"),
            DROP,
            "nothing; illegal (dropped): key `[k` begins with `[`: it is reserved; the tag is left out",
        ),
        (
            pair("[k", "v"),
            REPLACE,
            "illegal: key `[k` begins with `[`: it is reserved",
        ),
        (
            pair("k\n", "v"),
            REPLACE,
            "illegal: key holds \\u{a}, which is not allowed",
        ),
        (
            pair("keykeykeyke", "v"),
            BOTH,
            "too_long: key has 11 characters, and at most 10 are allowed; a key is never cut: choose a shorter one",
        ),
        (
            Tag::new("keykeykeyke", None::<&str>),
            TRUNCATE,
            "too_long: key has 11 characters, and at most 10 are allowed; a key is never cut: choose a shorter one",
        ),
        (
            pair("k", "a/bcdefghijklmnopqrstu"),
            TRUNCATE,
            "illegal: value of `k` holds `/`, which is not allowed",
        ),
        (
            pair("k", "a/bcdefghijklmnopqrstu"),
            REPLACE,
            "too_long: value of `k` has 22 characters, and at most 20 are allowed",
        ),
        (
            pair("k", "a/bcdefghijklmnopqrstu"),
            BOTH,
            "k:a_bcdefghij-3897076d; illegal (replaced): value of `k` holds a character that is not allowed; `_` stands in its \
             place; too_long (truncated): value of `k` has 22 characters, and 20 fit: it ends after 11 with `-3897076d`",
        ),
    ] {
        let got = told(fitted(&pairs(), Tag::clone, &tag, options(given)));
        assert_eq!(got, want, "{tag} {given}");
    }
}

#[test]
fn plain_strings_are_changed_as_a_whole_and_joined_ones_behind_their_key() {
    let plain = |text: &str| Tag::new(text, None::<&str>);
    for (join, tag, given, want) in [
        (None, plain("ENV_PROD"), BOTH, "ENV_PROD"),
        (None, plain("ENV PROD"), REPLACE, "ENV_PROD"),
        (None, plain("ABCDEFGHIJKLMNOPQ"), TRUNCATE, "ABCDEFG_4A6C4B3E"),
        (None, plain("ABCDEFGHIJKLMNO Q"), BOTH, "ABCDEFG_E77C8A4A"),
        (None, plain("[A B"), REPLACE, "_A_B"),
        // Letters are not replaced: that is what a fold of case is for.
        (None, plain("prod"), REPLACE, "prod"),
        (Some("."), pair("ENV", "A B"), REPLACE, "ENV:A_B"),
        (Some("."), pair("ENV", "A.B"), BOTH, "ENV:A.B"),
        (
            Some("."),
            pair("ENV", "ABCDEFGHIJKLM"),
            TRUNCATE,
            "ENV:ABC_27B0172D",
        ),
        (
            Some("."),
            pair("KEYKEY", "ABCDEFGHIJ"),
            TRUNCATE,
            "KEYKEY:ABCDEFGHIJ",
        ),
        (Some("."), pair("E V", "A"), REPLACE, "E V:A"),
        (
            Some("."),
            plain("ABCDEFGHIJKLMNOPQ"),
            TRUNCATE,
            "ABCDEFGHIJKLMNOPQ",
        ),
        (Some("."), plain("A B"), REPLACE, "A B"),
    ] {
        let got = fitted(&capitals(join), Tag::clone, &tag, options(given));
        match got {
            Ok(Fitted { tag: got, .. }) => assert_eq!(got.unwrap().to_string(), want, "{tag} {given}"),
            // What is rejected stands unchanged in the table.
            Err(failure) => assert_eq!(tag.to_string(), want, "{failure:?}"),
        }
    }
    let narrow = fitted(
        &capitals(Some(".")),
        Tag::clone,
        &pair("KEYKEY", "ABCDEFGHIJ"),
        options(TRUNCATE),
    );
    assert_eq!(
        told(narrow),
        "too_long: tag has 17 characters, and at most 16 are allowed; its key leaves no room for a cut value: choose a \
         shorter one"
    );
}

#[test]
fn what_the_target_rewrites_is_rejected_or_allowed_and_no_loss_where_it_was_asked_for() {
    let kept = |tag: &Tag| Ok(upper(tag));
    let rules = capitals(None);
    let tag = Tag::new("env", None::<&str>);
    let rejected = "rewritten: `env` is handed back as `ENV`; `rewritten` in [losses] can allow it";
    for (asked, given, want) in [
        (false, "", rejected),
        (false, "rewritten = 'reject'", rejected),
        (
            false,
            "rewritten = 'allow'",
            "ENV; rewritten (allowed): `env` is handed back as `ENV`",
        ),
        (true, "", "ENV"),
        (true, "rewritten = 'reject'", rejected),
        (
            true,
            "rewritten = 'allow'",
            "ENV; rewritten (allowed): `env` is handed back as `ENV`",
        ),
    ] {
        let target = Target {
            rules: &rules,
            kept: &kept,
            rewrites_as_asked: asked,
        };
        assert_eq!(told(fit(&tag, &target, options(given))), want, "{asked} {given}");
    }
}

fn wish(rule: Rule, key: &str, value: &str) -> Wish {
    Wish {
        rule,
        tag: pair(key, value),
    }
}

#[test]
fn the_last_tags_find_no_room_whatever_the_order_of_the_wishes() {
    use Rule::{Add, Remove, Retire, Set};
    let wishes = [
        wish(Set, "b", "1"),
        wish(Add, "a", "2"),
        wish(Add, "a", "1"),
        wish(Remove, "z", "1"),
        wish(Retire, "y", ""),
    ];
    let over = |most: usize| {
        move |wishes: &[Wish]| {
            let adds = wishes
                .iter()
                .filter(|wish| matches!(wish.rule, Set | Add))
                .count();
            adds.saturating_sub(most)
        }
    };
    for (most, dropped, left) in [
        (3, vec![], 5),
        (2, vec![pair("b", "1")], 3),
        (1, vec![pair("a", "2"), pair("b", "1")], 2),
        (0, vec![pair("a", "1"), pair("a", "2"), pair("b", "1")], 1),
    ] {
        let mut turned = wishes.to_vec();
        for _ in 0..turned.len() {
            turned.rotate_left(1);
            let found = to_room(&turned, over(most)).unwrap();
            assert_eq!(
                (&found.dropped, found.wishes.len()),
                (&dropped, left),
                "{turned:?}"
            );
        }
    }
    assert_eq!(to_room(&wishes, |_| 1), None);
    // `c` goes in the place of another tag, so that leaving it out makes no room.
    let over = |wishes: &[Wish]| usize::from(wishes.iter().any(|wish| wish.tag.key == "a"));
    let found = to_room(&[wish(Set, "a", "1"), wish(Set, "c", "1")], over).unwrap();
    assert_eq!(
        (found.dropped, found.wishes),
        (vec![pair("a", "1")], vec![wish(Set, "c", "1")])
    );
}

#[test]
fn what_finds_no_room_is_left_out_at_once_however_much_it_is() {
    let wishes: Vec<Wish> = (0..3_000)
        .map(|n| wish(Rule::Set, &format!("k{n:04}"), "1"))
        .collect();
    let asked = std::cell::Cell::new(0);
    let over = |wishes: &[Wish]| {
        asked.set(asked.get() + 1);
        wishes.len().saturating_sub(1_000)
    };
    let found = to_room(&wishes, over).unwrap();
    assert_eq!((found.wishes.len(), found.dropped.len()), (1_000, 2_000));
    assert_eq!(found.dropped[0], pair("k1000", "1"));
    assert!(asked.get() < 10, "{}", asked.get());
}

fn some_rules() -> impl Strategy<Value = (TagRules, fn(&Tag) -> Tag)> {
    let as_is: fn(&Tag) -> Tag = Tag::clone;
    prop_oneof![
        Just((pairs(), as_is)),
        Just((capitals(None), as_is)),
        Just((capitals(Some(".")), as_is)),
        Just((capitals(Some(".")), upper as fn(&Tag) -> Tag)),
        Just((capitals(None), upper as fn(&Tag) -> Tag)),
    ]
}

fn some_options() -> impl Strategy<Value = Options> {
    let too_long = prop_oneof![
        Just(TooLong::Reject),
        Just(TooLong::Truncate),
        Just(TooLong::Drop)
    ];
    let illegal = prop_oneof![Just(Illegal::Reject), Just(Illegal::Replace), Just(Illegal::Drop)];
    let rewritten = prop_oneof![
        Just(None),
        Just(Some(Rewritten::Reject)),
        Just(Some(Rewritten::Allow))
    ];
    (too_long, illegal, rewritten).prop_map(|(too_long, illegal, rewritten)| Options {
        too_long,
        illegal,
        over_count: OverCount::Reject,
        rewritten,
    })
}

proptest! {
    #[test]
    fn what_goes_is_legal_and_fits_as_it_is(
        (rules, written) in some_rules(),
        options in some_options(),
        key in "[A-Zk.\\[ ]{1,12}",
        value in proptest::option::of("[A-Z/: .ü\n]{1,40}"),
    ) {
        let tag = Tag::new(key, value);
        let first = fitted(&rules, written, &tag, options);
        prop_assert_eq!(&fitted(&rules, written, &tag, options), &first);
        if let Ok(Fitted { tag: Some(sent), losses }) = first {
            prop_assert_eq!(rules.check(&sent), Ok(()));
            let again = fitted(&rules, written, &sent, options);
            prop_assert_eq!(again, Ok(Fitted { tag: Some(sent.clone()), losses: Vec::new() }));
            prop_assert_eq!(losses.is_empty(), sent == tag);
        }
    }

    #[test]
    fn long_values_that_differ_stay_different(
        beginning in "[a-z]{30}", one in "[a-z/]{1,20}", other in "[a-z/]{1,20}",
    ) {
        prop_assume!(one != other);
        let sent = |end: &str| {
            let tag = pair("k", &format!("{beginning}{end}"));
            fitted(&pairs(), Tag::clone, &tag, options(BOTH)).unwrap().tag
        };
        prop_assert_ne!(sent(&one), sent(&other));
    }
}
