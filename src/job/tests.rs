//! Tests of the whole room: right job files load, and wrong ones say what is wrong.

use std::fs;

use super::{Address, Bound, CredentialSource, Job, JobError, SecretSource, Source, TimeSpan, load};

/// The sample of the README, in its main form.
const SAMPLE: &str = r#"name = "prod-hosts"

[source]
file = "hosts.csv"

[target]
connection = "dynatrace"
kind = "HOST"
entity = "{{ entity_id }}"

[[tag]]
key = "env"
value = "{{ environment | lower }}"

[[tag]]
key = "owner"
value = "{{ owner }}"
when = "owner"

[connections.dynatrace]
vendor = "dynatrace"
url = "https://abc12345.live.dynatrace.com"
token = { env = "DT_API_TOKEN" }
pace = { rate = "20/s", concurrency = 8 }
"#;

/// Its tags; in their place a key belongs to the table above.
const SAMPLE_TAGS: &str = r#"
[[tag]]
key = "env"
value = "{{ environment | lower }}"

[[tag]]
key = "owner"
value = "{{ owner }}"
when = "owner"
"#;

fn load_text(text: &str) -> Result<Job, JobError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.toml");
    fs::write(&path, text).unwrap();
    load(&path)
}

/// What is wrong with a text, without the folder that the file happens to be in.
fn wrong(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.toml");
    fs::write(&path, text).unwrap();
    let error = load(&path).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

/// The sample with one thing in it replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(SAMPLE.contains(from), "{from}");
    SAMPLE.replacen(from, to, 1)
}

/// What is replaced in the sample, by what, and the first line of what is then told, after `job.toml:`.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "name = \"prod-hosts\"",
        "name = ",
        "1:8: string values must be quoted, expected literal string",
    ),
    (
        "name = \"prod-hosts\"",
        "name = \"prod-hosts",
        "1:19: invalid basic string, expected `\"`",
    ),
    (
        "kind = \"HOST\"",
        "kind = \"HOST\"\nkind = \"HOST\"",
        "9:1: duplicate key `kind`; keep one of the two",
    ),
    (
        "[connections.dynatrace]",
        "[target]\n[connections.dynatrace]",
        "20:2: duplicate key `target`; keep one of the two",
    ),
    (
        "value = \"{{ owner }}\"",
        "vaule = \"{{ owner }}\"",
        "17:1: unknown key `vaule`; did you mean `value`?; known are `key`, `value`, `when`, `action`, `replaces`, `empty`",
    ),
    (
        "[[tag]]\nkey = \"env\"",
        "[[tags]]\nkey = \"env\"",
        "11:3: unknown key `tags`; did you mean `tag`?; known are `name`, `max_age`, `source`, `lookup`, `target`, `tag`, `tags_from`, `document`, `losses`, `guard`, `connections`",
    ),
    (
        "key = \"owner\"",
        "key = 7",
        "16:7: `tag[2].key` is a whole number, and must be a text; put it in quotes",
    ),
    (
        "[[tag]]\nkey = \"env\"",
        "[tags_from]\ncolumn='x'\n[[tag]]\nkey = \"env\"",
        "11:1: `tags_from` is a table, and must be a list; write it as [[tags_from]]",
    ),
    ("name = \"prod-hosts\"", "", "1:1: missing key `name` in the job"),
    ("kind = \"HOST\"", "", "6:1: missing key `kind` in `target`"),
    ("key = \"owner\"", "", "15:1: missing key `key` in `tag[2]`"),
    (
        "[source]\nfile = \"hosts.csv\"",
        "",
        "1:1: missing key `source` in the job",
    ),
    (
        "file = \"hosts.csv\"",
        "",
        "3:1: missing key `file` in `source`; `-` is standard input, and `connection` reads live tags",
    ),
    (
        "file = \"hosts.csv\"",
        "file = ''",
        "4:8: `file` is empty; give a path, or `-` for standard input",
    ),
    (
        "file = \"hosts.csv\"",
        "file = 'hosts.csv'\nconnection = 'dynatrace'",
        "5:1: `file` and `connection` are both given; keep the one that the rows come from",
    ),
    (
        "file = \"hosts.csv\"",
        "connection = 'dynatrac'",
        "4:14: no connection `dynatrac`; did you mean `dynatrace`?; there are `dynatrace`",
    ),
    (
        "file = \"hosts.csv\"",
        "connection = 'dynatrace'\nitems = 'rows'",
        "5:1: `items` is for files, and goes with no `connection`; leave it out",
    ),
    (
        "file = \"hosts.csv\"",
        "file = 'hosts.csv'\ntag = 'env'",
        "5:1: `tag` goes with `connection` only, and not with files; leave it out",
    ),
    (
        "file = \"hosts.csv\"",
        "connection = 'dynatrace'\nname = 'web-['",
        "5:8: `name`: `web-[` is no pattern: invalid range pattern; `*`, `?` and `[…]` stand for characters",
    ),
    (
        "file = \"hosts.csv\"",
        "connection = 'dynatrace'\ntag = ['env', '=prod']",
        "5:7: `tag`: `=prod` names no key; write `KEY`, or `KEY=VALUE`",
    ),
    (
        "file = \"hosts.csv\"",
        "connection = 'dynatrace'\ntag = 7",
        "5:7: `source.tag` is a whole number, and must be a text or a list; put it in quotes",
    ),
    (
        "file = \"hosts.csv\"",
        "connection = 'dynatrace'\nkind = ' '",
        "5:8: no kind; give the vendor's word for what is read, such as `kind = \"HOST\"`",
    ),
    (
        "when = \"owner\"",
        "action = \"ad\"",
        "18:10: unknown word `ad`; did you mean `add`?; known are `set`, `add`, `fill`, `update`, `remove`",
    ),
    (
        "{{ environment | lower }}",
        "{{ environment | lower }",
        "13:33: `tag[1].value`: syntax error: unexpected `}`, expected end of variable block",
    ),
    (
        "{{ environment | lower }}",
        "é\\t{{ environment | lowr }}",
        "13:30: `tag[1].value`: unknown filter `lowr`; did you mean `lower`?",
    ),
    (
        "when = \"owner\"",
        "when = \"owner ==\"",
        "18:15: `tag[2].when`: syntax error: unexpected end of input, expected expression",
    ),
    (
        "when = \"owner\"",
        "when = \"false\"",
        "18:8: `tag[2].when`: the rule can never match: `false` is always false",
    ),
    (
        "\"{{ owner }}\"",
        "\"\"",
        "17:9: `tag[2].value`: the rule can never match: the value is empty; leave `value` out for a tag without one",
    ),
    (
        "connection = \"dynatrace\"",
        "connection = \"dynatrac\"",
        "7:14: no connection `dynatrac`; did you mean `dynatrace`?; there are `dynatrace`",
    ),
    (
        "[connections.dynatrace]",
        "[connections.other]",
        "7:14: no connection `dynatrace`; there are `other`",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "",
        "22:7: credentials: there are none; give the connection `token = { env = \"NAME\" }`",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "token = \"dt0c01.CANARY\"",
        "23:9: a secret can't stand in the job file: revoke it, and say where the new one is: `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ command = [\"PROGRAM\"] }`",
    ),
    (
        "env = \"DT_API_TOKEN\"",
        "env = \"DT_API_TOKEN\", file = \"t\"",
        "23:9: give exactly one of `env`, `file`, `command`",
    ),
    (
        "env = \"DT_API_TOKEN\"",
        "",
        "23:9: give exactly one of `env`, `file`, `command`",
    ),
    (
        "env = \"DT_API_TOKEN\"",
        "value = \"CANARY\"",
        "23:9: give exactly one of `env`, `file`, `command`",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "api_token = \"CANARY\"",
        "22:7: credentials: there are none; give the connection `token = { env = \"NAME\" }`",
    ),
    (
        "token = {",
        "user = \"me\"\ntoken = {",
        "23:1: `token` and `user` are both given; keep the credentials that the vendor asks for",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "user = \"me\"",
        "23:1: `user` and `password` go together; give `password` as well",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "client_secret = { env = \"S\" }",
        "23:1: `client_id` and `client_secret` go together; give `client_id` as well",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "user = \"me\"\npassword = { env = \"P\" }",
        "23:1: this vendor does not take `user` and `password`; give the connection `token = { env = \"NAME\" }`",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "user = \"me\"\npassword = \"CANARY\"",
        "23:1: this vendor does not take `user` and `password`; give the connection `token = { env = \"NAME\" }`",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "client_id = 7",
        "23:1: `client_id` and `client_secret` go together; give `client_secret` as well",
    ),
    (
        "token = { env = \"DT_API_TOKEN\" }",
        "token = { file = \"\" }",
        "23:9: `file` is empty; give the path of a file that holds the token",
    ),
    (
        "20/s",
        "0/s",
        "24:17: `0/s` is not a rate; write a whole number of at least 1 and a unit, like `20/s`, `50/min` or `1000/h`",
    ),
    (
        "20/s",
        "20",
        "24:17: `20` is not a rate; write a whole number of at least 1 and a unit, like `20/s`, `50/min` or `1000/h`",
    ),
    (
        "concurrency = 8",
        "concurrency = 0",
        "24:39: `pace.concurrency`: 0 is not between 1 and 1000",
    ),
    (
        "concurrency = 8",
        "concurrency = 1_000_000_000",
        "24:39: `pace.concurrency`: 1000000000 is not between 1 and 1000",
    ),
    (
        "concurrency = 8",
        "concurrency = -1",
        "24:39: `connections.dynatrace.pace.concurrency` is -1; the least is 0",
    ),
    (
        "pace =",
        "timeout = \"-3s\"\npace =",
        "24:11: `-3s` is no time at all; a length of time is more than `0s`",
    ),
    (
        "name = \"prod-hosts\"",
        "name = \"prod-hosts\"\nmax_age = \"soon\"",
        "2:11: `soon` is not a length of time; write it like `30s`, `5m`, `1h30m` or `7d`",
    ),
    (
        "pace =",
        "attempts = 0\npace =",
        "24:12: `connections.dynatrace.attempts` is 0; the least is 1",
    ),
    (
        "https://abc12345",
        "abc12345",
        "22:7: the URL has no scheme; begin it with `https://`",
    ),
    (
        "https://abc",
        "http://abc",
        "22:7: the URL can't be used: plain `http` would send the token unencrypted; use `https`, or set `allow_http = true` if the network is trusted",
    ),
    (
        "https://abc",
        "ftp://abc",
        "22:7: the URL can't be used: scheme `ftp` can't be used; write `https`",
    ),
    (
        "https://abc",
        "https://me:CANARY@abc",
        "22:7: the URL can't be used: it holds a user name or password; give the connection its credentials in keys of their own instead",
    ),
    (
        "entity = \"{{ entity_id }}\"",
        "",
        "6:1: no entity; give `entity` (the vendor's identifier), `match` or `entity_name`, such as `entity = \"{{ entity_id }}\"`",
    ),
    (
        "entity = \"{{ entity_id }}\"",
        "match = { row = \"{{ asset }}\" }",
        "9:9: missing key `live` in `target.match`",
    ),
    (
        "entity = \"{{ entity_id }}\"",
        "match = { row = \"{{ asset }}\", live = \"{{ tagged.asset | loer }}\" }",
        "9:58: `target.match.live`: unknown filter `loer`; did you mean `lower`?",
    ),
    (
        "entity = \"{{ entity_id }}\"",
        "match = { row = \"{{ asset }}\", live = \"web\" }",
        "9:39: `target.match.live`: it is the same for every live entity; name what tells them apart, such as \"{{ tagged['asset-id'] }}\"",
    ),
    (
        "kind = \"HOST\"",
        "kind = \"HOST\"\ndecisions = \"\"",
        "9:13: `decisions` is empty; give the path of a file",
    ),
    (
        "kind = \"HOST\"",
        "kind = \"HOST\"\ndecisions = \"-\"",
        "9:13: decisions can't be read from standard input; give the path of a file",
    ),
    (
        "kind = \"HOST\"",
        "kind = \"HOST\"\ndecisions = \"*.csv\"",
        "9:13: `decisions` is one file, since `tagferry review` writes it; give a path without `*`, `?` and `[`",
    ),
    (
        "{{ entity_id }}",
        "",
        "9:10: `target.entity`: it is empty; name the column that holds the entity, such as \"{{ entity_id }}\"",
    ),
    (
        "kind = \"HOST\"",
        "kind = \"HOST\"\nseparator = \"+\"",
        "9:1: `separator` goes with `collision = \"join\"` only",
    ),
    (
        "kind = \"HOST\"",
        "kind = \"HOST\"\ndwell = \"7d\"",
        "9:1: `dwell` goes with a tag that `replaces` another; leave it out",
    ),
    (
        "[connections.dynatrace]",
        "[losses]\ntoo_long = \"cut\"\n[connections.dynatrace]",
        "21:12: unknown word `cut`; known are `reject`, `truncate`, `drop`",
    ),
    (
        "[connections.dynatrace]",
        "[losses]\nover_cont = \"drop\"\n[connections.dynatrace]",
        "21:1: unknown key `over_cont`; did you mean `over_count`?; known are `too_long`, `illegal`, `over_count`, `rewritten`",
    ),
    (
        "[[tag]]\nkey = \"env\"",
        "[[tags_from]]\ncolumn = \"a\"\npattern = \"(?<key>\"\n[[tag]]\nkey = \"env\"",
        "13:11: `tags_from[1].pattern`: it is no regular expression: unclosed group",
    ),
    (
        "[[tag]]\nkey = \"env\"",
        "[[tags_from]]\ncolumn = \"a\"\npair = \"=\"\npattern = \"(?<key>.)\"\n[[tag]]\nkey = \"env\"",
        "14:11: `tags_from[1].pattern`: `pattern` and `pair` do not go together: the pattern says what the key is; keep one of the two",
    ),
    (
        "[[tag]]\nkey = \"env\"",
        "[[tags_from]]\ncolumn = \"a\"\nkey_as = \"{{ key | lowr }}\"\n[[tag]]\nkey = \"env\"",
        "13:20: `tags_from[1].key_as`: unknown filter `lowr`; did you mean `lower`?",
    ),
    (
        "[connections.dynatrace]",
        "[guard]\nmax_changes = \"130%\"\n[connections.dynatrace]",
        "21:15: `130%` is no share; write it like \"30%\", from \"0%\" to \"100%\"",
    ),
    (
        "[connections.dynatrace]",
        "[guard]\nmax_missing = -1\n[connections.dynatrace]",
        "21:15: `guard.max_missing` is -1; the least is 0",
    ),
    (
        "[connections.dynatrace]",
        "[guard]\nbreaker = 5\n[connections.dynatrace]",
        "21:11: `breaker` is a share of the calls, such as \"50%\"",
    ),
    (
        "prod-hosts",
        "prod/hosts",
        "1:8: the name holds '/'; use letters, digits, `-`, `_` and `.`",
    ),
    (
        "vendor = \"dynatrace\"",
        "vendor = \"datadog\"",
        "21:10: unknown word `datadog`; known are `dynatrace`, `oracle-paas`, `mongodb-ops-manager`, `mongodb-atlas`",
    ),
    (
        "https://abc12345.live.dynatrace.com",
        "simulator:?seed=7",
        "22:7: `simulator:` names no file; write `simulator:state.db`",
    ),
    (
        "file = \"hosts.csv\"",
        "file = \"hosts.csv\"\ndelimiter = \";;\"",
        "5:13: invalid value: string \";;\", expected a character",
    ),
    (
        "[[tag]]\nkey = \"env\"",
        "[[tags_from]]\ncolumns = \"all\"\n[[tag]]\nkey = \"env\"",
        "12:11: unknown word `all`; known are `*`, or a list",
    ),
    (
        "[[tag]]\nkey = \"env\"",
        "[[tags_from]]\nseparator = \";\"\n[[tag]]\nkey = \"env\"",
        "11:1: `tags_from[1].column`: say where the tags are: `column` for one field, or `columns` for a list of names",
    ),
];

#[test]
fn a_number_that_is_none_is_refused() {
    let told = wrong(&changed("pace =", "retry_budget = nan\npace ="));
    assert!(
        told.starts_with("job.toml:24:16: `retry_budget`: NaN is not between 0 and 1"),
        "{told}"
    );
}

#[test]
fn a_dwell_needs_keys_that_are_known_before_any_row_is_read() {
    let dwelling = changed("kind = \"HOST\"", "kind = \"HOST\"\ndwell = \"7d\"");
    let replacing = dwelling.replace("key = \"env\"", "key = \"stage\"\nreplaces = \"env\"");
    let job = load_text(&replacing).unwrap();
    assert_eq!(job.target.dwell, Some(std::time::Duration::from_hours(7 * 24)));
    let told = wrong(&replacing.replace("\"stage\"", "\"{{ stage }}\""));
    assert!(
        told.starts_with(
            "job.toml:13:7: with `dwell`, the key of a tag that `replaces` another must be plain text"
        ),
        "{told}"
    );
}

#[test]
fn every_wrong_job_file_is_told_with_place_text_and_hint() {
    for (from, to, want) in WRONG {
        let told = wrong(&changed(from, to));
        assert_eq!(
            told.lines().next(),
            Some(format!("job.toml:{want}").as_str()),
            "{to}"
        );
        assert!(!told.contains("CANARY"), "{told}");
    }
}

#[test]
fn the_source_line_is_shown_with_a_caret_below_what_is_wrong() {
    assert_eq!(
        wrong(&changed("value = \"{{ owner }}\"", "vaule = 3")),
        "job.toml:17:1: unknown key `vaule`; did you mean `value`?; known are `key`, `value`, `when`, `action`, `replaces`, `empty`\n   \
         |\n17 | vaule = 3\n   | ^^^^^"
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_the_order_of_its_lines() {
    let text = SAMPLE
        .replace("kind = \"HOST\"", "kind = 7\nfoo = 1")
        .replace("{{ environment | lower }}", "{{ environment | lowr }}")
        .replace("when = \"owner\"", "action = \"sett\"\nwhen = \"owner ==\"")
        .replace("20/s", "fast")
        .replace("https://", "ftp://")
        .replace("concurrency = 8", "concurrency = 0");
    let Err(JobError::Refused { problems }) = load_text(&text) else {
        panic!("it is refused");
    };
    let places: Vec<_> = problems
        .iter()
        .map(|problem| (problem.line, problem.column))
        .collect();
    assert_eq!(
        places,
        [
            (8, 8),
            (9, 1),
            (14, 27),
            (19, 10),
            (20, 15),
            (24, 7),
            (26, 17),
            (26, 39)
        ]
    );
}

#[test]
fn a_wrong_entry_is_told_once() {
    for (from, to) in [
        ("file = \"hosts.csv\"", "file = 7"),
        ("connection = \"dynatrace\"", "connection = 7"),
        (
            "kind = \"HOST\"",
            "kind = \"HOST\"\ncollision = \"joim\"\nseparator = \"+\"",
        ),
        ("entity = \"{{ entity_id }}\"", "entity = 7"),
        ("token = {", "token = 7 # {"),
        (
            "[[tag]]\nkey = \"env\"",
            "[[tags_from]]\ncolumn = 7\n[[tag]]\nkey = \"env\"",
        ),
    ] {
        let Err(JobError::Refused { problems }) = load_text(&changed(from, to)) else {
            panic!("it is refused: {to}");
        };
        assert_eq!(problems.len(), 1, "{to}: {problems:?}");
    }
    for tags in ["", "tag = 7\n", "tag = []\n"] {
        let text = format!("{tags}{}", changed(SAMPLE_TAGS, ""));
        let Err(JobError::Refused { problems }) = load_text(&text) else {
            panic!("it is refused: {tags}");
        };
        assert_eq!(problems.len(), 1, "{tags}: {problems:?}");
    }
}

#[test]
fn a_missing_key_hides_no_other_problem_and_adds_none() {
    for missing in [
        "name = \"prod-hosts\"",
        "kind = \"HOST\"",
        "connection = \"dynatrace\"",
        "vendor = \"dynatrace\"",
        "url = \"https://abc12345.live.dynatrace.com\"",
        "key = \"owner\"",
        "[source]\nfile = \"hosts.csv\"",
        "[target]\nconnection = \"dynatrace\"\nkind = \"HOST\"\nentity = \"{{ entity_id }}\"",
    ] {
        let text = changed(missing, "").replace("lower", "lowr");
        let Err(JobError::Refused { problems }) = load_text(&text) else {
            panic!("it is refused: {missing}");
        };
        assert_eq!(problems.len(), 2, "{missing}: {problems:?}");
    }
}

#[test]
fn a_secret_in_the_job_file_is_refused_and_never_shown() {
    for (from, to) in [
        ("DT_API_TOKEN", "dt0c01.CANARY"),
        ("{ env = \"DT_API_TOKEN\" }", "\"CANARY"),
        ("{ env = \"DT_API_TOKEN\" }", "\"\"\"\nCANARY\n"),
        ("{ env = \"DT_API_TOKEN\" }", "\"CANARY\" CANARY"),
        ("{ env = \"DT_API_TOKEN\" }", "{ env = 7, secret = \"CANARY\" }"),
        (
            "vendor = \"dynatrace\"",
            "vendor = \"dynatrac\"\npassword = \"CANARY\"",
        ),
        ("https://abc12345", "me:CANARY@abc12345"),
        ("https://abc12345", "https://me:CANARY@ab c"),
        ("pace =", "proxy = \"http://me:CANARY@proxy:3128\"\npace = 7 #"),
    ] {
        let told = wrong(&changed(from, to));
        assert!(!told.contains("CANARY"), "{told}");
    }
}

/// What a lookup of the sample says, and what is then told among other things, after `job.toml:`.
const WRONG_LOOKUPS: &[(&str, &str)] = &[
    (
        "[lookup.hosts]",
        "11:9: `lookup.hosts` has no values; give `file` and `key`, or `map`",
    ),
    (
        "[lookup.hosts]\nfile = 'a.csv'",
        "11:9: missing key `key` in `lookup.hosts`: the column by which rows are found",
    ),
    (
        "[lookup.hosts]\nfile = '-'\nkey = 'a'",
        "12:8: a lookup can't be read from standard input; give a path or a pattern",
    ),
    (
        "[lookup.hosts]\nfile = ''\nkey = 'a'",
        "12:8: `file` is empty; give a path or a pattern",
    ),
    (
        "[lookup.hosts]\nfile = 'a.csv'\nkey = ''",
        "13:7: `key` is empty; name the column by which rows are found",
    ),
    (
        "[lookup.hosts]\nfile = 'a.csv'\nkey = 'a'\nrepeated = 'lists'",
        "14:12: unknown word `lists`; did you mean `list`?; known are `refuse`, `first`, `last`, `list`",
    ),
    (
        "[lookup.hosts]\nfile = 'a.csv'\nkye = 'a'",
        "13:1: unknown key `kye`; did you mean `key`?; known are `file`, `key`, `fold_case`, `repeated`, `unique`, `bad_rows`, `map`, `format`, `encoding`, `delimiter`, `literal_quotes`, `columns`, `skip_lines`, `items`",
    ),
    (
        "[lookup.hosts]\nfile = 'a.csv'\nkey = 'a'\nmap = { a = 'b' }",
        "14:1: `file` and `map` are both given; keep the one that holds the values",
    ),
    (
        "[lookup.stages]\nmap = { a = 'b' }\nkey = 'a'",
        "13:1: `key` goes with `file`, not with `map`",
    ),
    (
        "[lookup.stages]\nmap = {}",
        "12:7: `map` is empty; give it values, or leave the lookup out",
    ),
    (
        "[lookup.stages]\nmap = { a = 1 }",
        "12:13: `lookup.stages.map.a` is a whole number, and must be a text; put it in quotes",
    ),
    (
        "[lookup.stages]\nfold_case = true\nmap = { A = 'b', a = 'c' }",
        "13:18: `A` and `a` are one key as keys are compared; keep one of the two",
    ),
    (
        "[lookup.my-hosts]\nmap = { a = 'b' }",
        "11:9: `my-hosts` can't be used in templates; use letters, digits and `_`, and no word of theirs",
    ),
    (
        "[lookup.row]\nmap = { a = 'b' }",
        "11:9: `row` can't be used in templates; use letters, digits and `_`, and no word of theirs",
    ),
    (
        "[lookup.owner]\nmap = { a = 'b' }",
        "20:13: `tag[2].value`: `owner` is a lookup of the job: look a key up in it, as in `owner[COLUMN]`; a column of that name is `row[\"owner\"]`",
    ),
];

#[test]
fn everything_wrong_with_a_lookup_is_told_with_its_place() {
    for (lookup, want) in WRONG_LOOKUPS {
        let told = wrong(&changed("\n[[tag]]", &format!("\n{lookup}\n\n[[tag]]")));
        let mut lines = told.lines().filter_map(|line| line.strip_prefix("job.toml:"));
        assert!(lines.any(|line| line == *want), "{lookup}\n{told}");
    }
}

#[test]
fn a_lookup_reads_its_file_as_the_source_does() {
    let job = load_text(&changed(
        "\n[[tag]]",
        "\n[lookup.hosts]\nfile = 'a.txt'\nkey = 'k'\nformat = 'csv'\nencoding = 'windows-1252'\ndelimiter = ';'\n\
         literal_quotes = true\ncolumns = ['k', 'v']\nskip_lines = 2\nitems = 'x'\n\
         [lookup.stages]\nmap = { a = 'b' }\n[[tag]]",
    ))
    .unwrap();
    let options = crate::inventory::Options {
        file: "a.txt".to_owned(),
        format: Some(crate::inventory::Format::Csv),
        encoding: Some("windows-1252".to_owned()),
        delimiter: Some(';'),
        literal_quotes: true,
        columns: vec!["k".to_owned(), "v".to_owned()],
        skip_lines: 2,
        items: Some("x".to_owned()),
    };
    assert_eq!(job.lookups, [("hosts".to_owned(), options)].into());
}

#[test]
fn losses_are_about_tags_and_not_about_definitions() {
    let job = load_text(&changed("[[tag]]", "[losses]\nillegal = 'drop'\n[[tag]]")).unwrap();
    assert_eq!(job.losses.illegal, crate::fit::Illegal::Drop);
    let document = changed(SAMPLE_TAGS, "\n[document]\n[losses]\nillegal = 'drop'\n");
    let told = wrong(&document);
    let want = "[losses] is about tags, and definitions are taken as they are or not at all; leave it out";
    assert!(told.contains(want), "{told}");
}

#[test]
fn the_sample_loads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.toml");
    fs::write(&path, SAMPLE).unwrap();
    let job = load(&path).unwrap();
    assert_eq!(job.name, "prod-hosts");
    assert_eq!(job.digest, blake3::hash(SAMPLE.as_bytes()).to_hex().to_string());
    assert_eq!(job.folder, folder.path());
    assert_eq!(job.max_age.as_secs(), 600);
    assert_eq!(job.target.kind, "HOST");
    let fields: Vec<_> = job.mapper.fields_used().into_iter().collect();
    assert_eq!(fields, ["entity_id", "environment", "owner"]);
    let connection = &job.connections["dynatrace"];
    assert_eq!(
        connection.credentials,
        Some(CredentialSource::Token(SecretSource::Env(
            "DT_API_TOKEN".to_owned()
        )))
    );
    assert_eq!(connection.network.pace.concurrency, Some(8));
    assert_eq!(connection.network.timeout, TimeSpan::from_secs(30));
}

#[test]
fn a_job_that_uses_every_form_loads() {
    let job = load_text(
        r#"
name = "all.forms_1-2"
max_age = "1h"
source = { file = "-", format = "json", encoding = "windows-1252", items = "/data" }
target = { connection = "lab", kind = "SERVICE", entity_name = "{{ host.name }}", collision = "join", separator = "+" }
guard = { max_changes = "12.5%", max_removals = 0, max_missing = "0%", breaker = "50%" }

[[tags_from]]
column = "Tags"
separator = ";"
pair = "="
rename = { Owner = "owner" }
malformed = "skip"

[[tags_from]]
columns = "*"
except = ["id"]
empty = "remove"

[[tags_from]]
columns = ["a", "b"]
action = "fill"

[connections.lab]
vendor = "dynatrace"
url = "simulator:state.db?entities=2000&seed=7"

[connections.local]
vendor = "dynatrace"
url = "http://127.0.0.1:8080/e/abc"
api = "v1"
from = "3days"
join = "."
tenant = "abc"
timeout = "5s"
attempts = 2
retry_budget = 1
ca_cert = "ca.pem"
token = { command = ["pass", "show", "dt"] }
"#,
    )
    .unwrap();
    assert_eq!(job.target.separator, "+");
    assert_eq!(job.guard.max_changes, Some(Bound::Percent(12.5)));
    assert_eq!(job.guard.max_removals, Some(Bound::Number(0)));
    let Address::Simulator(state) = &job.connections["lab"].address else {
        panic!("it is the simulator");
    };
    assert_eq!(state, "state.db?entities=2000&seed=7");
    let vendor = &job.connections["local"].vendor;
    let options = toml::toml! { api = "v1" from = "3days" join = "." };
    assert_eq!((vendor.listed.name, &vendor.options), ("dynatrace", &options));
    assert!((job.connections["local"].network.retry_budget - 1.0).abs() < f64::EPSILON);
}

#[test]
fn a_file_that_is_no_text_or_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.toml");
    let error = load(&path).unwrap_err();
    assert!(matches!(error, JobError::Unreadable { .. }), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("job.toml: can't be read; give the path of a job file")
    );
    fs::write(&path, b"name = 'x'\nkind = '\xff'").unwrap();
    let told = load(&path).unwrap_err().to_string();
    assert!(
        told.contains("job.toml:2:9: this byte is not UTF-8; save the job file as UTF-8"),
        "{told}"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", cut in 0..700usize, noise in "[\\[\\]{}\"'=.a\n\\\\é]{0,6}") {
        let _ = load_text(&text);
        let mut sample = SAMPLE.to_owned();
        sample.insert_str(cut.min(SAMPLE.len()), &noise);
        let _ = load_text(&sample);
    }
}

#[test]
fn a_live_source_takes_its_kind_from_the_target_where_that_is_its_connection() {
    let live = |more: &str| match load_text(&changed("file = \"hosts.csv\"", more)).unwrap().source {
        Source::Live(live) => live,
        Source::Files(files) => panic!("{files:?}"),
    };
    let own = live("connection = 'dynatrace'");
    assert_eq!(
        (own.connection.as_str(), own.kind.as_str()),
        ("dynatrace", "HOST")
    );
    assert_eq!((own.filter.name(), own.filter.tags().len()), (None, 0));
    let chosen =
        live("connection = 'dynatrace'\nkind = 'SERVICE'\nname = 'web-*'\ntag = ['env', 'owner=me']");
    assert_eq!(
        (chosen.kind.as_str(), chosen.filter.name()),
        ("SERVICE", Some("web-*"))
    );
    let tags: Vec<_> = chosen.filter.tags().iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["env", "owner:me"]);

    let other = changed("file = \"hosts.csv\"", "connection = 'old'")
        + "[connections.old]\nvendor = 'dynatrace'\nurl = 'simulator:old.db'\n";
    let told = wrong(&other);
    assert!(told.contains("no kind; give the vendor's word"), "{told}");
}
